"""The timeline plot of a trial: who was what, and below, on the same axis, how the client's echo requests fared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MultipleLocator, NullLocator

from viplab.address_family import family_of
from viplab.analysis.views import FaultView, Interval, LossRunView, RoundTrip, SwimLane, TrialView
from viplab.faults import fault_kind
from viplab.report import units
from viplab.report.svg import LIGHT, WIDTH, Drawing, canvas, drawing_rules, host_role, inline
from viplab.report.text import visible

T = TypeVar("T")

_OWNERS = "VIP held by"

BEFORE_S = 4.0
AFTER_S = 9.0
"""Past the second burst of announcements, 5 s after the takeover, which is the last thing that a failover does."""

COLUMNS = 800
"""Of the picture; within one, the probe's round trips are drawn as their lowest and highest."""
LABELLED = 4
DRAWN = 400
"""States of a swim lane, and loss runs; an honest trial has some dozens."""

LEFT, RIGHT = 0.135, 0.988
_LANE, _PLOT, _TOP, _BOTTOM, _BETWEEN = 26.0, 150.0, 30.0, 74.0, 12.0
_CHARACTER = 6.6
"""Width of a character of the swim lanes' labels, in the plot's units; on the safe side for any sans-serif face."""

_FILL = {
    "none": ("paper", "loss", None),
    "off": ("paper", "rule", None),
    "silent": ("idle-tint", "rule", None),
    "no daemon": ("paper", "grid", None),
}
_SEVERAL = ("loss-tint", "loss", "////")


def draw(trial: TrialView, key: str) -> Drawing | None:
    """The plot of one trial; None where the evidence holds neither a swim lane nor a round trip."""
    if not any(lane.intervals for lane in trial.swim_lanes) and not trial.probe and not trial.ping_trips:
        return None
    start_s, end_s = window(trial)
    lanes = [lane for lane in trial.swim_lanes if lane.intervals]
    height = _TOP + _LANE * len(lanes) + _BETWEEN + _PLOT + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        trips = figure.add_axes((LEFT, _BOTTOM / height, RIGHT - LEFT, _PLOT / height))
        _round_trips(trips, trial, start_s, end_s)
        if lanes:
            bottom = (_BOTTOM + _PLOT + _BETWEEN) / height
            states = figure.add_axes((LEFT, bottom, RIGHT - LEFT, _LANE * len(lanes) / height), sharex=trips)
            _lanes(states, lanes, (end_s - start_s) / (WIDTH * (RIGHT - LEFT)), start_s, end_s)
            _moments(states, lanes, trial)
            _faults(states, trial, start_s, end_s, trips)
        else:
            _faults(trips, trial, start_s, end_s)
        trips.set_xlim(start_s, end_s)
        trips.xaxis.set_major_locator(MultipleLocator(tick(end_s - start_s)))
        trips.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _minus(f"{value:g}")))
        trips.set_xlabel(f"seconds after the {'fault' if trial.zero == 'fault' else 'start of the trial'}")
        return Drawing(inline(figure, key, describe(trial)), _caption(trial, start_s, end_s))


def window(trial: TrialView) -> tuple[float, float]:
    """The part of the trial worth drawing: from a little before the first fault to when the last one has settled."""
    if not trial.faults:
        return trial.start_s, max(trial.end_s, trial.start_s + 1)
    starts = [fault.at_s for fault in trial.faults]
    settled = [fault.at_s for fault in trial.faults]
    for fault in trial.faults:
        moments = fault.moments
        for at_ns in (moments.first_advert_ns, moments.first_garp_ns, moments.first_answer_ns):
            if at_ns is not None:
                settled.append((at_ns - trial.zero_ns) / 1e9)
    settled += [run.end_s for run in trial.loss_runs if run.end_s is not None]
    start_s = max(trial.start_s, min(starts) - BEFORE_S)
    return start_s, max(min(trial.end_s, max(settled) + AFTER_S), start_s + 1)


