"""When addresses are announced: garp_master_*, garp_lower_prio_*, garp_interval and gna_interval."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.routers import config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import VirtualAddress
from vipd.protocol.garp_schedule import GarpSchedule

FOUR = tuple(VirtualAddress(f"192.0.2.{number}", 24, "eth0") for number in (50, 51))
SIX = (VirtualAddress("2001:db8::50", 64, "eth0"),)
MS = 1_000_000


def made(profile: str = "keepalived-2", **changes: object) -> GarpSchedule:
    return GarpSchedule(config(**{"addresses": FOUR, **changes}), PRESETS[profile])


def told(bursts: GarpSchedule, until: int) -> list[tuple[int, int, int]]:
    """(when, how many addresses, how often) of all that is announced by then, a burst at 0 included."""
    said = [(0, len(one.addresses), one.repeat) for one in bursts.begin(0)]
    while bursts.due_ns is not None and bursts.due_ns <= until:
        now = bursts.due_ns
        said += [(now, len(one.addresses), one.repeat) for one in bursts.handle(now)]
    return said


def test_a_burst_at_once_and_another_after_the_delay() -> None:
    assert told(made(), 100 * SECOND_NS) == [(0, 2, 5), (5 * SECOND_NS, 2, 5)]
    assert told(made("rfc9568"), 100 * SECOND_NS) == [(0, 2, 1)]


def test_excluded_addresses_are_announced_too() -> None:
    assert told(made("rfc9568", excluded=SIX), SECOND_NS) == [(0, 3, 1)]


def test_a_refresh_comes_again_and_again_until_the_addresses_are_given_up() -> None:
    bursts = made("rfc9568", garp_refresh_ns=10 * SECOND_NS, garp_refresh_repeat=2)
    assert told(bursts, 35 * SECOND_NS) == [(0, 2, 1), *((second * SECOND_NS, 2, 2) for second in (10, 20, 30))]
    bursts.stop()
    assert bursts.due_ns is None
    assert bursts.handle(100 * SECOND_NS) == []


def test_a_refresh_that_a_pause_has_missed_is_not_made_up_for() -> None:
    bursts = made("rfc9568", garp_refresh_ns=SECOND_NS)
    bursts.begin(0)
    assert len(bursts.handle(1000 * SECOND_NS)) == 1
    assert bursts.due_ns == 1001 * SECOND_NS


def test_a_lower_priority_is_answered_with_its_own_repeat_and_delay() -> None:
    bursts = made(garp_lower_prio_repeat=3, garp_lower_prio_delay_ns=SECOND_NS)
    assert [one.repeat for one in bursts.answer(0)] == [3]
    assert bursts.due_ns == SECOND_NS
    assert made(garp_lower_prio_repeat=0).answer(0) == []
    assert [one.repeat for one in made(garp_repeat=1).answer(0)] == [5], "garp_master_repeat is for takeovers"


def test_an_interval_spaces_each_announcement_of_its_family() -> None:
    bursts = made("rfc9568", garp_repeat=2, garp_interval_ns=100 * MS, excluded=SIX)
    assert told(bursts, SECOND_NS) == [(0, 1, 2), (0, 1, 1), *((100 * MS * step, 1, 1) for step in (1, 2, 3))]


@given(
    repeat=st.integers(0, 5),
    delay=st.integers(0, 3),
    refresh=st.integers(0, 3),
    interval=st.integers(0, 3),
    happened=st.lists(st.sampled_from(["begin", "answer", "stop", "handle"]), max_size=30),
)
def test_whatever_happens_there_is_an_end_to_what_waits(
    repeat: int, delay: int, refresh: int, interval: int, happened: list[str]
) -> None:
    bursts = made(
        garp_repeat=repeat,
        garp_delay_ns=delay * SECOND_NS,
        garp_refresh_ns=refresh * SECOND_NS,
        garp_interval_ns=interval * 100 * MS,
    )
    now = 0
    for what in happened:
        if what == "stop":
            bursts.stop()
        else:
            if what == "handle" and bursts.due_ns is not None:
                now = max(now, bursts.due_ns)
            getattr(bursts, what)(now)
        assert len(bursts._waiting) <= 5 * len(FOUR)
        assert bursts.due_ns is None or bursts.due_ns >= now
