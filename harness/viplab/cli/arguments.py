"""What several commands are given: a run, the folder in which runs are kept, what undecided counts as."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viplab.cli import completing
from viplab.errors import InputError, UndecidedAs

if TYPE_CHECKING:
    from viplab.lab.lab import LabKind
    from viplab.scenario.model import Scenario
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
Config = Annotated[
    str | None,
    typer.Option(
        metavar="A=FILE,B=FILE",
        help="Configure the hosts with these keepalived.conf, rewritten in names and addresses only.",
        show_default="what each scenario asks for",
    ),
]

Undecided = Annotated[
    UndecidedAs | None,
    typer.Option(help="For those who take two answers only: exit with 0 (pass) or 1 (fail) where it would be 2."),
]


def adopted(
    scenarios: list[tuple[str, Scenario]], config: str | None, lab: LabKind | None = None
) -> list[tuple[str, Scenario]]:
    """The scenarios, with the user's own configuration if one is named; says what was rewritten, and what is left out.

    With a lab it also says what its hosts have to have for it.

    Raises:
        InputError: it cannot be used, or no scenario can be done with it.
    """
    if config is None:
        return scenarios
    from viplab.config.adopting import own
    from viplab.progress import note

    given, made = own(config), []
    needed = [] if lab is None else given.check_scripts(here=lab.image is None)
    for line in (*given.changed, *given.notes, *needed):
        note(str(line))
    for text, scenario in scenarios:
        if why := given.does_not_suit(scenario):
            note(f"{scenario.scenario}: not done: {why}")
            continue
        own_text, own_scenario, said = given.into(text, scenario)
        for line in said:
            note(f"{scenario.scenario}: {line}")
        made.append((own_text, own_scenario))
    if not made:
        raise InputError("--config: none of these scenarios can be done with it: see above")
    return made


def run_store(results: Path | None) -> RunStore:
    """The runs under a folder, or where runs are kept if none is named."""
    from viplab.store import RunStore

    return RunStore(results)