def describe(trial: TrialView) -> str:
    """What the plot shows, in words: faults, ownership and losses in their order."""
    parts = [f"Timeline of {trial.info.title}."]
    for fault in trial.faults:
        parts.append(f"At {units.moment(fault.at_s, 1)} s: {fault_words(fault)}.")
    for lane in trial.swim_lanes:
        if lane.name in ("owners", "client") and lane.intervals:
            states = ", ".join(f"{item.label} from {units.moment(item.start_s, 1)} s" for item in lane.intervals[:12])
            parts.append(f"{_lane_words(lane)}: {states}.")
    for run in _headline_runs(trial):
        length = units.seconds(None if run.end_s is None else run.end_s - run.start_s)
        parts.append(f"No answer from {units.moment(run.start_s, 1)} s, for {length or 'the rest of the trial'}.")
    return visible(" ".join(parts))


def fault_words(fault: FaultView) -> str:
    """The fault as a short phrase, such as `daemon on A killed`."""
    return fault_kind(fault.summary.fault.kind).said(fault.summary.fault.host)


def _headline_runs(trial: TrialView) -> list[LossRunView]:
    """The loss runs of the finer stream; the 1 Hz ping's where there was no probe."""
    stream = "probe" if trial.probe else "ping"
    return [run for run in trial.loss_runs if run.stream == stream]


def _caption(trial: TrialView, start_s: float, end_s: float) -> str:
    streams = ["the 1 Hz ping as dots"] if trial.ping_trips else []
    streams += ["the faster probe as a line"] if trial.probe else []
    sentences = [
        "Above, what each party was at any moment; below, round-trip times"
        + (f" ({', '.join(streams)})" if streams else "")
        + ", lost requests at the top."
    ]
    if trial.faults:
        sentences.append(
            f"Triangle: first advert of the new master; diamond: its first {family_of(trial.info.vip).announcement}."
        )
    if start_s > trial.start_s + 0.5 or end_s < trial.end_s - 0.5:
        drawn = f"Drawn from {units.moment(start_s, 0)} to {units.moment(end_s, 0)} s"
        sentences.append(f"{drawn} of a trial that lasted {units.seconds(trial.end_s - trial.start_s)}.")
    return " ".join(sentences)


def _lanes(axes: Axes, lanes: list[SwimLane], seconds_per_unit: float, start_s: float, end_s: float) -> None:
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_yticks(range(len(lanes)), [_lane_words(lane) for lane in lanes])
    axes.tick_params(axis="y", length=0, pad=10)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, lane in enumerate(lanes):
        for item, left, right in _longest(
            [(item, max(item.start_s, start_s), min(item.end_s, end_s)) for item in lane.intervals]
        ):
            fill, edge, hatch = _style(lane, item)
            axes.broken_barh(
                [(left, right - left)], (row - 0.36, 0.72),
                facecolor=LIGHT[fill], edgecolor=LIGHT[edge], linewidth=1, hatch=hatch,
                linestyle=":" if item.label in ("none", "off") else "-",
            )  # fmt: skip
            label = _owner_words(lane, item)
            if (right - left) / seconds_per_unit > (len(label) + 1) * _CHARACTER:
                axes.text(
                    (left + right) / 2, row, label, ha="center", va="center_baseline", fontsize=11,
                    bbox={"facecolor": LIGHT[fill], "edgecolor": "none", "pad": 1.5} if hatch else None,
                )  # fmt: skip


def _longest(spans: list[tuple[T, float, float]]) -> list[tuple[T, float, float]]:
    """The spans that have a length; where they are more than a reader can tell apart, the longest of them."""
    shown = [(right - left, (what, left, right)) for what, left, right in spans if right > left]
    least = sorted((length for length, _ in shown), reverse=True)[:DRAWN][-1:]
    return [span for length, span in shown if length >= least[0]][:DRAWN]


def _style(lane: SwimLane, item: Interval) -> tuple[str, str, str | None]:
    if lane.name == "owners" and "+" in item.label:
        return _SEVERAL
    role, _ = host_role(lane.name if item.label in ("advertising", "answering") else item.label)
    return _FILL.get(item.label, (f"{role}-tint", role, None))


def _lane_words(lane: SwimLane) -> str:
    return _OWNERS if lane.name == "owners" else lane.label.removeprefix("the ").replace("'", "’")


def _owner_words(lane: SwimLane, item: Interval) -> str:
    return visible(" and ".join(item.label.split("+")) if lane.name == "owners" else item.label, 22)


