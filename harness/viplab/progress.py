"""Tells the user what a long step waits for and for how long; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show `what` while the block runs and its duration when it is done.

    On a terminal a spinner counts the seconds; elsewhere one line is printed when the step starts and one when it ends.
    """
    started = time.monotonic()
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(escape(what), total=None)
            yield
    else:
        console.print(f"... {what}", markup=False)
        yield
    console.print(f"[green]ok[/]  {escape(what)} [dim]({time.monotonic() - started:.1f} s)[/]")


def note(text: str) -> None:
    """Print one line of news."""
    console.print(f"    {text}", markup=False)
