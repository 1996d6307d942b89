"""An outage as arithmetic: the outage against where in the advert interval the fault struck, with the model's line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from viplab.analysis.presentation import Seen
from viplab.analysis.timing_model import advert_ns, down_interval_ns, released_ns, window_ns
from viplab.analysis.views import TrialView
from viplab.report import outline, units
from viplab.report.svg import LIGHT, SUBJECT_ROLES, Drawing, bare, canvas, drawing_rules, inline, plain_numbers
from viplab.report.text import visible
from viplab.subjects.family import Terms
from viplab.types import NodeTimers, Protocol

_PLOT, _TOP, _BOTTOM = 250.0, 14.0, 50.0
_LEFT, _RIGHT = 0.09, 0.72
MOST = 200
"""Trials of a subject that are drawn; of more, evenly chosen ones."""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """What the timers give over one advert interval, and the formula."""

    interval_s: float
    ends_s: tuple[float, float]
    words: str


def draw(
    groups: Sequence[tuple[str, outline.Group]], key: str, caption: str, seen: Seen | None = None
) -> Drawing | None:
    """The plot over all trials, a colour a subject; None where no outage with its x was measured."""
    found = [(place, name, group, _points(group.trials)) for place, (name, group) in enumerate(groups)]
    found = [item for item in found if item[3]]
    if not found:
        return None
    lines = [_line((group.shown, *group.trials)) for _, _, group, _ in found]
    drawn = [line for line in lines if line]
    measured = [point for *_, points in found for point in points]
    top = max([outage_s for _, outage_s in measured] + [end_s for line in drawn for end_s in line.ends_s] + [1.0])
    height = _TOP + _PLOT + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        axes = figure.add_axes((_LEFT, _BOTTOM / height, _RIGHT - _LEFT, _PLOT / height))
        bare(axes, "y")
        axes.spines["bottom"].set_visible(True)
        axes.set_xlim(0, max([x_s for x_s, _ in measured] + [line.interval_s for line in drawn]))
        axes.set_ylim(0, _ceiling(top))
        axes.yaxis.set_major_locator(MultipleLocator(1))
        plain_numbers(axes.xaxis)
        plain_numbers(axes.yaxis)
        axes.set_xlabel("x: seconds from A’s last advert to the fault")
        axes.set_ylabel("client without an answer, s", labelpad=8)
        _pings(axes, _ceiling(top))
        if seen and seen.range_s[1] <= _ceiling(top):
            _seen(axes, seen)
        for (place, name, _, points), line in zip(found, lines, strict=True):
            _subject(axes, place, name, points, line)
        return Drawing(inline(figure, key, _describe([(name, points) for _, name, _, points in found])), caption)


def _ceiling(top: float) -> int:
    """Room above the highest line for its name."""
    return math.ceil(top + 0.3)


def _points(trials: Sequence[TrialView]) -> Points:
    points = [
        (trial.summary.x_s, trial.summary.outage_s)
        for trial in trials
        if trial.summary.x_s is not None and trial.summary.outage_s is not None
    ]
    return points[:: max(1, math.ceil(len(points) / MOST))]


def _line(trials: Iterable[TrialView]) -> Line | None:
    """The line of the first trial of which the timing model says something; None where there is none."""
    for trial in trials:
        fault, protocol = trial.faults[0] if trial.faults else None, trial.info.protocol
        if fault and fault.outage and fault.timers:
            interval_ns = advert_ns(fault.timers)
            first_s, last_s = (
                window_ns(fault.outage, fault.timers, (x, x), protocol)[1] / 1e9 for x in (0, interval_ns)
            )
            return Line(interval_ns / 1e9, (first_s, last_s), _words(fault.outage, fault.timers, protocol))
    return None


def _words(outage: Terms, timers: NodeTimers, protocol: Protocol) -> str:
    """The formula with its numbers, such as `3.605 + 1 − x`."""
    if outage == Terms(skews=1):
        return f"skew time: {units.seconds(released_ns(timers, protocol) / 1e9)}"
    waits_ns = outage.downs * down_interval_ns(timers, protocol) + outage.skews * released_ns(timers, protocol)
    parts = [f"{waits_ns / 1e9:.3f}"] if waits_ns else []
    parts += [f"{outage.adverts * advert_ns(timers) / 1e9:g}"] if outage.adverts else []
    parts += [f"{outage.fixed_s[1]:g}"] if outage.fixed_s[1] else []
    return (" + ".join(parts) or "0 s") + (" − x" if outage.less_x else "")


def _pings(axes: Axes, top: int) -> None:
    """How many pings, one a second, meet an outage between two whole seconds."""
    for whole in range(top):
        axes.annotate(
            f"{whole} or {whole + 1} pings lost", (1, whole + 0.5), xycoords=("axes fraction", "data"), xytext=(14, 0),
            textcoords="offset points", va="center", fontsize=11.5, color=LIGHT["muted"], annotation_clip=False,
        )  # fmt: skip


def _seen(axes: Axes, seen: Seen) -> None:
    """A brace at the side for what somebody else saw."""
    beside = axes.get_yaxis_transform()
    axes.plot([1.21, 1.21], seen.range_s, color=LIGHT["ink"], linewidth=2, transform=beside, clip_on=False)
    axes.text(1.225, sum(seen.range_s) / 2, visible(seen.text), transform=beside, va="center", fontsize=11.5)


def _subject(axes: Axes, place: int, name: str, points: Points, line: Line | None) -> None:
    role, marker = SUBJECT_ROLES[place % len(SUBJECT_ROLES)]
    if line:
        style = "-" if place == 0 else "--"
        axes.plot([0, line.interval_s], line.ends_s, color=LIGHT[role], linewidth=1.6, linestyle=style)
        axes.annotate(
            f"{visible(name, 30)}: {line.words}", (line.interval_s * 0.015, line.ends_s[0]), xytext=(0, 7),
            textcoords="offset points", color=LIGHT[role], fontsize=12, fontweight="bold",
        )  # fmt: skip
    axes.plot(
        *zip(*points, strict=True), linestyle="", marker=marker, markersize=9, color=LIGHT[role],
        markeredgecolor=LIGHT["paper"], markeredgewidth=1, zorder=4, clip_on=False,
    )  # fmt: skip


def _describe(found: Sequence[tuple[str, Points]]) -> str:
    parts = ["The outage against x, the time from A’s last advert to the fault."]
    for name, points in found:
        shown = "; ".join(f"x {units.seconds(x_s)}: {units.seconds(outage_s)}" for x_s, outage_s in points[:8])
        parts.append(f"{name}: {units.count(len(points), 'trial')}: {shown}.")
    return visible(" ".join(parts))
