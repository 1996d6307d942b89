"""The plot of every trial: outage and deadline excess, a row a case and subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from viplab.metrics import Shown, shown_in
from viplab.report import outline, overview, units
from viplab.report.svg import LIGHT, SUBJECT_ROLES, Drawing, bare, canvas, drawing_rules, inline, plain_numbers
from viplab.report.text import visible

_LEFT, _RIGHT, _APART = 0.30, 0.985, 0.04
_ROW, _TOP, _BOTTOM, _BETWEEN = 17.0, 6.0, 52.0, 0.5
COLUMNS = 70
STACK = 3
"""So many dots are drawn on top of each other at most, however many trials fell into one column of a row."""

Rows = list[tuple[float, str, overview.Row]]


def draw(blocks: Sequence[overview.Block], subjects: Sequence[outline.Subject], key: str) -> Drawing | None:
    """The plot over all cases that had a fault; None where nothing was measured in any of them."""
    rows = _rows(blocks)
    if not rows:
        return None
    panels = overview.client_first(shown_in(Shown.PLOT))
    width = (_RIGHT - _LEFT + _APART) / len(panels)
    depth = rows[-1][0] + 1
    height = _TOP + _ROW * depth + _BOTTOM
    crowded = False
    with drawing_rules():
        figure = canvas(height)
        for place, (metric, of_table) in enumerate(panels.items()):
            axes = figure.add_axes((_LEFT + place * width, _BOTTOM / height, width - _APART, _ROW * depth / height))
            axes.set_ylim(depth - 0.5, -0.5)
            factor, unit = _unit(rows, metric)
            crowded |= _panel(axes, rows, subjects, metric, factor)
            axes.set_xlabel(f"{of_table.words}, {unit}")
            if place == 0:
                axes.set_yticks([at for at, _, _ in rows], [row.group.subject.name for _, _, row in rows], fontsize=11)
                for name, at in _starts(rows):
                    figure.text(
                        0.0, (_BOTTOM + _ROW * (depth - 0.05 - at)) / height, _two_lines(name), va="top", fontsize=11.5,
                        linespacing=1.25,
                    )  # fmt: skip
            else:
                axes.set_yticks([])
    caption = (
        "Every trial is a dot, its row’s median a bar. Deadline excess is how late a takeover was by its own timers."
    )
    if crowded:
        caption += f" Where more than {STACK} trials lie on one spot, {STACK} dots are drawn."
    return Drawing(inline(figure, key, _describe(rows)), caption)


def _rows(blocks: Sequence[overview.Block]) -> Rows:
    """Rows of the plot from the top, with their place and the case that they are of."""
    rows: Rows = []
    at = 0.0
    for block in blocks:
        measured = [row for row in block.rows if row.fault and any(_values(row, name) for name in shown_in(Shown.PLOT))]
        for row in measured:
            rows.append((at, _name(block), row))
            at += 1
        at += _BETWEEN if measured else 0
    return rows


def _starts(rows: Rows) -> list[tuple[str, float]]:
    first: dict[str, float] = {}
    for at, name, _ in rows:
        first.setdefault(name, at)
    return list(first.items())


def _name(block: overview.Block) -> str:
    title = block.case.title.partition(":")[0]
    return visible(f"then: {block.words}" if block.number else title)


def _two_lines(name: str) -> str:
    return "\n".join(wrap(name, 26, max_lines=2, placeholder=" …"))


def _values(row: overview.Row, name: str) -> list[float]:
    return [value for of_fault in row.metrics if (value := getattr(of_fault, name)) is not None]


def _unit(rows: Rows, name: str) -> tuple[float, str]:
    """The unit of an axis, with what seconds are multiplied by: milliseconds where no value reaches a second."""
    largest_s = max((abs(value) for _, _, row in rows for value in _values(row, name)), default=0.0)
    return (1e3, "ms") if 0 < largest_s < 1 else (1.0, "s")


def _panel(axes: Axes, rows: Rows, subjects: Sequence[outline.Subject], name: str, factor: float) -> bool:
    """Draw one metric; True where not every trial has a dot of its own."""
    bare(axes, "x")
    axes.tick_params(axis="y", pad=8)
    found = [value * factor for _, _, row in rows for value in _values(row, name)]
    low, high = min(0.0, *found, 0.0), max([*found, 1e-3])
    axes.set_xlim(low - 0.02 * (high - low), high + 0.04 * (high - low))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    plain_numbers(axes.xaxis)
    crowded = False
    for at, _, row in rows:
        values = sorted(value * factor for value in _values(row, name))
        if not values:
            continue
        role, marker = SUBJECT_ROLES[subjects.index(row.group.subject) % len(SUBJECT_ROLES)]
        columns: Counter[int] = Counter()
        points = []
        for value in values:
            column = round((value - low) / (high - low) * COLUMNS)
            if columns[column] < STACK:
                points.append((value, at + (0.0, -0.24, 0.24)[columns[column]]))
            columns[column] += 1
        crowded |= max(columns.values()) > STACK
        if len(values) > 1:
            axes.vlines(median(values), at - 0.46, at + 0.46, color=LIGHT["ink"], linewidth=2.2, zorder=3)
        axes.plot(
            *zip(*points, strict=True), linestyle="", marker=marker, markersize=6, color=LIGHT[role],
            markeredgecolor=LIGHT["paper"], markeredgewidth=0.6, zorder=4, clip_on=False,
        )  # fmt: skip
    return crowded


def _describe(rows: Rows) -> str:
    parts = ["Outage and deadline excess by case and subject."]
    for _, name, row in rows:
        words = []
        for metric, of_table in overview.client_first(shown_in(Shown.PLOT)).items():
            value, detail = overview.sample(row.metrics, metric)
            if value:
                of = f" (median, {', '.join(detail.splitlines())})" if detail else ""
                words.append(f"{of_table.words} {value}{of}")
        parts.append(f"{name}, {row.group.subject.name}: {', '.join(words) or units.NOT_MEASURED}.")
    return visible(" ".join(parts))
