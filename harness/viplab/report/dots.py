"""The distribution figure: outage and deadline excess of every trial, a row a case and subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from viplab.report import outline, overview, units
from viplab.report.svg import LIGHT, SUBJECT_ROLES, Drawing, bare, canvas, drawing_rules, inline, plain_numbers
from viplab.report.text import visible

_PANELS = (
    ("outage_s", 1.0, "client without an answer, s", (0.30, 0.665)),
    ("deadline_excess_s", 1e3, "deadline excess, ms", (0.705, 0.985)),
)
_ROW, _TOP, _BOTTOM, _BETWEEN = 17.0, 6.0, 52.0, 0.5
COLUMNS = 70
STACK = 3
"""So many dots are drawn on top of each other at most, however many trials fell into one column of a row."""

Rows = list[tuple[float, str, overview.Row]]


def draw(blocks: Sequence[overview.Block], subjects: Sequence[outline.Subject], key: str) -> Drawing | None:
    """The figure over all cases that had a fault; None where nothing was measured in any of them."""
    rows = _rows(blocks)
    if not any(_values(row, name) for _, _, row in rows for name, *_ in _PANELS):
        return None
    depth = rows[-1][0] + 1
    height = _TOP + _ROW * depth + _BOTTOM
    crowded = False
    with drawing_rules():
        figure = canvas(height)
        for quantity, factor, label, (left, right) in _PANELS:
            axes = figure.add_axes((left, _BOTTOM / height, right - left, _ROW * depth / height))
            axes.set_ylim(depth - 0.5, -0.5)
            crowded |= _panel(axes, rows, subjects, quantity, factor)
            axes.set_xlabel(label)
            if left < 0.5:
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
    """Rows of the figure from the top, with their place and the case that they are of."""
    rows: Rows = []
    at = 0.0
    for block in blocks:
        measured = [row for row in block.rows if row.fault and any(_values(row, name) for name, *_ in _PANELS)]
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
    return [value for measure in row.measures if (value := getattr(measure, name)) is not None]


def _panel(axes: Axes, rows: Rows, subjects: Sequence[outline.Subject], name: str, factor: float) -> bool:
    """Draw one quantity; True where not every trial has a dot of its own."""
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
        for quantity, label in (("outage_s", "without an answer"), ("deadline_excess_s", "deadline excess")):
            value, detail = overview.sample(row.measures, quantity)
            if value:
                words.append(f"{label} {value}" + (f" (median, {', '.join(detail.splitlines())})" if detail else ""))
        parts.append(f"{name}, {row.group.subject.name}: {', '.join(words) or units.NOT_MEASURED}.")
    return visible(" ".join(parts))
