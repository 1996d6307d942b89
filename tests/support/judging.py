"""A trial's verdict, and changes of its timeline to judge it by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support import synthetic as s
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.run_folder import TrialFolder

Events = list[dict[str, Any]]


def viewed(root: Path, trial: s.Trial) -> TrialView:
    """What a report shows of a trial, whose evidence is written there."""
    return view_trial(read_trial(TrialFolder(trial.write(root, 1))))


def judged(folder: Path) -> tuple[str, str]:
    summary = view_trial(read_trial(TrialFolder(folder))).summary
    return summary.verdict, summary.reason


def rewrite(folder: Path, change: Callable[[Events], Events]) -> None:
    path = folder / "timeline.jsonl"
    events = change([json.loads(line) for line in path.read_text().splitlines()])
    path.write_text("".join(json.dumps(event) + "\n" for event in events))


def changed(kind: str, **keys: Any) -> Callable[[Events], Events]:
    """Set keys of the first event of a kind."""

    def change(events: Events) -> Events:
        next(event for event in events if event["event"] == kind).update(keys)
        return events

    return change


def without(kind: str) -> Callable[[Events], Events]:
    return lambda events: [event for event in events if event["event"] != kind]


def added(kind: str, at: int, **keys: Any) -> Callable[[Events], Events]:
    event = {"t_ns": s.START_NS + at, "event": kind, **keys}
    return lambda events: sorted([*events, event], key=lambda line: int(line["t_ns"]))


def waiting(folder: Path, host: str, since: int, until: int) -> None:
    """Have a host wait for a processor from one moment to another, all the time."""
    other = "AB".replace(host, "")
    for at in range(-s.S, 40 * s.S, s.S // 2):
        waited = max(0, min(at, until) - since)
        rewrite(folder, added("run_delay", at, hosts={host: waited, other: 0}))
