"""A subject that does not do its part has failed: that is a measurement, and nothing undecided."""

from __future__ import annotations

from typing import Any

from support.scenarios import InNamespaces, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.verdict import FAIL, UNDECIDED
from viplab.lab.lab import Lab
from viplab.subjects.vipd import Vipd


def test_a_backup_that_never_takes_over_fails_the_trial(in_namespaces: InNamespaces) -> None:
    subject = Vipd("keepalived-1.2.2")

    def halt_b(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "step_started" and event["step"].startswith("kill"):
            guest = lab.hosts["B"]
            guest.run(f"kill -STOP {' '.join(map(str, subject.processes(guest)))}").checked()

    text = scenario("kill: {host: A}", "wait: {master: B, within: 5}", owner="B")
    record = read_trial(in_namespaces.run(text, subject, halt_b))
    view = view_trial(record)
    undecided = [reason for rule in UNDECIDED if (reason := rule(record, view.faults))]
    failed = [reason for rule in FAIL if (reason := rule(record, view.faults))]
    assert [reason for reason in undecided if "overloaded" not in reason] == []
    assert failed[0] == "waited 5 s for B to be master, in vain"
    assert (view.summary.verdict == "fail") is not bool(undecided)
    assert view.summary.detection_s is None
