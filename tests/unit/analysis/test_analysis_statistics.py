"""Quartiles, the bootstrap interval and the rank test, against what is known of them."""

from __future__ import annotations

import math
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.analysis import statistics
from viplab.analysis.statistics import fewest_for, mann_whitney, shift_interval, smallest_p, spread

SMALL = st.lists(st.integers(0, 6), min_size=1, max_size=6)


def by_enumeration(base: list[int], new: list[int]) -> float:
    """All ways to deal the values out, counted one by one."""
    pooled = base + new
    rank = [sum(b < a for b in pooled) + (sum(b == a for b in pooled) + 1) / 2 for a in pooled]
    middle = len(base) * (len(pooled) + 1) / 2
    seen = abs(sum(rank[: len(base)]) - middle)
    deals = list(combinations(rank, len(base)))
    return sum(abs(sum(deal) - middle) >= seen - 1e-9 for deal in deals) / len(deals)


@given(base=SMALL, new=SMALL)
def test_the_rank_test_is_exact_with_and_without_ties(base: list[int], new: list[int]) -> None:
    assert mann_whitney(base, new) == pytest.approx(by_enumeration(base, new), rel=1e-9)


@given(base=SMALL, new=SMALL)
def test_the_rank_test_knows_no_order_of_its_samples(base: list[int], new: list[int]) -> None:
    assert mann_whitney(base, new) == pytest.approx(mann_whitney(new, base))


def test_fewer_than_five_values_a_side_cannot_reach_one_percent() -> None:
    assert smallest_p(10, 10) == 2 / math.comb(20, 10) == pytest.approx(mann_whitney(range(10), range(10, 20)))
    assert fewest_for(0.01) == 5
    assert mann_whitney(range(4), range(4, 8)) > 0.01 > mann_whitney(range(5), range(5, 10))


def test_beyond_the_exact_test_the_approximation_is_near_and_errs_to_the_safe_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = Random(1)
    base, new = [random.gauss(0, 1) for _ in range(60)], [random.gauss(0.4, 1) for _ in range(60)]
    exact = mann_whitney(base, new)
    monkeypatch.setattr(statistics, "LARGEST_EXACT", 10)
    assert exact < mann_whitney(base, new) < 1.2 * exact


def test_a_sample_is_described_with_its_n() -> None:
    seen = spread([4.0, 1.0, 3.0, 2.0, 5.0])
    assert (seen.n, seen.median, seen.q1, seen.q3, seen.min, seen.max) == (5, 3.0, 2.0, 4.0, 1.0, 5.0)
    assert seen.p95 == 4.8


def test_too_few_values_have_no_interval_and_equal_ones_a_narrow_one() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0]).interval is None
    assert spread([2.5] * 9).interval == (2.5, 2.5)
    assert shift_interval([1.0] * 5, [1.0] * 4) is None


@given(st.lists(st.floats(0, 10), min_size=5, max_size=30))
def test_the_interval_is_the_same_each_time_and_holds_within_the_sample(values: list[float]) -> None:
    first = spread(values).interval
    assert first == spread(list(reversed(values))).interval
    assert first is not None
    assert min(values) - 1e-9 <= first[0] <= first[1] <= max(values) + 1e-9


def test_the_interval_holds_the_true_median_about_as_often_as_it_says() -> None:
    random = Random(7)
    hits = 0
    for _ in range(200):
        interval = spread([random.expovariate(1) for _ in range(20)]).interval
        assert interval is not None
        hits += interval[0] <= math.log(2) <= interval[1]
    assert 0.88 < hits / 200 <= 1.0


def test_the_interval_of_a_shift_holds_the_shift() -> None:
    random = Random(3)
    base = [random.gauss(0, 0.01) for _ in range(30)]
    interval = shift_interval(base, [value + 0.05 for value in base])
    assert interval is not None
    assert interval[0] < 0.05 < interval[1]
