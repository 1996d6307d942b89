"""The HTTP probe for real in namespaces: against a cut of known length, and where the VIP moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from viplab.analysis import application
from viplab.analysis.calibration import cut_events
from viplab.analysis.reading import read_trial
from viplab.analysis.record import Record
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.netns.lab import in_netns_lab
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.subjects.vipd import Vipd

SCENARIO = """\
scenario: application
title: t
story: s
http: {{rate: 50}}
hosts:
  A: {{state: MASTER, priority: 102}}
  B: {{state: BACKUP, priority: 101}}
setup:
  - start: A
  - start: B
  - wait: {{master: A}}
steps:
  - observe: 1
{steps}
expect: {{owner: {owner}}}
"""
INTERVAL_S = 0.02
TAKEN = "  - wait: {master: B}\n  - observe: 6"


def done(folder: Path, steps: str, owner: str, profile: str = "keepalived-2") -> tuple[Record, TrialView]:
    text = SCENARIO.format(steps=steps, owner=owner)
    kept = TrialFolder(folder / "trial")
    in_netns_lab(lambda lab: run_trial(Trial(parse_scenario(text, "test"), text, Vipd(profile), 1, 1), lab, kept))
    record = read_trial(kept)
    assert (record.issues, record.all("error")) == ([], [])
    return record, view_trial(record)


def test_a_cut_is_found_within_one_interval_and_the_kept_connection_outlives_it(tmp_path: Path) -> None:
    record, _ = done(tmp_path, "  - cut: {duration_ms: 500}\n  - observe: 6", "A")
    ((begin, end),) = cut_events(record)
    assert end is not None
    measured_s = application.outage_s(application.tried(record.http, begin.t_ns, record.end_ns))
    shortest_s, longest_s = (end["before_ns"] - begin["after_ns"]) / 1e9, (end["after_ns"] - begin["before_ns"]) / 1e9
    assert measured_s is not None
    assert shortest_s - INTERVAL_S <= measured_s <= longest_s + INTERVAL_S
    kept = [request for request in record.http if request.connection == "kept"]
    assert {request.error for request in kept} <= {None, "unanswered"}
    assert max(request.total_ns for request in kept) / 1e9 >= shortest_s - INTERVAL_S


def test_a_dead_daemon_costs_no_ping_but_the_kept_connection(tmp_path: Path) -> None:
    _, view = done(tmp_path, f"  - kill: {{host: A}}\n{TAKEN}", "B")
    (fault,) = view.summary.faults
    assert fault.http is not None
    assert fault.http.kept is not None
    assert fault.detection_s is not None
    assert fault.outage_s == 0
    assert fault.http.answers.keys() == {"A", "B"}
    assert (fault.http.kept.fate, fault.http.kept.error) == ("broken", "reset")
    assert fault.http.kept.after_s is not None
    assert fault.http.kept.after_s > fault.detection_s


def test_after_a_power_cut_the_application_waits_longer_than_the_ping(tmp_path: Path) -> None:
    _, view = done(tmp_path, f"  - power_cut: {{host: A}}\n{TAKEN}", "B")
    (fault,) = view.summary.faults
    assert fault.http is not None
    assert fault.http.kept is not None
    assert fault.outage_s is not None
    assert fault.http_outage_s == pytest.approx(fault.outage_s, abs=2 * INTERVAL_S + 0.02)
    assert fault.http.kept.fate in ("broken", "hung")
    assert fault.http.kept.waited_s > fault.outage_s
