"""What several commands are given: a run, the folder in which runs are kept, what undecided counts as."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viplab.cli import completing
from viplab.errors import UndecidedAs

if TYPE_CHECKING:
    from viplab.store import RunStore

Run = Annotated[
    str,
    typer.Argument(
        help="A run: its folder, its id or the beginning of it, or `latest`.", autocompletion=completing.runs
    ),
]
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


def run_store(results: Path | None) -> RunStore:
    """The runs under a folder, or where runs are kept if none is named."""
    from viplab.store import RunStore

    return RunStore(results)
