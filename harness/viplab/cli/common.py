"""What every command shares: the words for a run, where results are printed, and how a failure to write is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viplab.errors import ExitStatus, InputError, UndecidedAs

if TYPE_CHECKING:
    from rich.console import Console

    from viplab.analysis.views import RunView
    from viplab.run_folder import RunFolder
    from viplab.store import RunStore

LONGEST = 10_000
"""Characters of a line that are printed."""
DAMAGE_SHOWN = 20
"""Lines that `analyze` and `report` print of what is wrong with a folder; the report has them all."""

Run = Annotated[str, typer.Argument(help="A run: its folder, its id or the beginning of it, or `latest`.")]
Results = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", envvar="VIPLAB_RESULTS", show_default="results/runs", help="The folder in which runs are kept."
    ),
]

Undecided = Annotated[
    UndecidedAs | None,
    typer.Option(help="For those who take two answers only: exit with 0 (pass) or 1 (fail) where it would be 2."),
]


def judged(folder: RunFolder, *, report: bool) -> RunView:
    """Judge a run from its folder, keep the summary there, and print it; with `report` write the report as well."""
    from viplab.analysis.run import analyze as analyse
    from viplab.analysis.run import write_summary, write_trials
    from viplab.report.console import summary_table

    view = analyse(folder)
    with writing():
        write_summary(folder, view)
        write_trials(folder, view)
    out().print(summary_table(view))
    if report:
        from viplab.report.forms import write_site

        with writing():
            write_site(folder, view)
        tell(f"report: {short(folder.report)}")
    else:
        tell(f"summary: {short(folder.summary)}")
    return view


def status_of(view: RunView) -> int:
    """The exit status of a run that was read from its folder, where damage is said line by line."""
    if not view.damage:
        return view.exit_status
    shown = view.damage[:DAMAGE_SHOWN]
    more = [f"and {len(view.damage) - len(shown)} more"] if len(view.damage) > len(shown) else []
    raise InputError("\n".join([*shown, *more, "what could be judged was"]))


def answer(status: int, undecided: UndecidedAs | None) -> int:
    """The exit status for whoever takes two answers only; what is printed stays undecided."""
    return status if undecided is None or status != ExitStatus.UNDECIDED else undecided.exit_status


@cache
def out() -> Console:
    """Where results are printed."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 100)


def tell(line: str) -> None:
    """Print a line as it is; what a folder from elsewhere has put into it does nothing to the terminal."""
    from viplab.report.text import visible

    out().print(visible(line, LONGEST), soft_wrap=True, markup=False)


def run_store(results: Path | None) -> RunStore:
    """The runs under a folder, or where runs are kept if none is named."""
    from viplab.store import RunStore

    return RunStore(results)


@contextmanager
def writing() -> Iterator[None]:
    """Have a file that cannot be written said in one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror})") from None


def short(path: Path) -> Path:
    """Relative to where the user stands, if that is shorter."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