def _moments(axes: Axes, lanes: list[SwimLane], trial: TrialView) -> None:
    rows = {lane.name: row for row, lane in enumerate(lanes)}
    for fault in trial.faults:
        if fault.new_master is None or fault.new_master not in rows:
            continue
        row, colour = rows[fault.new_master], LIGHT[host_role(fault.new_master)[0]]
        for at_ns, marker in ((fault.moments.first_advert_ns, "^"), (fault.moments.first_garp_ns, "D")):
            if at_ns is not None:
                axes.plot(
                    (at_ns - trial.zero_ns) / 1e9, row, marker, color=colour, markersize=9,
                    markeredgecolor=LIGHT["paper"], markeredgewidth=1.2, clip_on=False, zorder=5,
                )  # fmt: skip


def _faults(axes: Axes, trial: TrialView, start_s: float, end_s: float, below: Axes | None = None) -> None:
    """A line through all axes at each fault, named on top."""
    for fault in trial.faults:
        for each in (axes, below):
            if each is not None:
                each.axvline(fault.at_s, color=LIGHT["ink"], linewidth=1.3, linestyle=(0, (4, 2)), zorder=4)
        late = fault.at_s > start_s + 0.8 * (end_s - start_s)
        axes.annotate(
            f"{fault_words(fault)} ▾" if late else f"▾ {fault_words(fault)}",
            (fault.at_s, 1), xycoords=("data", "axes fraction"), xytext=(5 if late else -5, 6),
            textcoords="offset points", ha="right" if late else "left", fontsize=12, fontweight="bold",
            annotation_clip=False,
        )  # fmt: skip


def _round_trips(axes: Axes, trial: TrialView, start_s: float, end_s: float) -> None:
    """Answers by whom they came from on a logarithmic axis, losses in a strip above it, loss runs as bands behind."""
    trips = [trip for trip in (*trial.probe, *trial.ping_trips) if start_s <= trip.sent_s <= end_s]
    seen = [trip.rtt_ms for trip in trips if trip.rtt_ms]
    low = 10 ** math.floor(math.log10(max(min(seen, default=0.1), 1e-3)))
    high = 10 ** math.ceil(math.log10(max(max(seen, default=10), low * 10) * 1.05))
    strip = _Strip(high, high / low)
    axes.set_yscale("log")
    axes.set_ylim(low, strip.at(1))
    axes.axhspan(high, strip.at(1), color=LIGHT["idle-tint"], zorder=0, linewidth=0)
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ms" if value <= high else ""))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=LIGHT["grid"], linewidth=1)
    axes.set_axisbelow(True)
    axes.set_ylabel("round trip", labelpad=8)
    axes.text(-0.008, strip.at(0.6), "lost", transform=axes.get_yaxis_transform(), ha="right", va="center")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    _loss_bands(axes, trial, start_s, end_s, math.sqrt(low * high))
    handles = [*_answers(axes, trial, start_s, end_s), *_losses(axes, trial, strip, start_s, end_s)]
    if handles:
        axes.legend(
            handles=handles, loc="upper right", bbox_to_anchor=(1.0, -0.24), ncols=4, frameon=False, fontsize=12,
            handlelength=1.6, borderpad=0, columnspacing=1.6,
        )  # fmt: skip


@dataclass(frozen=True)
class _Strip:
    """The strip for losses above the plot: heights within it from 0 to 1, as values of the logarithmic axis."""

    bottom: float
    decades: float

    def at(self, height: float) -> float:
        return float(self.bottom * self.decades ** (0.24 * height))


def _loss_bands(axes: Axes, trial: TrialView, start_s: float, end_s: float, middle: float) -> None:
    """A band for each loss run; the longest few are told how long they were."""
    runs = [
        (run, max(run.start_s, start_s), end_s if run.end_s is None else run.end_s) for run in _headline_runs(trial)
    ]
    drawn = _longest([run for run in runs if run[1] < end_s])
    for rank, (run, left, right) in enumerate(sorted(drawn, key=lambda item: item[1] - item[2])):
        axes.axvspan(left, min(right, end_s), color=LIGHT["loss-tint"], zorder=0.5, linewidth=0)
        if rank >= LABELLED:
            continue
        inside = (right - left) / (end_s - start_s) * WIDTH * (RIGHT - LEFT) > 12 * _CHARACTER
        lasted = "to the end" if run.end_s is None else units.seconds(run.end_s - run.start_s)
        axes.annotate(
            f"no answer\n{lasted}", ((left + right) / 2 if inside else right, middle), xytext=(0 if inside else 5, 0),
            textcoords="offset points", ha="center" if inside else "left", va="center", color=LIGHT["loss"],
            fontsize=12,
        )  # fmt: skip


