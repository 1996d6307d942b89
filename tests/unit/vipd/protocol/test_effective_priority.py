"""The effective priority of a router, and its needs, from what it tracks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.routers import config
from vipd.config.model import RouterConfig, Track
from vipd.protocol.effective_priority import evaluate


def tracking(*tracks: Track, priority: int = 100) -> RouterConfig:
    return config(priority=priority, tracks=tracks)


@pytest.mark.parametrize(
    ("weight", "reverse", "good", "priority"),
    [(10, False, 1, 110), (10, False, 0, 100), (-10, False, 1, 100), (-10, False, 0, 90),
     (10, True, 1, 90), (10, True, 0, 100), (-10, True, 1, 100), (-10, True, 0, 110)],
)  # fmt: skip
def test_weights_move_the_priority(weight: int, reverse: bool, good: int, priority: int) -> None:
    found = evaluate(tracking(Track("script", "s", weight, reverse)), {("script", "s"): good})
    assert (found.priority, found.needs) == (priority, {})


@given(st.lists(st.integers(-253, 253).filter(bool), max_size=8), st.integers(1, 254))
def test_the_effective_priority_is_from_1_to_254(weights: list[int], priority: int) -> None:
    tracks = [Track("process", str(number), weight) for number, weight in enumerate(weights)]
    assert 1 <= evaluate(tracking(*tracks, priority=priority), {}).priority <= 254


def test_the_priority_of_an_owner_is_255_whatever_is_tracked() -> None:
    assert evaluate(tracking(Track("script", "s", -9), priority=255), {("script", "s"): 0}).priority == 255


def test_without_weight_a_thing_has_to_be_good_or_with_reverse_bad() -> None:
    tracks = tracking(Track("script", "a"), Track("process", "b", 0, True))
    assert evaluate(tracks, {("script", "a"): 0, ("process", "b"): 0}).needs == {"script a": False, "process b": True}
    assert evaluate(tracks, {}).needs == {"script a": True, "process b": False}


def test_a_file_counts_by_what_is_written_in_it() -> None:
    assert evaluate(tracking(Track("file", "f", 3)), {("file", "f"): 7}).priority == 121
    found = evaluate(tracking(Track("file", "f", 3)), {("file", "f"): -100})
    assert (found.priority, found.needs) == (None, {"file f": False}), "less than -253 is a fault"
    assert evaluate(tracking(Track("file", "f", 0)), {("file", "f"): 1}).needs == {"file f": False}
