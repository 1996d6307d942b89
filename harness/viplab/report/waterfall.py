"""The failover waterfall: one bar a phase of the takeover, with where the timers say that it should lie."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from viplab.analysis.views import FaultView, WaterfallItem
from viplab.report import units
from viplab.report.svg import LIGHT, Drawing, canvas, drawing_rules, host_role, inline
from viplab.report.text import visible

_LEFT, _RIGHT = 0.275, 0.79
_ROW, _TOP, _BOTTOM = 34.0, 8.0, 50.0


def draw(fault: FaultView, key: str) -> Drawing | None:
    """The plot of one fault; None where analysis gave no phases or measured none of them."""
    items = fault.waterfall
    ends = [end for item in items for end in (item.start_s, item.end_s) if end is not None]
    if not ends:
        return None
    ends += [item.start_s + item.expected_s[1] for item in items if item.start_s is not None and item.expected_s]
    low, high = min(ends), max(ends)
    margin = max(high - low, 1e-3) * 0.03
    height = _TOP + _ROW * len(items) + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        axes = figure.add_axes((_LEFT, _BOTTOM / height, _RIGHT - _LEFT, _ROW * len(items) / height))
        axes.set_xlim(low - margin, high + margin)
        axes.set_ylim(len(items) - 0.5, -0.5)
        axes.set_yticks(range(len(items)), [fill(_capital(visible(item.label, 76)), 38) for item in items])
        axes.tick_params(axis="both", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\u2212")))
        axes.grid(axis="x", color=LIGHT["grid"], linewidth=1)
        axes.set_axisbelow(True)
        axes.set_xlabel("seconds after the fault" if fault.at_s == 0 else "seconds on the axis of the timeline above")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.axvline(fault.at_s, color=LIGHT["ink"], linewidth=1.3, linestyle=(0, (4, 2)))
        for row, item in enumerate(items):
            _bar(axes, row, fault, item, (high - low + 2 * margin) / 480)
        return Drawing(inline(figure, key, describe(fault)), _CAPTION)


_CAPTION = (
    "Bars: measured, at the moments on the wire. Brackets below them: where the configured timers put the end of the "
    "phase, counted from where it began."
)


def describe(fault: FaultView) -> str:
    """What the plot shows, in words."""
    phases = (f"{_capital(item.label)}: {_words(fault, item)}." for item in fault.waterfall)
    return visible(" ".join(("Failover waterfall.", *phases)))


def _length(item: WaterfallItem) -> float | None:
    """How long the phase took, in seconds."""
    return None if item.start_s is None or item.end_s is None else item.end_s - item.start_s


def _capital(label: str) -> str:
    return label[:1].upper() + label[1:]


def _measured(fault: FaultView, item: WaterfallItem) -> float | None:
    """How long the phase took; an outage that did not happen has no ends, and is a measured zero all the same."""
    return fault.summary.outage_s if item.name == "outage" else _length(item)


def _words(fault: FaultView, item: WaterfallItem) -> str:
    measured = units.seconds(_measured(fault, item)) or units.NOT_MEASURED
    expected = units.span(item.expected_s)
    return f"{measured}, expected {expected}" if expected else measured


def _bar(axes: Axes, row: int, fault: FaultView, item: WaterfallItem, unit_s: float) -> None:
    took = _measured(fault, item)
    # Up to the fault it is the old master whose adverts are waited for, after it the new one's.
    host, _ = host_role(fault.old_master if item.name == "wait" else fault.new_master)
    role = "loss" if item.name == "outage" else host
    if item.start_s is not None and item.end_s is not None:
        axes.broken_barh(
            [(item.start_s, max(item.end_s - item.start_s, 2 * unit_s))], (row - 0.34, 0.42),
            facecolor=LIGHT[f"{role}-tint"], edgecolor=LIGHT[role], linewidth=1.2,
        )  # fmt: skip
    if item.expected_s is not None and item.start_s is not None:
        first, last = (item.start_s + bound for bound in item.expected_s)
        bracket = ([first, first, last, last], [row + 0.16, row + 0.3, row + 0.3, row + 0.16])
        if last - first < 2 * unit_s:
            bracket = ([last, last], [row + 0.14, row + 0.34])
        axes.plot(*bracket, color=LIGHT["muted"], linewidth=1.3)
    measured = units.seconds(took) or units.NOT_MEASURED
    expected = units.span(item.expected_s)
    axes.annotate(
        measured, (1, row - (0.16 if expected else 0.0)), xycoords=("axes fraction", "data"), xytext=(10, 0),
        textcoords="offset points", va="center", fontsize=12, color=LIGHT["ink" if took is not None else "muted"],
        fontweight="bold" if took is not None else "normal", annotation_clip=False,
    )  # fmt: skip
    if expected:
        axes.annotate(
            f"expected {expected}", (1, row + 0.26), xycoords=("axes fraction", "data"), xytext=(10, 0),
            textcoords="offset points", va="center", fontsize=10.5, color=LIGHT["muted"], annotation_clip=False,
        )  # fmt: skip
