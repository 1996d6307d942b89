"""Who answered the client, in several trials on one axis: what the puzzles about ownership are settled with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from viplab.analysis.views import RoundTrip, TrialView
from viplab.report import units
from viplab.report.svg import LIGHT, WIDTH, Drawing, bare, canvas, drawing_rules, host_role, inline, plain_numbers
from viplab.report.text import visible
from viplab.report.timeline import fault_words, tick

_LEFT, _RIGHT = 0.26, 0.985
_ROW, _TOP, _BOTTOM = 46.0, 26.0, 74.0
BEFORE_S, AFTER_S, LONGEST_S = 1.5, 1.5, 30.0
_CHARACTER = 6.6


@dataclass(frozen=True)
class Row:
    """One trial under its name; `note` is the second line."""

    trial: TrialView
    name: str
    note: str


@dataclass(frozen=True)
class Span:
    """From when to when one host answered; `host` is None while nobody did."""

    start_s: float
    end_s: float
    host: str | None


def draw(rows: Sequence[Row], key: str, caption: str, marks: Sequence[tuple[float, str]] = ()) -> Drawing | None:
    """The plot; `marks` are further moments after the fault with their words. None where no row has an answer."""
    drawn = [(row, spans(row.trial)) for row in rows if row.trial.faults]
    drawn = [(row, found) for row, found in drawn if found]
    if not drawn:
        return None
    end_s = min(LONGEST_S, max(_settled(row.trial) for row, _ in drawn) + AFTER_S)
    height = _TOP + _ROW * len(drawn) + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        axes = figure.add_axes((_LEFT, _BOTTOM / height, _RIGHT - _LEFT, _ROW * len(drawn) / height))
        bare(axes, "x")
        axes.set_xlim(-BEFORE_S, end_s)
        axes.set_ylim(len(drawn) - 0.5, -0.5)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MultipleLocator(tick(end_s + BEFORE_S)))
        plain_numbers(axes.xaxis)
        axes.set_xlabel("seconds after the fault")
        axes.axvline(0, color=LIGHT["ink"], linewidth=1.3, linestyle=(0, (4, 2)))
        faults = {fault_words(row.trial.faults[0]) for row, _ in drawn}
        words = [faults.pop() if len(faults) == 1 else "fault", *(visible(text) for _, text in marks)]
        for at_s, _ in marks:
            axes.axvline(at_s, color=LIGHT["loss"], linewidth=1.3)
        axes.annotate(
            "▾ " + "; ".join(words), (0, 1), xycoords=("data", "axes fraction"), xytext=(-5, 6),
            textcoords="offset points", fontweight="bold", annotation_clip=False,
        )  # fmt: skip
        for place, (row, found) in enumerate(drawn):
            _row(axes, place, row, found, end_s)
        axes.legend(
            handles=_legend(), loc="upper right", bbox_to_anchor=(1.0, -38 / (_ROW * len(drawn))), ncols=4,
            frameon=False, fontsize=12, handlelength=1.0, borderpad=0, columnspacing=1.6,
        )  # fmt: skip
        return Drawing(inline(figure, key, _describe(drawn, end_s)), caption)


def spans(trial: TrialView) -> list[Span]:
    """Who answered from when to when, by the finer stream; a loss lasts to the next answered request."""
    trips = trial.probe or trial.ping_trips
    macs = {station.public_mac.lower(): name for name, station in trial.info.stations.items()}
    found: list[Span] = []
    for trip in trips:
        host = _host(trip, macs)
        if found and found[-1].host == host:
            found[-1] = Span(found[-1].start_s, trip.sent_s, host)
            continue
        if found:
            found[-1] = Span(found[-1].start_s, trip.sent_s, found[-1].host)
        found.append(Span(trip.sent_s, trip.sent_s, host))
    return found


def _host(trip: RoundTrip, macs: dict[str, str]) -> str | None:
    return None if trip.rtt_ms is None else macs.get((trip.mac or "").lower(), "other")


def _settled(trial: TrialView) -> float:
    """When the first fault's consequences were over, on the trial's axis."""
    moments = trial.faults[0].moments
    found = [moments.first_advert_ns, moments.first_garp_ns, moments.first_answer_ns]
    return max([2.0, *((at_ns - trial.zero_ns) / 1e9 for at_ns in found if at_ns is not None)])


def _row(axes: Axes, place: int, row: Row, found: Sequence[Span], end_s: float) -> None:
    for text, height, role, weight in ((row.name, -0.12, "ink", "bold"), (row.note, 0.2, "muted", "normal")):
        axes.annotate(
            visible(text, 40), (0, place + height), xycoords=("axes fraction", "data"), xytext=(-12, 0),
            textcoords="offset points", ha="right", va="center", fontsize=11.5, color=LIGHT[role], fontweight=weight,
            annotation_clip=False,
        )  # fmt: skip
    unit_s = (end_s + BEFORE_S) / (WIDTH * (_RIGHT - _LEFT))
    for span in found:
        left, right = max(span.start_s, -BEFORE_S), min(span.end_s, end_s)
        if right <= left:
            continue
        edge = "loss" if span.host is None else host_role(span.host)[0]
        axes.broken_barh(
            [(left, right - left)],
            (place - 0.34, 0.44),
            facecolor=LIGHT[f"{edge}-tint"],
            edgecolor=LIGHT[edge],
            linewidth=1,
        )
        for label in _labels(span):
            if (right - left) / unit_s > (len(label) + 1) * _CHARACTER:
                axes.text((left + right) / 2, place - 0.12, label, ha="center", va="center_baseline", fontsize=11)
                break
    moments = row.trial.faults[0].moments
    role, _ = host_role(row.trial.faults[0].new_master)
    for at_ns, marker in ((moments.first_advert_ns, "^"), (moments.first_garp_ns, "D")):
        if at_ns is not None:
            axes.plot((at_ns - row.trial.zero_ns) / 1e9, place + 0.24, marker=marker, color=LIGHT[role], markersize=6)
    lost = [trip.sent_s for trip in row.trial.ping_trips if trip.rtt_ms is None and -BEFORE_S < trip.sent_s < end_s]
    axes.plot(lost, [place + 0.24] * len(lost), linestyle="", marker="x", color=LIGHT["loss"], markeredgewidth=1.8)


def _labels(span: Span) -> list[str]:
    if span.host is None:
        length = units.seconds(span.end_s - span.start_s)
        return [f"no answer for {length}", f"none: {length}", "none"]
    return [f"{span.host} answers", span.host] if span.host != "other" else ["another answers"]


def _legend() -> list[Line2D]:
    style: dict[str, Any] = {"linestyle": "", "markersize": 6, "color": LIGHT["muted"]}
    return [
        Line2D([], [], marker="^", label="first advert of the new master", **style),
        Line2D([], [], marker="D", label="its first announcement", **style),
        Line2D([], [], **{**style, "color": LIGHT["loss"]}, marker="x", markeredgewidth=1.8, label="1 Hz ping lost"),
    ]


def _describe(drawn: Sequence[tuple[Row, list[Span]]], end_s: float) -> str:
    parts = ["Who answered the client’s echo requests after the fault."]
    for row, found in drawn:
        words: list[str] = []
        for span in found:
            if span.end_s > -BEFORE_S and span.start_s < end_s and len(words) < 12:
                who = {None: "nobody", "other": "another"}.get(span.host, span.host)
                words.append(f"{who} from {units.moment(max(span.start_s, -BEFORE_S), 1)} s")
        parts.append(f"{row.name}, {row.note}: {', '.join(words)}.")
    return visible(" ".join(parts))
