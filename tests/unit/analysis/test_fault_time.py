"""A fault's time is an interval, and what the packets say of it outranks the marker."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import synthetic as s
from support.judging import viewed
from viplab.analysis.fault_time import narrowed
from viplab.analysis.summary import Fault

OLD, NEW = s.FAMILIES
MARKER = 10 * s.S + 942 * s.MS


def on_a_busy_host(*, struck: int, answered: int, last: int, takes_over: int | None = None) -> s.Trial:
    """A link's failure ordered 0.942 s after A's advert at 10 s: when it struck, and when the order was answered."""
    trial = s.Trial("case-c", OLD, "B", priorities=(101, 101), tracked=("eth1",))
    trial.adverts("A", 0, last + 1)
    trial.frames["mgmt"].append((s.START_NS + MARKER, s.datagram(b"token-c")))
    trial.event(
        MARKER, "fault_injected", kind="link_down", host="A", marker="token-c", phase="steps",
        before_ns=s.START_NS + MARKER - s.MS, after_ns=s.START_NS + answered,
    )  # fmt: skip
    trial.log("A", struck, "Kernel is reporting: interface eth1 DOWN")
    first = takes_over or last + 3 * s.S + s.SKEW_NS[101] + s.LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (struck, None), (garp + s.SWITCH, "B")]
    trial.owning = [(0, ("A",)), (struck, ()), (garp, ("B",))]
    return trial


def test_an_advert_within_the_bracket_moves_the_fault_behind_it_and_nothing_fails(tmp_path: Path) -> None:
    """The link really went down 0.25 s after the marker, and A had sent one more advert: 4.4 s, and rightly so."""
    view = viewed(tmp_path, on_a_busy_host(struck=MARKER + 250 * s.MS, answered=MARKER + 350 * s.MS, last=11 * s.S))
    fault = view.faults[0].summary.fault
    assert (fault.dated_by, fault.earliest_ns) == ("advert", s.START_NS + 11 * s.S)
    assert fault.latest_ns == s.START_NS + MARKER + 350 * s.MS
    assert view.summary.x_s == 0
    assert view.summary.outage_s == pytest.approx(4.42, abs=0.03)
    assert view.summary.outage_window_s == pytest.approx((4.405, 4.425), abs=0.03)
    assert (view.summary.verdict, view.summary.reason[:12]) == ("pass", "B owns 192.1")


def test_a_daemon_that_takes_over_an_interval_late_fails_all_the_same(tmp_path: Path) -> None:
    late = 11 * s.S + 4 * s.S + s.SKEW_NS[101]
    trial = on_a_busy_host(struck=MARKER + 250 * s.MS, answered=MARKER + 350 * s.MS, last=11 * s.S, takes_over=late)
    view = viewed(tmp_path, trial)
    assert view.summary.verdict == "fail", view.summary.reason


def test_an_interval_too_wide_to_predict_from_is_undecided_and_says_its_width(tmp_path: Path) -> None:
    """Without a stream that says when the loss began, a bracket of 0.8 s leaves any outage between two possible."""
    trial = on_a_busy_host(struck=MARKER + 20 * s.MS, answered=MARKER + 800 * s.MS, last=10 * s.S)
    # Two losses: which of them the fault made is not known.
    trial.lost = {trial.sent_between(0, 30 * s.S)}
    view = viewed(tmp_path, trial)
    assert view.summary.verdict == "undecided"
    assert "link_down of A is dated to an interval of 0.800 s" in view.summary.reason


def fault(at_ns: int, width_ns: int, kind: str = "kill") -> Fault:
    return Fault(kind=kind, host="A", at_ns=at_ns, uncertainty_ns=width_ns, dated_by="marker")


TIMES = st.lists(st.integers(0, 2000), max_size=8)


@given(st.integers(0, 1000), st.integers(0, 1000), TIMES, TIMES)
def test_a_narrowed_interval_lies_within_the_one_it_comes_from(
    at_ns: int, width_ns: int, own: list[int], others: list[int]
) -> None:
    wide = fault(at_ns, width_ns)
    found = narrowed(wide, own, others)
    assert wide.earliest_ns <= found.earliest_ns <= found.latest_ns == wide.latest_ns
    assert found == wide or found.earliest_ns in own


def test_adverts_after_another_ones_are_no_sign_that_the_fault_had_not_struck() -> None:
    assert narrowed(fault(0, 100), [50, 80], [60]).earliest_ns == 50


@pytest.mark.parametrize("kind", ["shutdown", "bring_back"])
def test_what_does_not_silence_a_host_at_once_is_not_dated_by_its_adverts(kind: str) -> None:
    assert narrowed(fault(0, 100, kind), [50], []) == fault(0, 100, kind)
