"""An outage as arithmetic: the outage against where in the advert interval the fault struck, with the model's line."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from viplab.analysis.presentation import Seen
from viplab.analysis.views import TrialView
from viplab.report import outline, units
from viplab.report.svg import LIGHT, SUBJECT_ROLES, Drawing, bare, canvas, drawing_rules, inline, plain_numbers
from viplab.report.text import visible

_PLOT, _TOP, _BOTTOM = 250.0, 14.0, 50.0
_LEFT, _RIGHT = 0.09, 0.72
MOST = 200
"""Trials of a subject that are drawn; of more, evenly chosen ones."""

Points = list[tuple[float, float]]


def draw(
    groups: Sequence[tuple[str, outline.Group]], key: str, caption: str, seen: Seen | None = None
) -> Drawing | None:
    """The plot over all trials, a colour a subject; None where no outage with its x was measured."""
    found = [(place, name, group, _points(group.trials)) for place, (name, group) in enumerate(groups)]
    found = [item for item in found if item[3]]
    if not found:
        return None
    interval_s = max(node.advert_int_s for _, _, group, _ in found for node in group.shown.info.nodes.values())
    models = [_model(group.shown) for _, _, group, _ in found]
    top = max(*(outage for *_, points in found for _, outage in points), *(at_0 for at_0, _, _ in models), 1.0)
    height = _TOP + _PLOT + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        axes = figure.add_axes((_LEFT, _BOTTOM / height, _RIGHT - _LEFT, _PLOT / height))
        bare(axes, "y")
        axes.spines["bottom"].set_visible(True)
        axes.set_xlim(0, interval_s)
        axes.set_ylim(0, _ceiling(top))
        axes.yaxis.set_major_locator(MultipleLocator(1))
        plain_numbers(axes.xaxis)
        plain_numbers(axes.yaxis)
        axes.set_xlabel("x: seconds from A’s last advert to the fault")
        axes.set_ylabel("client without an answer, s", labelpad=8)
        _pings(axes, _ceiling(top))
        if seen and seen.range_s[1] <= _ceiling(top):
            _seen(axes, seen)
        for (place, name, _, points), (at_0, at_end, words) in zip(found, models, strict=True):
            _subject(axes, place, name, points, (at_0, at_end), words, interval_s)
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


def _model(trial: TrialView) -> tuple[float, float, str]:
    """The outage that the timers give at the beginning and at the end of an advert interval, and the formula."""
    info = trial.info
    node = info.nodes[trial.faults[0].new_master or max(info.nodes)]
    skew_s = (256 - node.priority) / 256 * node.advert_int_s
    if trial.summary.priority_zero:
        return skew_s, skew_s, f"skew time: {units.seconds(skew_s)}"
    claim_s = node.advert_int_s if info.family == "keepalived-1.2.2" else 0.0
    longest_s = 3 * node.advert_int_s + skew_s + claim_s
    formula = f"{3 * node.advert_int_s + skew_s:.3f}" + (f" + {claim_s:g}" if claim_s else "") + " − x"
    return longest_s, longest_s - node.advert_int_s, formula


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


def _subject(
    axes: Axes, place: int, name: str, points: Points, ends: tuple[float, float], words: str, interval_s: float
) -> None:
    role, marker = SUBJECT_ROLES[place % len(SUBJECT_ROLES)]
    axes.plot([0, interval_s], ends, color=LIGHT[role], linewidth=1.6, linestyle="-" if place == 0 else "--")
    label = f"{visible(name, 30)}: {words}"
    axes.annotate(
        label, (interval_s * 0.015, ends[0]), xytext=(0, 7), textcoords="offset points",
        color=LIGHT[role], fontsize=12, fontweight="bold",
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
