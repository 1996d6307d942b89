"""Commands that tell what will happen before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from viplab.cli import completing
from viplab.cli.arguments import Config, adopted
from viplab.cli.printing import short, tell
from viplab.errors import ExitStatus
from viplab.lint.form import Form


def lint(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The keepalived.conf of each node.")],
    format: Annotated[
        Form, typer.Option("--format", help="Lines to read, or for a program or a code host.")
    ] = Form.TEXT,
) -> int:
    """Warn of what scenarios show to be dangerous in keepalived.conf; exit status 1 if there is something.

    Name the files of all nodes of a cluster together: some warnings are of what they contradict each other in.
    """
    from viplab.lint.forms import written
    from viplab.lint.read import read_cluster
    from viplab.lint.rules import warnings

    warned = warnings(read_cluster(files))
    text = written(warned, format)
    if text:
        tell(text.removesuffix("\n"))
    return ExitStatus.FAILED if warned else ExitStatus.OK


def explain(
    scenario: Annotated[str, typer.Argument(help="A scenario, by name or path.", autocompletion=completing.scenarios)],
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="A daemon, or one a host: A=NAME,B=NAME.", show_default="vipd")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Which of its behaviours it shows.", show_default="its first")
    ] = None,
    config: Config = None,
) -> None:
    """Say what a scenario will do, step by step, with the times that follow from its timers; nothing is run."""
    from viplab.report.explain import explanation
    from viplab.scenario.load import resolve
    from viplab.subjects.registry import DEFAULT, chosen

    (daemons,) = chosen([subject or DEFAULT], profile)
    for number, (_, found) in enumerate(adopted(resolve([scenario]), config)):
        for line in ([""] if number else []) + explanation(found, daemons):
            tell(line)


def new_scenario(name: Annotated[str, typer.Argument(help="Its name, of small letters, digits and dashes.")]) -> None:
    """Write a scenario to begin with into this folder; it runs as it is."""
    from viplab.scenario.new import new_scenario as written

    path = short(written(name, Path.cwd()))
    tell(f"{path} is there; `viplab explain {path}` tells it, `viplab run {path} --lab netns` does it")
