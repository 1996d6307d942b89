"""What a trial left behind, cut to what a reader needs: transcripts, packets, logs, configurations, files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from viplab.analysis.model import FrameRow, LogLine, TrialView
from viplab.evidence import HostName
from viplab.report.text import middle_out

FRAMES, LOG_LINES, CONFIG_LINES, ARP_LINES = 60, 120, 80, 12


@dataclass(frozen=True)
class Omission:
    """So many rows are not shown here."""

    rows: int


@dataclass(frozen=True)
class ConfigLine:
    """A line of a configuration; `differs` where the other host has no such line."""

    text: str
    differs: bool


@dataclass(frozen=True)
class RawFile:
    """A file of the trial's folder, linked relative to the report."""

    href: str
    path: str
    size: str


def ping_excerpt(text: str, lost_seqs: list[int]) -> str:
    """The transcript as the article prints it: head, replies around each loss or switch, statistics, `...` between."""
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    shown = {*range(3), *range(len(lines) - 4, len(lines))}
    for position, line in enumerate(lines):
        if _notable(line, lost_seqs):
            shown.update(range(position - 2, position + 3))
    if not lost_seqs:
        shown.update(_slowest(lines))
    kept: list[str] = []
    for position, line in enumerate(lines):
        if position in shown or (position - 1 in shown and position + 1 in shown):
            kept.append(line)
        elif kept and kept[-1] != "...":
            kept.append("...")
    return "\n".join(middle_out(kept, 40, 12))


def arp_excerpt(text: str | None, vip: str) -> str | None:
    """`arp -an`: the VIP's line, and the others as far as they fit."""
    if text is None:
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    first = [line for line in lines if f"({vip})" in line]
    return "\n".join(middle_out([*first, *(line for line in lines if line not in first)], ARP_LINES, 0))


def frames_excerpt(frames: list[FrameRow]) -> list[FrameRow | Omission]:
    """All frames where they are few; else those that are marked, with their neighbours."""
    if len(frames) <= FRAMES:
        return list(frames)
    reach = 2
    marked = [position for position, frame in enumerate(frames) if frame.mark]
    while True:
        shown = sorted({near for at in marked for near in range(at - reach, at + reach + 1)})
        shown = [position for position in shown if 0 <= position < len(frames)]
        if len(shown) <= FRAMES or reach == 0:
            break
        reach -= 1
    return _with_omissions(frames, (shown or list(range(FRAMES)))[:FRAMES])


def merged_logs(logs: dict[HostName, list[LogLine]]) -> list[LogLine | Omission]:
    """The logs of both hosts on one axis; a line that could not be dated stays behind the dated one before it."""
    dated: list[tuple[float, LogLine]] = []
    for host in sorted(logs):
        last_s = float("-inf")
        for line in logs[host]:
            last_s = line.time_s if line.time_s is not None else last_s
            dated.append((last_s, line))
    lines = [line for _, line in sorted(dated, key=lambda pair: pair[0])]
    if len(lines) <= LOG_LINES:
        return list(lines)
    head, tail = LOG_LINES // 3, LOG_LINES - LOG_LINES // 3
    return [*lines[:head], Omission(len(lines) - head - tail), *lines[-tail:]]


def configurations(trial: TrialView) -> dict[HostName, list[ConfigLine] | None]:
    """Both configurations line by line, with what the two do not share."""
    texts: dict[HostName, list[str] | None] = {}
    for host in sorted(trial.config):
        text = trial.config[host]
        texts[host] = None if text is None else middle_out(text.rstrip("\n").split("\n"), CONFIG_LINES, 0)
    known = {host: {line.strip() for line in lines} for host, lines in texts.items() if lines is not None}
    result: dict[HostName, list[ConfigLine] | None] = {}
    for host, lines in texts.items():
        others = [other for name, other in known.items() if name != host]
        if lines is None:
            result[host] = None
        else:
            result[host] = [ConfigLine(line, any(line.strip() not in other for other in others)) for line in lines]
    return result


def raw_files(run: Path, trial: str) -> list[RawFile]:
    """Every file of the trial's folder, by name; none where the folder is not at hand."""
    root = run / "trials" / trial
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
    return [
        RawFile(quote(path.relative_to(run).as_posix()), path.relative_to(root).as_posix(), _size(path.stat().st_size))
        for path in files
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


_SEQ = re.compile(r"icmp_(?:seq|req)=(\d+)\b.*?time=([\d.]+)")


def _notable(line: str, lost_seqs: list[int]) -> bool:
    """Whether a loss lies right before or after this reply, or ping itself complains on this line."""
    match = _SEQ.search(line)
    if match is None:
        return "Unreachable" in line
    return int(match[1]) + 1 in lost_seqs or int(match[1]) - 1 in lost_seqs


def _slowest(lines: list[str]) -> range:
    """The slowest reply after the first and what stands around it, which is where a switch without loss shows."""
    timed = [(float(m[2]), at) for at, line in enumerate(lines) if (m := _SEQ.search(line)) and m[1] != "1"]
    if not timed:
        return range(0)
    _, at = max(timed, key=lambda pair: (pair[0], -pair[1]))
    return range(at - 4, at + 4)


def _with_omissions(frames: list[FrameRow], shown: list[int]) -> list[FrameRow | Omission]:
    rows: list[FrameRow | Omission] = []
    expected = 0
    for position in shown:
        if position > expected:
            rows.append(Omission(position - expected))
        rows.append(frames[position])
        expected = position + 1
    if expected < len(frames):
        rows.append(Omission(len(frames) - expected))
    return rows


def _size(size: int) -> str:
    if size < 1000:
        return f"{size}\u00a0B"
    return f"{size / 1e3:.1f}\u00a0kB" if size < 1e6 else f"{size / 1e6:.1f}\u00a0MB"
