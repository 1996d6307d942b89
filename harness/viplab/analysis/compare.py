"""Old against new, or subject against subject: one row a metric, and one verdict, that of the deadline excess.

People read outages; versions are told apart by `deadline_excess_s`, for it alone does not contain where in the advert
interval the fault struck (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from statistics import median
from typing import Literal

from pydantic import Field

from viplab.analysis.baseline import Points, Series
from viplab.analysis.conditions import ALLOWED, Difference, Sort, banner, differences
from viplab.analysis.statistics import fewest_for, mann_whitney, shift_interval, smallest_p
from viplab.errors import ExitStatus, IncomparableError, InputError
from viplab.metrics import SECOND, Shown, named
from viplab.types import Frozen

ALPHA = 0.01
LEAST_SHARE = 0.05
LEAST_S = 0.020
SAID = 4
"""Differences that a refusal names; a comparison names them all."""
_STATUS = {"-": ExitStatus.WORSE, "?": ExitStatus.UNDECIDED, "=": ExitStatus.OK, "+": ExitStatus.OK}
VERDICTS = {ExitStatus.OK: "the same or better", ExitStatus.UNDECIDED: "undecided", ExitStatus.WORSE: "worse"}

Mark = Literal["+", "-", "=", "?"]


class Row(Frozen):
    """One metric: `+` better, `-` worse, `=` the same, `?` undecided for the reason given."""

    scenario: str
    subject: str
    metric: str
    mark: Mark
    gates: bool = Field(description="Whether the verdict depends on it.")
    base_n: int
    new_n: int
    base_median_s: float | None
    new_median_s: float | None
    shift_s: float | None
    interval_s: tuple[float, float] | None = Field(description="BCa at 95 % for the shift of the median.")
    p: float | None
    threshold_s: float | None = Field(description="A shift has to be larger than this to count.")
    why: str


class Comparison(Frozen):
    """All rows, and one of `VERDICTS`."""

    base: str
    new: str
    rows: list[Row]
    differences: list[Difference] = Field(description="What the two were made under that is not the same.")
    left_out: list[str] = Field(description="Scenarios and subjects that only one side has.")
    noise_floor_s: float = Field(description="The larger one of both sides; 0 where neither has a calibration.")
    exit_status: ExitStatus


def compare(
    base: Points, new: Points, subjects: tuple[str, str] | None = None, across: Collection[str] = ()
) -> Comparison:
    """Compare metric by metric what both sides have.

    Args:
        base: the values that the others are held against.
        new: those others.
        subjects: compare this subject of `base` with that one of `new`, instead of each with itself.
        across: words of `ALLOWED`: what may differ, and is then reported.

    Raises:
        InputError: there is no such subject, or no such word.
        IncomparableError: they cannot be compared; the message says why.
    """
    if subjects is not None:
        base, new = base.of(subjects[0]), new.of(subjects[1])
    found = differences(base, new)
    _refuse(f"{base.run} and {new.run}", found, across)
    bases, news = (_grouped(side, by_subject=subjects is None) for side in (base, new))
    common = [group for group in bases if group in news]
    if not common:
        raise IncomparableError(
            f"{base.run} and {new.run} have no scenario and subject in common; nothing can be compared"
        )
    floor_s = max(base.noise_floor_s or 0.0, new.noise_floor_s or 0.0)
    label = " -> ".join(subjects) if subjects else None
    rows = [
        _heeding_misses(_row(group[0], label or "/".join(group[1:]), metric, pair, floor_s), bases[group], news[group])
        for group in common
        for metric, pair in _pairs(bases[group], news[group])
    ]
    return Comparison(
        base=f"{subjects[0]} of {base.run}" if subjects else base.run,
        new=f"{subjects[1]} of {new.run}" if subjects else new.run,
        rows=rows,
        differences=found,
        left_out=[" ".join(filter(None, group)) for group in sorted(bases.keys() ^ news.keys())],
        noise_floor_s=floor_s,
        exit_status=_status(rows),
    )


def lines(comparison: Comparison) -> list[str]:
    """The comparison as lines to print: what differs, then a row a metric; a star marks what the verdict depends on."""
    head = ("", "scenario", "subject", "metric", "base ms", "new ms", "shift ms", "95 % interval", "p", "n")
    table = [head, *(_cells(row) for row in comparison.rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in table]
    undecided: dict[str, list[str]] = {}
    for row in comparison.rows:
        if row.mark == "?" and row.gates:
            undecided.setdefault(row.why, []).append(f"{row.scenario} {row.metric}")
    reasons = [f"? {', '.join(names)}: {why}" for why, names in undecided.items()]
    left_out = [f"not compared, on one side only: {', '.join(comparison.left_out)}"] if comparison.left_out else []
    floor = f"{comparison.noise_floor_s * 1e3:.2f} ms" if comparison.noise_floor_s else "not measured"
    bounds = f"{LEAST_SHARE:.0%}, {LEAST_S * 1e3:.0f} ms and the noise floor ({floor})"
    rule = f"* decides; a shift counts where p < {ALPHA} and it is more than {bounds}"
    verdict = VERDICTS[comparison.exit_status]
    above = banner(comparison.differences)
    return [*above, *text, *reasons, *left_out, rule, f"{comparison.new} against {comparison.base}: {verdict}"]


def _refuse(what: str, found: list[Difference], across: Collection[str]) -> None:
    """Sets that were not measured alike: the difference would be that of the conditions, not the subjects'."""
    unknown = [word for word in across if word not in ALLOWED]
    if unknown:
        raise InputError(f"--across {','.join(unknown)}: there is no such word; there is {', '.join(ALLOWED)}")
    spoilt = [difference for difference in found if difference.sort is Sort.SPOILS]
    if spoilt:
        raise IncomparableError(f"{what} cannot be compared: {'; '.join(map(str, spoilt))}")
    needed = [word for word in ALLOWED if any(difference.sort.value == word for difference in found)]
    asking = [difference for difference in found if difference.sort.value in set(needed) - set(across)]
    if asking:
        named = "; ".join(map(str, asking[:SAID])) + (f"; and {len(asking) - SAID} more" if len(asking) > SAID else "")
        how = f"--across {','.join(needed)} compares them all the same"
        raise IncomparableError(f"{what} were not made alike ({named}); {how}")


