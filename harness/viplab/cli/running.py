"""`viplab run`: the one command that measures."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from viplab.cli import completing
from viplab.cli.arguments import Config, Results, Undecided, adopted, run_store
from viplab.cli.for_ci import keeping_junit, write_junit
from viplab.cli.judging import answer, judged
from viplab.cli.printing import out
from viplab.errors import InputError, OnFailure

_IN_A_RECIPE = ("subject", "profile", "trials", "seed", "lab", "image", "workers", "config")


class NamesPlugIns(TyperCommand):
    """A command whose help ends with the subjects and labs there are; only who asks for help waits for the look."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write them."""
        from viplab.lab import registry as labs
        from viplab.subjects import registry as subjects

        formatter.write(f"\nSubjects: {', '.join(subjects.names())}\nLabs: {', '.join(labs.names())}\n")
        formatter.write("Each option may come from the environment: VIPLAB_LAB=netns, VIPLAB_TIMEOUT_FACTOR=2\n")


@keeping_junit
def run(
    context: typer.Context,
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, paths, suites of scenarios/suites.yaml, or all.",
            show_default="the first suite",
            autocompletion=completing.scenarios,
        ),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A daemon, a build of it ([LABEL=]keepalived@FILE.deb, vipd@COMMIT), or one for each host "
            "(A=keepalived,B=vipd); more than once for several.",
            show_default="vipd",
            autocompletion=completing.subjects,
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Which of its behaviours a subject shows.", show_default="its first")
    ] = None,
    config: Config = None,
    trials: Annotated[int, typer.Option(min=1, help="How often to do each scenario.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="Places the faults within the advert interval; drawn if left out.")
    ] = None,
    lab: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What the hosts are: guests, or namespaces, which need no image.",
            show_default="libvirt",
            autocompletion=completing.labs,
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What guests are made from: a folder of vmimages/, such as debian-13, or a cloud image, FILE.qcow2.",
            show_default="debian-12",
        ),
    ] = None,
    connect: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="Have the guests on this machine's own libvirt, qemu:///system; what is others' there stays as it is.",
            show_default="a private libvirtd",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=8, help="How many labs side by side, where they may be.")] = 1,
    cold_start: Annotated[
        bool,
        typer.Option(
            "--cold-start",
            help="Start the daemons for every trial, also where guests could go on from the memory of a steady pair.",
        ),
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Do a run again, from its folder's recipe.yaml; scenarios, subjects, trials, seed, lab and image are "
            "in it."
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Go on with a run that was broken off: its recipe says what was asked, whole trials are kept.",
            autocompletion=completing.runs,
        ),
    ] = None,
    timeout_factor: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=100,
            help="Multiplies every time limit, for slow machines.",
            show_default="by how long a guest took to boot; 1 for namespaces",
        ),
    ] = None,
    require_kvm: Annotated[
        bool, typer.Option("--require-kvm", help="Refuse, with exit status 69, to emulate guests.")
    ] = False,
    on_failure: Annotated[
        OnFailure | None,
        typer.Option(
            "--on-failure",
            help="Look around where a trial failed: in a shell, after which the run goes on, or in a lab that is kept.",
        ),
    ] = None,
    undecided: Undecided = None,
    report: Annotated[bool, typer.Option("--report", help="Write the report as well.")] = False,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit XML for CI there, also when the run fails.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Show what happens as it happens.")] = False,
    results: Results = None,
) -> int:
    """Run scenarios on real guests, judge them, and print the result."""
    from viplab.experiment import on_failure as failures
    from viplab.experiment import session
    from viplab.experiment.plan import Plan
    from viplab.experiment.recipe import plan_of
    from viplab.experiment.resume import is_whole
    from viplab.lab import registry as labs
    from viplab.scenario.load import resolve
    from viplab.subjects.registry import DEFAULT, chosen

    started = time.monotonic()
    if resume is not None or recipe is not None:
        _refuse_beside_a_recipe(context, "--resume" if resume is not None else "--recipe")
    runs = run_store(results)
    resumed = None if resume is None else runs.find(resume)
    kept = set() if resumed is None else {trial.name for trial in resumed.trials() if is_whole(trial)}
    if resumed is not None:
        if scenarios or recipe is not None:
            raise InputError(
                f"--resume: the recipe of {resumed.path.name} says what to do; name neither scenarios nor another"
            )
        plan = plan_of(resumed.recipe, resumes=True)
    elif recipe is not None:
        if scenarios:
            raise InputError(f"either scenarios or --recipe: {recipe} names its own")
        plan = plan_of(recipe)
    else:
        kind = labs.lab_kind(lab or labs.DEFAULT)
        # VIPLAB_IMAGE says what guests are made from, and is no objection to a lab that has none.
        if image is not None and (kind.image is not None or _on_command_line(context, "image")):
            kind = labs.with_image(kind, image)
        plan = Plan(
            scenarios=adopted(resolve(scenarios or []), config, kind),
            subjects=chosen(subject or [DEFAULT], profile),
            trials=trials,
            seed=seed,
            lab=kind,
            workers=workers,
        )
    if cold_start:
        plan = replace(plan, cold_start=True)
    if timeout_factor is not None:
        plan = replace(plan, timeout_factor=timeout_factor)
    if require_kvm:
        plan = replace(plan, lab=labs.requiring_kvm(plan.lab))
    # VIPLAB_CONNECT says where guests are, and is no objection to a lab that has none.
    if connect is not None and (plan.lab.image is not None or _on_command_line(context, "connect")):
        plan = replace(plan, lab=labs.connected_to(plan.lab, connect))
    if on_failure is not None and plan.workers > 1:
        raise InputError("--on-failure: is for one lab, and --workers asks for several")
    after_trial = failures.go_on if on_failure is None else failures.after_trial(on_failure)
    if live:
        from viplab.live.watch import beside
        from viplab.progress import leave_steps_to_watch

        leave_steps_to_watch()
    with beside(runs) if live else nullcontext():
        folder = session.run(plan, runs, resumed, after_trial)
    view = judged(folder, report=report)
    if junit is not None:
        write_junit(junit, view, folder)
    wall_s = time.monotonic() - started
    floor_s = sum(trial.summary.floor_s or 0 for trial in view.trials if trial.name not in kept)
    out().print(
        f"{wall_s:.0f} s in all, {floor_s:.0f} s of them the protocol's own (floor_s / wall_s = {floor_s / wall_s:.0%})"
    )
    return answer(view.exit_status, undecided)


def _refuse_beside_a_recipe(context: typer.Context, option: str) -> None:
    """Refuse what the recipe says already, lest somebody believe that it was done; of the environment, say so.

    Raises:
        InputError: an option says it otherwise.
    """
    from viplab.progress import note

    for name in _IN_A_RECIPE:
        if _on_command_line(context, name):
            raise InputError(f"{option}: the run's recipe says what --{name} would; leave that out, or begin a new run")
        if _source(context, name) == "ENVIRONMENT":
            note(f"VIPLAB_{name.upper()} counts for nothing here: {option} takes what the run's recipe says")


def _on_command_line(context: typer.Context, name: str) -> bool:
    """Whether an option was given there, and comes neither from the environment nor from its default."""
    return _source(context, name) == "COMMANDLINE"


def _source(context: typer.Context, name: str) -> str | None:
    """Where an option's value comes from, by click's name for it."""
    source = context.get_parameter_source(name)
    # By its name: typer brings a click of its own, or takes the one that is installed.
    return None if source is None else source.name
