"""The exchange between client and new master within one round trip, as a ladder: why a first reply is slow."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from matplotlib.axes import Axes

from viplab.analysis.views import FrameRow, TrialView
from viplab.report import units
from viplab.report.svg import LIGHT, Drawing, canvas, drawing_rules, host_role, inline
from viplab.report.text import visible

_RUNG, _TOP, _BOTTOM = 44.0, 52.0, 34.0


def draw(exchanges: Sequence[tuple[str, TrialView]], key: str, caption: str) -> Drawing | None:
    """A ladder a subject, side by side; None where no trial holds the round trip."""
    found = [(name, trial, frames) for name, trial in exchanges if (frames := rungs(trial))]
    if not found:
        return None
    deepest = max(len(frames) for _, _, frames in found)
    height = _TOP + _RUNG * deepest + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        for place, (name, trial, frames) in enumerate(found):
            width = 1 / len(found)
            axes = figure.add_axes(
                (place * width + 0.07, _BOTTOM / height, min(width - 0.1, 0.5), _RUNG * deepest / height)
            )
            _ladder(axes, name, trial, frames, deepest)
        return Drawing(inline(figure, key, _describe(found)), caption)


def rungs(trial: TrialView) -> list[FrameRow]:
    """The frames from the ping's request to the new master's first answer to it; none where they were not seen."""
    frames = [frame for frame in trial.frames if frame.network == "public"]
    request = next((at for at, frame in enumerate(frames) if (frame.mark or "").startswith("the ping's request")), None)
    if request is None:
        return []
    answer = next((at for at, frame in enumerate(frames) if at > request and "to the ping" in (frame.mark or "")), None)
    between = frames[request : answer + 1] if answer is not None else []
    return [frame for frame in between if frame.mark]


def _ladder(axes: Axes, name: str, trial: TrialView, frames: list[FrameRow], deepest: int) -> None:
    master = trial.faults[0].new_master if trial.faults else None
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(deepest - 0.35, -0.6)
    role, _ = host_role(master)
    axes.text(0.5, -1.25, visible(name, 40), ha="center", fontweight="bold", fontsize=12.5)
    for x, label, colour in ((0.0, "client", "muted"), (1.0, f"host {master or '?'}", role)):
        axes.plot([x, x], [-0.5, len(frames) - 0.5], color=LIGHT[colour], linewidth=2, clip_on=False)
        axes.text(x, -0.66, label, ha="center", color=LIGHT[colour], fontsize=12)
    for place, frame in enumerate(frames):
        to_master = _from_client(trial, frame)
        start, end = (0.0, 1.0) if to_master else (1.0, 0.0)
        colour = LIGHT["ink" if _is_echo(frame) else "loss"]
        arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.4, "shrinkA": 2, "shrinkB": 2}
        axes.annotate("", (end, place + 0.12), xytext=(start, place + 0.12), arrowprops=arrow, annotation_clip=False)
        axes.text(0.5, place - 0.08, _words(frame), ha="center", fontsize=11.5, color=colour)
        since = units.milliseconds((frame.time_s - frames[0].time_s) * 1e3)
        axes.text(-0.03, place + 0.16, since or "", ha="right", fontsize=11, color=LIGHT["muted"])
    total = units.milliseconds((frames[-1].time_s - frames[0].time_s) * 1e3)
    usual = _usual(trial)
    axes.text(
        0.5, len(frames) - 0.3, f"round trip {total}" + (f"; median of all {usual}" if usual else ""), ha="center",
        fontsize=12, fontweight="bold",
    )  # fmt: skip


def _from_client(trial: TrialView, frame: FrameRow) -> bool:
    client = trial.info.stations.get("client")
    return client is not None and frame.source in (client.public_ip, client.public_mac, client.public_mac.lower())


def _words(frame: FrameRow) -> str:
    if _is_echo(frame):
        return "echo request" if "request" in frame.info.partition("id=")[0] else "echo reply"
    return visible(frame.info, 44)


def _is_echo(frame: FrameRow) -> bool:
    return frame.info.startswith("Echo ")


def _usual(trial: TrialView) -> str | None:
    trips = [trip.rtt_ms for trip in trial.ping_trips if trip.rtt_ms is not None]
    return units.milliseconds(median(trips)) if trips else None


def _describe(found: Sequence[tuple[str, TrialView, list[FrameRow]]]) -> str:
    parts = ["The round trip in which the new master first answers the ping."]
    for name, _, frames in found:
        rows = (f"{units.milliseconds((frame.time_s - frames[0].time_s) * 1e3)} {_words(frame)}" for frame in frames)
        parts.append(f"{name}: {', '.join(rows)}.")
    return visible(" ".join(parts))
