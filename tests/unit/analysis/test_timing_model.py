"""Deadlines of each protocol, and what is added where a master returns."""

from __future__ import annotations

import pytest

from support import synthetic as s
from viplab.analysis.timing_model import delayed_ns, down_interval_ns, released_ns, skew_ns, window_ns
from viplab.faults import Effect
from viplab.subjects.family import Terms
from viplab.subjects.registry import find_family
from viplab.types import NodeTimers

OLD = s.FAMILIES[0]


def test_deadlines_are_those_of_the_rfc() -> None:
    node = NodeTimers(state="BACKUP", priority=101, advert_int_s=1)
    assert skew_ns(node) == 605_468_750
    assert down_interval_ns(node) == 3_605_468_750
    terms = Terms(downs=1, adverts=1, less_x=True)
    assert window_ns(terms, node, (400_000_000, 500_000_000)) == (4_105_468_750, 4_205_468_750)
    assert window_ns(terms, node, None) == (3_605_468_750, 4_605_468_750)


def test_version_3_scales_the_skew_and_carp_adds_it() -> None:
    node = NodeTimers(state="BACKUP", priority=101, advert_int_s=0.01, advskew=100)
    assert skew_ns(node, "vrrp3") == 155 * 10_000_000 // 256 == 6_054_687
    assert down_interval_ns(node, "vrrp3") == 30_000_000 + 6_054_687
    assert down_interval_ns(node, "carp") == 30_000_000 + 390_625_000
    # After priority 0 the skew time alone; a CARP master that stops is taken for dead at once.
    assert [released_ns(node, protocol) for protocol in ("vrrp2", "vrrp3", "carp")] == [605_468_750, 6_054_687, 0]


@pytest.mark.parametrize(("delay_s", "low", "high"), [(0, 3.5, 4.5), (10, 12.5, 15.5)])
def test_a_delay_of_preemption_begins_and_ends_with_adverts(delay_s: float, low: float, high: float) -> None:
    node = NodeTimers(state="BACKUP", priority=101, advert_int_s=1, preempt_delay_s=delay_s)
    expected = tuple(round(seconds * 1e9) for seconds in (low, high))
    assert delayed_ns((3_500_000_000, 4_500_000_000), node) == expected


@pytest.mark.parametrize(("state", "adverts"), [("MASTER", 1), ("BACKUP", 2)])
def test_with_1_2_2_a_backup_that_returns_leaves_the_address_alone_for_an_interval_more(
    state: str, adverts: int
) -> None:
    timing = find_family(OLD, "vipd").timing
    assert timing is not None
    assert timing.missed(Effect.RETURNS, state) == Terms(adverts=adverts)
