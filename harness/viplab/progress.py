"""Tells the user what a long step waits for and for how long; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show `what` while the block runs and its duration when it is done.

    On a terminal a spinner counts the seconds; elsewhere one line is printed when the step starts and one when it ends.
    """
    started = time.monotonic()
    if console.is_terminal:
        with _spinner() as progress:
            progress.add_task(escape(what), total=None)
            yield
    else:
        console.print(f"... {what}", markup=False)
        yield
    _ok(what, f"{time.monotonic() - started:.1f} s")


def note(text: str) -> None:
    """Print one line of news."""
    console.print(f"    {text}", markup=False, soft_wrap=True)


_watched = False


def leave_steps_to_watch() -> None:
    """Say nothing of a trial's steps from now on: somebody else shows them (`run --live`)."""
    global _watched
    _watched = True


class StepLines:
    """Shows a trial's steps as its timeline names them: one spinner line on a terminal, a line a step elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._progress = _spinner() if console.is_terminal and not _watched else None
        self._task: TaskID | None = None
        self._error: str | None = None

    def __enter__(self) -> StepLines:
        if self._progress is not None:
            self._progress.start()
            self._task = self._progress.add_task(escape(self._what), total=None)
        elif not _watched:
            console.print(f"... {self._what}", markup=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def heard(self, event: dict[str, Any]) -> None:
        """Listen to one event of the timeline."""
        if event["event"] == "step_started":
            text = f"{event['phase']}: {event['step']}"
            if self._progress is not None and self._task is not None:
                self._progress.update(self._task, description=escape(f"{self._what}  {text}"))
            elif not _watched:
                console.print(f"      {text}", markup=False)
        elif event["event"] == "error":
            self._error = event["message"]

    def done(self, took: str) -> None:
        """The trial is over."""
        if self._progress is not None:
            self._progress.stop()
        if self._error is None:
            if not _watched:
                _ok(self._what, took)
        else:
            console.print(
                f"[red]!![/]  {escape(self._what)} [dim]({took})[/]: broken off, {escape(self._error)}", soft_wrap=True
            )


def _spinner() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _ok(what: str, took: str) -> None:
    console.print(f"[green]ok[/]  {escape(what)} [dim]({took})[/]")
