"""Where the time of a run's trials goes: what the protocol takes, and what the bench adds to it.

`python benchmarks/bench_waiting.py RUN...` prints a table in Markdown with a column for each run folder: medians over
those of its trials that were not broken off, in seconds.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from viplab.run_folder import RunFolder, TrialFolder
from viplab.types import Event

PARTS = (
    "hosts: fresh and configured, or restored",
    "observers begin; clocks of the guests",
    "set-up: starts of the daemons",
    "measured steps: probes, preparing faults",
    "logs and answers of the guests; observers end",
    "bench, in all",
    "the protocol: what the steps waited for",
    "trial",
    "protocol / trial",
)


def parts(events: list[Event]) -> dict[str, float]:
    """Seconds of one trial by part; the last is a share."""
    begun_ns, ended_ns = events[0].t_ns, events[-1].t_ns
    ready_ns = next(event.t_ns for event in events if event.event in ("prepared", "restored"))
    steps = [event for event in events if event.event in ("step_started", "step_finished")]
    measured_ns = next(event.t_ns for event in events if event.event == "probe_started")
    waited_s = {phase: sum(_waited_s(steps, phase)) for phase in ("setup", "steps")}
    first_ns, last_ns = min(steps[0].t_ns, measured_ns), steps[-1].t_ns
    before = [event.t_ns for event in steps if event.get("phase") == "setup"] or [first_ns]
    found = [
        ready_ns - begun_ns,
        first_ns - ready_ns,
        before[-1] - first_ns - waited_s["setup"] * 1e9,
        last_ns - before[-1] - waited_s["steps"] * 1e9,
        ended_ns - last_ns,
    ]
    bench_s, floor_s = sum(found) / 1e9, sum(waited_s.values())
    values = [*(part / 1e9 for part in found), bench_s, floor_s, bench_s + floor_s, floor_s / (bench_s + floor_s)]
    return dict(zip(PARTS, values, strict=True))


def _waited_s(steps: list[Event], phase: str) -> Iterator[float]:
    yield from (e.get("waited_s", 0.0) for e in steps if e.event == "step_finished" and e.get("phase") == phase)


def _events(trial: TrialFolder) -> list[Event]:
    """The events of a trial; none of one that was broken off, of which a part would be missing."""
    events = list(trial.events())
    return [] if any(event.event == "error" for event in events) else events


def table(runs: dict[str, list[TrialFolder]]) -> str:
    """The medians of each run, side by side."""
    columns = {name: [parts(events) for events in map(_events, trials) if events] for name, trials in runs.items()}
    lines = [
        f"| s | {' | '.join(f'{name}, n = {len(found)}' for name, found in columns.items())} |",
        f"| --- |{' --- |' * len(columns)}",
    ]
    for part in PARTS:
        medians = (statistics.median(trial[part] for trial in found) for found in columns.values())
        lines.append(f"| {part} | {' | '.join(f'{median:.2f}' for median in medians)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table({Path(path).resolve().name: RunFolder(Path(path)).trials() for path in sys.argv[1:]}))
