"""The HTTP probe for real in namespaces: against a cut of known length, and where the VIP moves."""

from __future__ import annotations

import pytest

from support.scenarios import InNamespaces, by_load, scenario
from viplab.analysis import application
from viplab.analysis.reading import read_trial
from viplab.analysis.record import Record
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.subjects.vipd import Vipd

INTERVAL_S = 0.02
TRIES = 3
TAKEN = ("wait: {master: B}", "observe: 6")


def done(
    in_namespaces: InNamespaces, *steps: str, owner: str = "B", profile: str = "keepalived-2"
) -> tuple[Record, TrialView]:
    """A trial of which one can say how long something took; a machine too busy for that is asked again."""
    text = scenario("observe: 1", *steps, owner=owner, more="http: {rate: 50}")
    for _ in range(TRIES):
        record = read_trial(in_namespaces.run(text, Vipd(profile)))
        assert (record.issues, record.all("error")) == ([], [])
        view = view_trial(record)
        if view.summary.verdict != "undecided" or not by_load(view.summary.reason):
            return record, view
    pytest.skip(f"{TRIES} trials were undecided: {view.summary.reason}")


def resolution_s(record: Record) -> float:
    """How far apart requests are: the interval, and what the machine was late with the worst."""
    return INTERVAL_S + max((r.sent_ns - r.due_ns for r in record.http if r.connection == "new"), default=0) / 1e9


def test_a_cut_is_found_within_one_interval_and_the_kept_connection_outlives_it(in_namespaces: InNamespaces) -> None:
    record, _ = done(in_namespaces, "cut: {duration_ms: 500}", "observe: 6", owner="A")
    ((begin, end),) = record.client_cuts
    assert end is not None
    measured_s = application.outage_s(application.tried(record.http, begin.t_ns, record.end_ns))
    shortest_s, longest_s = (end["before_ns"] - begin["after_ns"]) / 1e9, (end["after_ns"] - begin["before_ns"]) / 1e9
    assert measured_s is not None
    assert shortest_s - resolution_s(record) <= measured_s <= longest_s + resolution_s(record)
    kept = [request for request in record.http if request.connection == "kept"]
    assert {request.error for request in kept} <= {None, "unanswered"}
    assert max(request.total_ns for request in kept) / 1e9 >= shortest_s - resolution_s(record)


def test_a_dead_daemon_costs_no_ping_but_the_kept_connection(in_namespaces: InNamespaces) -> None:
    _, view = done(in_namespaces, "kill: {host: A}", *TAKEN)
    (fault,) = view.summary.faults
    assert fault.http is not None
    assert fault.http.kept is not None
    assert fault.detection_s is not None
    assert fault.outage_s == 0
    assert fault.http.answers.keys() == {"A", "B"}
    assert (fault.http.kept.fate, fault.http.kept.error) == ("broken", "reset")
    assert fault.http.kept.after_s is not None
    assert fault.http.kept.after_s > fault.detection_s


def test_after_a_power_cut_the_application_waits_longer_than_the_ping(in_namespaces: InNamespaces) -> None:
    # The end of an outage is seen after five seconds of answers; a busy machine's probe may begin them seconds late.
    record, view = done(in_namespaces, "power_cut: {host: A}", "wait: {master: B}", "observe: 12")
    (fault,) = view.summary.faults
    assert fault.http is not None
    assert fault.http.kept is not None
    assert fault.outage_s is not None
    assert fault.http_outage_s == pytest.approx(fault.outage_s, abs=2 * resolution_s(record) + 0.02)
    assert fault.http.kept.fate in ("broken", "hung")
    assert fault.http.kept.waited_s > fault.outage_s - resolution_s(record)
