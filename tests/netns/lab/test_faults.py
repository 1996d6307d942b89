"""Faults for real in namespaces: done when they should be, healed when they should be, and nothing of them left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.scenarios import InNamespaces, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.faults import FaultKind
from viplab.lab.command import run
from viplab.lab.lab import Lab


def test_a_fault_of_another_package_ends_when_its_time_is_over_or_else_with_the_steps(
    freeze: FaultKind, in_namespaces: InNamespaces
) -> None:
    steps = ("freeze: {host: A, duration_ms: 300}", "observe: 0.5", "freeze: {host: B}", "observe: 0.5")
    record = read_trial(in_namespaces.run(scenario(*steps)))
    assert record.all("error") == []
    (first, thawed, _), (second, last, _) = record.injected
    assert (first["host"], second["host"]) == ("A", "B")
    assert thawed is not None and last is not None
    assert thawed["before_ns"] - first["after_ns"] >= 300_000_000
    observed = [event.t_ns for event in record.all("step_finished")][-1]
    assert last["before_ns"] > observed
    assert [fault.dated_by for fault in record.faults] == ["marker", "marker"]
    view = view_trial(record)
    assert [fault.summary.outage_window_s for fault in view.faults] == [None, None]


def test_a_fault_is_healed_where_the_steps_break_off(freeze: FaultKind, in_namespaces: InNamespaces) -> None:
    record = read_trial(in_namespaces.run(scenario("freeze: {host: B}", "wait: {master: B, within: 1}")))
    assert len(record.all("error")) == 1
    ((_, healed, _),) = record.injected
    assert healed is not None


def test_a_cut_counts_what_it_drops_and_leaves_no_rule(in_namespaces: InNamespaces, tmp_path: Path) -> None:
    left = tmp_path / "left"

    def listen(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "fault_healed":
            left.write_text(run(["nft", "list", "tables"]))

    record = read_trial(in_namespaces.run(scenario("cut: {duration_ms: 1000}", "observe: 0.3"), listen=listen))
    ((_, healed),) = record.client_cuts
    assert healed is not None
    # Requests of the probe, or nothing but ARP once a second where the client looks for its neighbour just then.
    assert healed["frames"] >= 1
    assert left.read_text() == ""
