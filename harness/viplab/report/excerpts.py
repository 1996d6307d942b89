"""What a trial left behind, cut to what a reader needs: transcripts, packets, logs, configurations, files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from urllib.parse import quote

from viplab.analysis.views import FrameRow, LogLine, TrialView
from viplab.regular_files import regular_files
from viplab.report import units
from viplab.report.text import middle_out
from viplab.report.timeline import BEFORE_S
from viplab.types import HostName

FRAMES, LOG_LINES, CONFIG_LINES, ARP_LINES = 60, 120, 80, 12
MOST_FILES = 200
"""Raw files of a trial that are linked; an honest one has a dozen."""
BURST_S = 0.1
"""Equal frames or log lines that follow each other this closely are shown once, with their number."""


@dataclass(frozen=True)
class Omission:
    """A row that stands for others; `text` says which, `host` whose they are where it is one host's."""

    text: str
    host: HostName | None = None


@dataclass(frozen=True)
class ConfigLine:
    """A line of a configuration; `differs` where another host has no such line."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Configuration:
    """A configuration file of a host; `lines` is None where it was not kept."""

    host: HostName
    name: str
    lines: list[ConfigLine] | None


@dataclass(frozen=True)
class RawFile:
    """A file of the trial's folder, linked relative to the report."""

    href: str
    path: str
    size: str


def ping_excerpt(trial: TrialView) -> str:
    """The transcript as the article prints it: head, the replies around each loss or switch, statistics, `...` between.

    Where nothing was lost and no other host answered, the slowest reply after the first stands for the switch.
    """
    if trial.ping is None:
        return ""
    lines = trial.ping.text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    notable = {near for seq in _eventful(trial) for near in range(seq - 2, seq + 3)}
    shown = {*range(3), *range(len(lines) - 4, len(lines))}
    shown |= {at for at, line in enumerate(lines) if _seq(line) in notable or "Unreachable" in line}
    kept: list[str] = []
    for at, line in enumerate(lines):
        if at in shown or (at - 1 in shown and at + 1 in shown):
            kept.append(line)
        elif kept and kept[-1] != "...":
            kept.append("...")
    return "\n".join(middle_out(kept, 40, 12))


def neighbours_excerpt(text: str | None, vip: str) -> str | None:
    """The printed neighbour table: the VIP's line, and the others as far as they fit."""
    if text is None:
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    first = [line for line in lines if {vip, f"({vip})"} & set(line.split())]
    return "\n".join(middle_out([*first, *(line for line in lines if line not in first)], ARP_LINES, 0))


def frames_excerpt(frames: list[FrameRow]) -> list[FrameRow | Omission]:
    """The frames with bursts drawn together; where they are many, those that are marked and their neighbours."""
    rows = _bursts(frames)
    if len(rows) <= FRAMES:
        return rows
    marked = [at for at, row in enumerate(rows) if isinstance(row, FrameRow) and row.mark]
    shown: list[int] = []
    for reach in (2, 1, 0):
        near = {place for at in marked for place in range(at - reach, at + reach + 1)}
        shown = sorted(place for place in near if 0 <= place < len(rows))
        if len(shown) <= FRAMES:
            break
    return _with_omissions(rows, (shown or list(range(FRAMES)))[:FRAMES])


def merged_logs(trial: TrialView) -> list[LogLine | Omission]:
    """The logs of all hosts on one axis, from a little before the first fault on.

    A line that could not be dated stays behind the dated one before it; equal lines that follow each other are one.
    """
    dated: list[tuple[float, LogLine]] = []
    for host in sorted(trial.logs):
        last_s = float("-inf")
        for line in trial.logs[host]:
            last_s = line.time_s if line.time_s is not None else last_s
            dated.append((last_s, line))
    dated.sort(key=lambda pair: pair[0])
    from_s = min((fault.at_s for fault in trial.faults), default=float("-inf")) - BEFORE_S
    early = sum(1 for at_s, line in dated if at_s < from_s and line.time_s is not None)
    lines = [line for at_s, line in dated if at_s >= from_s or line.time_s is None]
    rows: list[LogLine | Omission] = [Omission(f"{units.count(early, 'earlier line')}, of the set-up")] if early else []
    rows += _repeats(lines)
    if len(rows) <= LOG_LINES:
        return rows
    head, tail = LOG_LINES // 3, LOG_LINES - LOG_LINES // 3
    return [*rows[:head], Omission(f"{len(rows) - head - tail} rows left out"), *rows[-tail:]]