def _answers(axes: Axes, trial: TrialView, start_s: float, end_s: float) -> Iterator[Line2D]:
    """Probe as a line, ping as dots, in the colour of the host whose MAC answered; yields what the legend needs."""
    macs = {station.public_mac.lower(): name for name, station in trial.info.stations.items()}
    for host in (*trial.info.hosts, None):
        role, marker = host_role(host)
        colour = LIGHT[role]
        xs, ys = envelope(_points(trial.probe, macs, host, start_s, end_s), (end_s - start_s) / COLUMNS)
        if xs:
            axes.plot(xs, ys, color=colour, linewidth=0.8, alpha=0.75, zorder=2)
        pings = _points(trial.ping_trips, macs, host, start_s, end_s)
        if pings:
            axes.plot(
                *zip(*pings, strict=True), linestyle="", marker=marker, color=colour, markersize=6,
                markeredgecolor=LIGHT["paper"], markeredgewidth=0.8, zorder=3,
            )  # fmt: skip
        if xs or pings:
            label = f"answer from {host}" if host else "answer from another MAC"
            yield Line2D([], [], color=colour, marker=marker, markersize=6, linewidth=0.8, label=label)


def _losses(axes: Axes, trial: TrialView, strip: _Strip, start_s: float, end_s: float) -> Iterator[Line2D]:
    """Lost pings as crosses, lost probes as ticks above them; yields what the legend needs."""
    crosses: dict[str, Any] = {
        "color": LIGHT["loss"],
        "marker": "x",
        "linestyle": "",
        "markersize": 8,
        "markeredgewidth": 2,
    }
    pings, probes = (
        [trip.sent_s for trip in trips if trip.rtt_ms is None and start_s <= trip.sent_s <= end_s]
        for trips in (trial.ping_trips, trial.probe)
    )
    if probes:
        ticks = _thinned(probes, (end_s - start_s) / COLUMNS)
        axes.vlines(ticks, strip.at(0.72), strip.at(0.92), color=LIGHT["loss"], linewidth=0.7)
    if pings:
        axes.plot(pings, [strip.at(0.36)] * len(pings), zorder=6, **crosses)
    if pings or probes:
        yield Line2D([], [], label="lost", **crosses)


def _points(
    trips: Iterable[RoundTrip], macs: dict[str, str], host: str | None, start_s: float, end_s: float
) -> list[tuple[float, float]]:
    return [
        (trip.sent_s, trip.rtt_ms)
        for trip in trips
        if trip.rtt_ms is not None and start_s <= trip.sent_s <= end_s and macs.get((trip.mac or "").lower()) == host
    ]


def envelope(points: list[tuple[float, float]], width_s: float) -> tuple[list[float], list[float]]:
    """Lowest and highest round trip of each column of the picture; a NaN breaks the line where a second has none."""
    xs: list[float] = []
    ys: list[float] = []
    column: list[tuple[float, float]] = []
    for point in points:
        if column and point[0] - column[0][0] >= width_s:
            _close(column, xs, ys)
            if point[0] - column[-1][0] > max(1.0, 3 * width_s):
                xs.append(point[0])
                ys.append(math.nan)
            column = []
        column.append(point)
    if column:
        _close(column, xs, ys)
    return xs, ys


def _close(column: list[tuple[float, float]], xs: list[float], ys: list[float]) -> None:
    for at_s, rtt_ms in sorted({min(column, key=lambda p: p[1]), max(column, key=lambda p: p[1])}):
        xs.append(at_s)
        ys.append(rtt_ms)


def _thinned(moments: list[float], width_s: float) -> list[float]:
    kept: list[float] = []
    for at_s in moments:
        if not kept or at_s - kept[-1] >= width_s:
            kept.append(at_s)
    return kept


def tick(length_s: float) -> float:
    """A round step that gives about ten ticks."""
    for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300):
        if length_s / step <= 16:
            return step
    return length_s / 10


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")
