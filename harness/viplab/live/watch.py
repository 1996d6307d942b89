"""The loop: look four times a second, show what is new. Started as `python -m viplab.live.watch` for `run --live`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.live import Live

from viplab.errors import InputError
from viplab.live import screen
from viplab.live.follow import Tail, is_over, newest_trial
from viplab.live.picture import Picture
from viplab.run_folder import RunFolder, TrialFolder
from viplab.store import RunStore
from viplab.untrusted_data import json_value

LOOK_EVERY_S = 0.25
NICE = 19


@dataclass
class Spectator:
    """One trial under watch."""

    trial: TrialFolder
    picture: Picture = field(default_factory=Picture)

    def __post_init__(self) -> None:
        self._events = Tail(self.trial.path, self.trial.timeline)
        self._ping = Tail(self.trial.path, self.trial.ping)

    def look(self, now_ns: int) -> None:
        """Read what is new."""
        if self.picture.info is None:
            with suppress(InputError):
                self.picture.info = self.trial.info()
        for line in self._events.lines():
            with suppress(ValueError):
                event = json_value(line)
                if isinstance(event, dict):
                    self.picture.heard(event)
        for line in self._ping.lines():
            self.picture.pinged(line)
        self.picture.looked(now_ns)


def watch(run: RunFolder, console: Console, over: Callable[[], bool]) -> None:
    """Show a run until it is over: a panel that changes on a terminal, a line an event elsewhere."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            for spectator in _looks(run, over):
                live.update(screen.panel(spectator.picture, run.path.name), refresh=True)
        return
    shown = 0
    current: Spectator | None = None
    for spectator in _looks(run, over):
        if current is not spectator:
            current, shown = spectator, 0
            console.print(f"--- {spectator.trial.name}", markup=False)
        for news in spectator.picture.newest(shown):
            console.print(screen.line(spectator.picture, news), markup=False, soft_wrap=True)
        shown = spectator.picture.told


def _looks(run: RunFolder, over: Callable[[], bool]) -> Iterator[Spectator]:
    """The newest trial, looked at again and again; once more after the end, for what came last."""
    spectator: Spectator | None = None
    ended = False
    while True:
        newest = newest_trial(run)
        if newest is not None:
            if spectator is not None and spectator.trial.path != newest.path:
                spectator.look(time.time_ns())
                yield spectator
            if spectator is None or spectator.trial.path != newest.path:
                spectator = Spectator(newest)
            spectator.look(time.time_ns())
            yield spectator
        if ended:
            return
        ended = over() or is_over(run)
        if not ended:
            time.sleep(LOOK_EVERY_S)


@contextmanager
def beside(runs: RunStore) -> Iterator[None]:
    """Watch the run that is about to begin there, from a process of its own, for as long as the block lasts."""
    known = {run.path.name for run in runs.runs()}
    program = [sys.executable, "-m", "viplab.live.watch", str(runs.root), *known]
    process = subprocess.Popen(program, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _main(runs: RunStore, known: set[str]) -> None:
    os.nice(NICE)
    parent = os.getppid()
    asked_to_end = False

    def end(number: int, frame: object) -> None:
        nonlocal asked_to_end
        asked_to_end = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

    def over() -> bool:
        return asked_to_end or os.getppid() != parent

    while not over():
        fresh = [run for run in runs.runs() if run.path.name not in known]
        if fresh:
            watch(fresh[0], Console(stderr=True, highlight=False), over)
            return
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    _main(RunStore(Path(sys.argv[1])), set(sys.argv[2:]))