def configurations(trial: TrialView) -> list[Configuration]:
    """Every configuration file, host by host, line by line, with what the hosts do not share."""
    texts = {
        (name, host): None if text is None else middle_out(text.rstrip("\n").split("\n"), CONFIG_LINES, 0)
        for host, files in trial.config.items()
        for name, text in files.items()
    }
    known = {key: {line.strip() for line in lines} for key, lines in texts.items() if lines is not None}
    result = []
    for (name, host), lines in sorted(texts.items()):
        others = [other for key, other in known.items() if key[0] == name and key[1] != host]
        marked = [ConfigLine(line, any(line.strip() not in other for other in others)) for line in lines or []]
        result.append(Configuration(host, name, None if lines is None else marked))
    return result


def raw_files(run: Path, trial: str, base: str = "") -> list[RawFile]:
    """The files of the trial’s folder, linked from `base`, which leads to the run; none where that is not at hand."""
    root = run / "trials" / trial
    return [
        RawFile(
            base + quote(os.fsencode(path.relative_to(run))),
            path.relative_to(root).as_posix(),
            _size(path.lstat().st_size),
        )
        for path in regular_files(run, root)[:MOST_FILES]
    ]


def sequences(numbers: list[int]) -> str:
    """Sequence numbers with runs drawn together: `9 to 12, 40`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[1]}" for run in runs]
    return ", ".join(words[:8]) + (", …" if len(words) > 8 else "")


_SEQ = re.compile(r"icmp_(?:seq|req)=(\d{1,9})\b")


def _seq(line: str) -> int | None:
    match = _SEQ.search(line)
    return int(match[1]) if match else None


def _eventful(trial: TrialView) -> list[int]:
    """Sequence numbers that were lost or that another host answered than the one before; else the slowest."""
    assert trial.ping is not None
    answered = [trip for trip in trial.ping_trips if trip.mac is not None]
    switched = [after.seq for before, after in pairwise(answered) if before.mac != after.mac]
    found = [*trial.ping.summary.lost_seqs, *switched]
    later = [reply for reply in trial.ping.replies if reply.seq > 1]
    return found or [reply.seq for reply in sorted(later, key=lambda reply: -reply.rtt_ms)[:1]]


def _bursts(frames: list[FrameRow]) -> list[FrameRow | Omission]:
    """Frames with each run of equal ones, the marked kept apart, as its first and a count of the rest."""
    rows: list[FrameRow | Omission] = []
    at = 0
    while at < len(frames):
        first = frames[at]
        end = at + 1
        while end < len(frames) and _alike(frames[end - 1], frames[end]):
            end += 1
        rows.append(first)
        if end - at > 2:
            spread = units.seconds(frames[end - 1].time_s - first.time_s)
            rows.append(Omission(f"and {end - at - 1} more like it, within {spread}"))
        else:
            rows += frames[at + 1 : end]
        at = end
    return rows


def _alike(one: FrameRow, other: FrameRow) -> bool:
    fields = ("source", "destination", "protocol", "info", "network")
    same = all(getattr(one, field) == getattr(other, field) for field in fields)
    return same and other.mark is None and other.time_s - one.time_s <= BURST_S


def _repeats(lines: list[LogLine]) -> list[LogLine | Omission]:
    """Lines with each run of equal ones as its first and a count of the rest."""
    rows: list[LogLine | Omission] = []
    for _, run in groupby(lines, key=lambda line: (line.host, line.stamp, line.ident, line.message)):
        same = list(run)
        rows.append(same[0])
        if len(same) > 1:
            rows.append(Omission(f"and {len(same) - 1} more like it", same[0].host))
    return rows


def _with_omissions(rows: list[FrameRow | Omission], shown: list[int]) -> list[FrameRow | Omission]:
    kept: list[FrameRow | Omission] = []
    expected = 0
    for at in [*shown, len(rows)]:
        if at > expected:
            kept.append(Omission(f"{at - expected} rows left out"))
        if at < len(rows):
            kept.append(rows[at])
        expected = at + 1
    return kept


def _size(size: int) -> str:
    if size < 1000:
        return f"{size}\u00a0B"
    return f"{size / 1e3:.1f}\u00a0kB" if size < 1e6 else f"{size / 1e6:.1f}\u00a0MB"


def rate(trial: TrialView) -> str | None:
    """Requests a second that the probe achieved, by the stamps of its first and last; None where there was no probe."""
    trips = trial.probe
    spent_s = trips[-1].sent_s - trips[0].sent_s if trips else 0.0
    return f"{(len(trips) - 1) / spent_s:.2f}" if spent_s > 0 else None


def rate_asked(trial: TrialView) -> str | None:
    """Requests a second that it was asked for."""
    return f"{1 / trial.info.probe_interval_s:g}" if trial.info.probe_interval_s else None
