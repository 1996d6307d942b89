"""A subject that does not do its part has failed: that is a measurement, and nothing undecided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.netns.lab import NetnsLab, in_netns_lab
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.subjects.vipd import Vipd

SCENARIO = """\
scenario: failed
title: t
story: s
hosts:
  A: {state: MASTER, priority: 102}
  B: {state: BACKUP, priority: 101}
setup:
  - start: A
  - start: B
  - wait: {master: A}
steps:
  - kill: {host: A}
  - wait: {master: B, within: 5}
expect: {owner: B}
"""


def test_a_backup_that_never_takes_over_fails_the_trial(tmp_path: Path) -> None:
    subject = Vipd("keepalived-1.2.2")
    trial = Trial(parse_scenario(SCENARIO, "test"), SCENARIO, subject, 1, 1)
    kept = TrialFolder(tmp_path / "trial")

    def work(lab: NetnsLab) -> None:
        def listen(event: dict[str, Any]) -> None:
            if event["event"] == "step_started" and event["step"].startswith("kill"):
                guest = lab.hosts["B"]
                guest.run(f"kill -STOP {' '.join(map(str, subject.processes(guest)))}").checked()

        run_trial(trial, lab, kept, (listen,))

    in_netns_lab(work)
    summary = view_trial(read_trial(kept)).summary
    assert (summary.verdict, summary.reason) == ("fail", "waited 5 s for B to be master, in vain")
    assert summary.detection_s is None
