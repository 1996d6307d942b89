"""Hosts that run different daemons, and one that speaks another protocol, for real."""

from __future__ import annotations

import pytest

from support.scenarios import InNamespaces, needs, passed, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.subjects.keepalived import Keepalived
from viplab.subjects.registry import assignment
from viplab.subjects.ucarp import Ucarp


@needs(Keepalived)
@pytest.mark.parametrize(
    ("pair", "zeros"), [("A=keepalived,B=vipd", True), ("A=vipd,B=keepalived", False)], ids=["to-vipd", "to-keepalived"]
)
def test_a_mixed_pair_is_judged_by_who_leaves_and_who_takes_over(
    in_namespaces: InNamespaces, pair: str, *, zeros: bool
) -> None:
    text = scenario("stop: {host: A}", "wait: {master: B}", "observe: 1.5", owner="B")
    record = read_trial(in_namespaces.run(text, assignment(pair)))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert bool(view.summary.priority_zero) == zeros, "vipd's first profile leaves as keepalived 1.2.2 does"


@needs(Ucarp)
def test_a_pair_that_speaks_carp_is_followed_by_its_own_adverts(in_namespaces: InNamespaces) -> None:
    text = scenario("stop: {host: A}", "wait: {master: B}", "observe: 1.5", owner="B")
    record = read_trial(in_namespaces.run(text, Ucarp()))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert {row.protocol for row in view.frames} >= {"CARP", "ARP"}