Group = tuple[str, str, str]


def _grouped(side: Points, *, by_subject: bool) -> dict[Group, dict[str, Series]]:
    """Its series by scenario and subject, then by metric."""
    groups: dict[Group, dict[str, Series]] = {}
    for series in side.series:
        group = (series.scenario, series.subject, series.profile) if by_subject else (series.scenario, "", "")
        groups.setdefault(group, {})[series.metric] = series
    return groups


def _pairs(base: dict[str, Series], new: dict[str, Series]) -> Iterator[tuple[str, tuple[list[float], list[float]]]]:
    for metric in dict.fromkeys([*base, *new]):
        if Shown.COMPARISON in named(metric).shown:
            sides = (base.get(metric), new.get(metric))
            before, after = (series.values if series else [] for series in sides)
            yield metric, (before, after)


def _row(scenario: str, subject: str, metric: str, pair: tuple[list[float], list[float]], floor_s: float) -> Row:
    base, new = pair
    both = bool(base and new)
    base_s, new_s = (round(median(side), 9) if side else None for side in pair)
    shift_s = round(new_s - base_s, 9) if base_s is not None and new_s is not None else None
    threshold_s = None if base_s is None else max(LEAST_SHARE * abs(base_s), LEAST_S, floor_s)
    p = mann_whitney(base, new) if both else None
    mark, why = _judged(len(base), len(new), shift_s, threshold_s, p)
    return Row(
        scenario=scenario,
        subject=subject,
        metric=metric,
        mark=mark,
        gates=Shown.GATE in named(metric).shown,
        base_n=len(base),
        new_n=len(new),
        base_median_s=base_s,
        new_median_s=new_s,
        shift_s=shift_s,
        interval_s=shift_interval(base, new) if both else None,
        p=p,
        threshold_s=threshold_s,
        why=why,
    )


def _heeding_misses(row: Row, base: dict[str, Series], new: dict[str, Series]) -> Row:
    """The gate's row, undecided where more takeovers than in the base never came: what is not there has no rank."""
    if not row.gates or row.mark not in ("=", "+"):
        return row
    # A fault that struck a master has its place in the advert interval, whether or not somebody took over.
    due = (SECOND if row.metric.startswith(SECOND) else "") + "x_s"
    missed = [
        max(0, len(side[due].values) - n) if due in side else 0 for side, n in ((base, row.base_n), (new, row.new_n))
    ]
    if missed[1] <= missed[0]:
        return row
    why = f"in {missed[1]} of {missed[1] + row.new_n} trials nobody took over, in the base in {missed[0]}"
    return row.model_copy(update={"mark": "?", "why": why})


def _judged(
    base_n: int, new_n: int, shift_s: float | None, threshold_s: float | None, p: float | None
) -> tuple[Mark, str]:
    if shift_s is None or threshold_s is None or p is None:
        return "?", "measured on one side only"
    if smallest_p(base_n, new_n) >= ALPHA:
        return "?", f"too few values: the test cannot reach p < {ALPHA:g} below {fewest_for(ALPHA)} a side"
    if abs(shift_s) <= threshold_s:
        return "=", f"the medians are no more than {threshold_s * 1e3:.1f} ms apart"
    if p >= ALPHA:
        return "?", f"the medians are {abs(shift_s) * 1e3:.1f} ms apart, but p is {p:.3f}; more trials would tell"
    return ("-" if shift_s > 0 else "+"), f"the median moved by {shift_s * 1e3:+.1f} ms"


def _status(rows: list[Row]) -> ExitStatus:
    statuses = [_STATUS[row.mark] for row in rows if row.gates]
    return max(statuses, default=ExitStatus.UNDECIDED)


def _cells(row: Row) -> tuple[str, ...]:
    low_high = "-" if row.interval_s is None else f"{row.interval_s[0] * 1e3:+.2f} to {row.interval_s[1] * 1e3:+.2f}"
    return (
        row.mark,
        row.scenario,
        row.subject,
        row.metric + ("*" if row.gates else ""),
        *("-" if value is None else f"{value * 1e3:.2f}" for value in (row.base_median_s, row.new_median_s)),
        "-" if row.shift_s is None else f"{row.shift_s * 1e3:+.2f}",
        low_high,
        "-" if row.p is None else f"{row.p:.2g}",
        f"{row.base_n}/{row.new_n}",
    )
