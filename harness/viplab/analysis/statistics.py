"""Numbers over trials: quartiles, an interval for the median, and an exact test of two samples. Never a mean alone.

numpy and the standard library are enough: scipy would weigh 40 MB for a bootstrap and a rank test that fit on this
page. Random draws come from the raw output of a bit generator, which numpy promises never to change, so that the same
values give the same interval on any machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 9999
# With fewer values the jackknife, and so the acceleration, is not worth its name.
FEWEST = 5
# Up to so many values in both samples together the rank test is exact.
LARGEST_EXACT = 240
_SEED = 6414
_AT_ONCE = 2_000_000

Sample = NDArray[np.float64]
# Reduces along the last axis.
Statistic = Callable[[Sample], Sample]


class Spread(NamedTuple):
    """A sample described; the interval is BCa's for the median, None where there are too few values for one."""

    n: int
    median: float
    q1: float
    q3: float
    p95: float
    min: float
    max: float
    interval: tuple[float, float] | None


def spread(values: Sequence[float], *, interval: bool = True) -> Spread:
    """Describe a sample of at least one value; quantiles are interpolated between order statistics (type 7).

    The interval is left out where it is not asked for: over tens of thousands of values it takes long.
    """
    sample = np.sort(np.array(values, np.float64))
    q1, median, q3, p95 = (_rounded(value) for value in np.quantile(sample, [0.25, 0.5, 0.75, 0.95]))
    low, high = _rounded(sample[0]), _rounded(sample[-1])
    return Spread(len(sample), median, q1, q3, p95, low, high, bca([sample], _last_median) if interval else None)


def shift_interval(base: Sequence[float], new: Sequence[float]) -> tuple[float, float] | None:
    """BCa interval for how much higher the median of the new sample is."""
    samples = [np.sort(np.array(values, np.float64)) for values in (base, new)]
    return bca(samples, lambda first, second: _last_median(second) - _last_median(first))


def bca(samples: Sequence[Sample], statistic: Callable[..., Sample]) -> tuple[float, float] | None:
    """Bias-corrected and accelerated bootstrap interval (Efron 1987) of a statistic of independent samples.

    Args:
        samples: each resampled by itself.
        statistic: takes arrays whose last axis is the sample, one a sample, and reduces that axis.

    Returns:
        the interval at `LEVEL`, or None where a sample has fewer than `FEWEST` values.
    """
    if any(len(sample) < FEWEST for sample in samples):
        return None
    seen = float(statistic(*samples))
    replicates = np.sort(np.concatenate(list(_replicates(samples, statistic))))
    # Ties with what was seen count half: of a median, which takes few values, there are many.
    below = (np.count_nonzero(replicates < seen) + np.count_nonzero(replicates <= seen)) / 2
    normal = NormalDist()
    bias = normal.inv_cdf(min(max(below, 0.5), RESAMPLES - 0.5) / RESAMPLES)
    acceleration = _acceleration(samples, statistic)
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        z = bias + normal.inv_cdf(tail)
        share = normal.cdf(bias + z / (1 - acceleration * z))
        ends.append(_rounded(np.quantile(replicates, share)))
    return ends[0], ends[1]


def mann_whitney(base: Sequence[float], new: Sequence[float]) -> float:
    """Two-sided p of the Mann-Whitney test, from the permutation distribution of the rank sum given the ties.

    Exact up to `LARGEST_EXACT` values in all; beyond that the normal approximation with continuity and tie correction,
    which errs towards the larger p.
    """
    n, m = len(base), len(new)
    ranks = _doubled_midranks([*base, *new])
    observed, expected = int(ranks[:n].sum()), n * (n + m + 1)
    off = abs(observed - expected)
    if n + m > LARGEST_EXACT:
        variance = n * m / (n + m) / (n + m - 1) * float(((ranks - (n + m + 1)) ** 2).sum())
        z = max(0.0, off - 2) / math.sqrt(variance) if variance else 0.0
        return min(1.0, 2 * (1 - NormalDist().cdf(z)))
    sums = _rank_sums(ranks, n)
    distances = np.abs(np.arange(len(sums)) - expected)
    return min(1.0, float(sums[distances >= off].sum() / sums.sum()))


def smallest_p(n: int, m: int) -> float:
    """The smallest p that the exact test can give with samples of these sizes: all of one below all of the other."""
    return 2 / math.comb(n + m, n)


def fewest_for(alpha: float) -> int:
    """Values that each of two samples needs before the test can reach this level at all."""
    return next(n for n in range(1, 1000) if smallest_p(n, n) < alpha)


def _last_median(sample: Sample) -> Sample:
    return np.asarray(np.median(sample, axis=-1))


def _replicates(samples: Sequence[Sample], statistic: Callable[..., Sample]) -> list[Sample]:
    generators = [np.random.PCG64(_SEED + number) for number in range(len(samples))]
    step = max(1, _AT_ONCE // max(len(sample) for sample in samples))
    found = []
    for begin in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - begin)
        drawn = (_draw(gen, sample, rows) for gen, sample in zip(generators, samples, strict=True))
        found.append(statistic(*drawn))
    return found


def _draw(generator: np.random.PCG64, sample: Sample, rows: int) -> Sample:
    raw = generator.random_raw(rows * len(sample)) >> np.uint64(32)
    index = (raw * np.uint64(len(sample))) >> np.uint64(32)
    return sample[index.astype(np.int64)].reshape(rows, len(sample))


def _acceleration(samples: Sequence[Sample], statistic: Callable[..., Sample]) -> float:
    """Skewness of the jackknife; 0 where leaving out a value changes nothing."""
    cubes = squares = 0.0
    for number, sample in enumerate(samples):
        left = np.array(
            [
                float(statistic(*samples[:number], np.delete(sample, at), *samples[number + 1 :]))
                for at in range(len(sample))
            ]
        )
        # Influence values of samples of different sizes are on one scale only after this.
        off = (left.mean() - left) * (len(sample) - 1) / len(sample)
        cubes += float((off**3).sum())
        squares += float((off**2).sum())
    scale = 6 * squares**1.5
    return cubes / scale if scale else 0.0


def _doubled_midranks(values: Sequence[float]) -> NDArray[np.int64]:
    """Twice the rank of each value, the mean rank where some are equal: whole numbers."""
    _, inverse, counts = np.unique(np.array(values, np.float64), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    doubled: NDArray[np.int64] = (2 * ends - counts + 1)[inverse.reshape(-1)]
    return doubled


def _rank_sums(ranks: NDArray[np.int64], n: int) -> Sample:
    """How many ways there are to choose n of these ranks, by their sum; in floating point, relative to 1e-14."""
    most = int(np.sort(ranks)[-n:].sum())
    ways = np.zeros((n + 1, most + 1))
    ways[0, 0] = 1
    for rank in ranks.tolist():
        if rank <= most:
            ways[1:, rank:] += ways[:-1, : most + 1 - rank].copy()
    chosen: Sample = ways[n]
    return chosen


def _rounded(value: float) -> float:
    """To the nanosecond, which is what was measured."""
    return round(float(value), 9)
