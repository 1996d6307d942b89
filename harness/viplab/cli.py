"""The command line. Everything it does is done elsewhere; here stand the words, and what a failure looks like.

Each command imports what it needs when it is called, so that `--help` answers at once and a report needs no lab.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from viplab.errors import ExitStatus, InputError, Interrupted, UndecidedAs, ViplabError

if TYPE_CHECKING:
    from rich.console import Console

    from viplab.analysis.views import RunView
    from viplab.run_folder import RunFolder
    from viplab.store import RunStore

app = typer.Typer(
    help="Measures what clients see when a virtual IP moves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
image_app = typer.Typer(help="Guest images in the cache.", no_args_is_help=True)
app.add_typer(image_app, name="image")

# Typer brings a click of its own or uses the installed one; this is the class that its usage errors share, either way.
_UsageProblem: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

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


class _NamesPlugIns(TyperCommand):
    """A command whose help ends with the subjects and labs there are; only who asks for help waits for the look."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write them."""
        from viplab.lab import registry as labs
        from viplab.subjects import registry as subjects

        formatter.write(f"\nSubjects: {', '.join(subjects.names())}\nLabs: {', '.join(labs.names())}\n")


@app.command(cls=_NamesPlugIns)
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(help="Names, paths, suites of scenarios/suites.yaml, or all.", show_default="the first suite"),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A daemon; more than once for several.", show_default="vipd"),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Which of its behaviours a subject shows.", show_default="its first")
    ] = None,
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
            help="Do a run again, from its folder's recipe.yaml; scenarios, subjects, trials, seed and lab are in it."
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
    undecided: Undecided = None,
    report: Annotated[bool, typer.Option("--report", help="Write the report as well.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Show what happens as it happens.")] = False,
    results: Results = None,
) -> int:
    """Run scenarios on real guests, judge them, and print the result."""
    from viplab.experiment import session
    from viplab.experiment.plan import Plan
    from viplab.experiment.recipe import plan_of
    from viplab.lab import registry as labs
    from viplab.scenario.load import resolve
    from viplab.subjects.registry import DEFAULT, chosen

    started = time.monotonic()
    if recipe is not None:
        if scenarios:
            raise InputError(f"either scenarios or --recipe: {recipe} names its own")
        plan = plan_of(recipe)
    else:
        plan = Plan(
            scenarios=resolve(scenarios or []),
            subjects=chosen(subject or [DEFAULT], profile),
            trials=trials,
            seed=seed,
            lab=labs.lab_kind(lab or labs.DEFAULT),
            workers=workers,
        )
    if cold_start:
        plan = replace(plan, cold_start=True)
    if timeout_factor is not None:
        plan = replace(plan, timeout_factor=timeout_factor)
    if require_kvm:
        plan = replace(plan, lab=labs.requiring_kvm(plan.lab))
    if live:
        from viplab.live.watch import beside
        from viplab.progress import leave_steps_to_watch

        leave_steps_to_watch()
    runs = _runs(results)
    with beside(runs) if live else nullcontext():
        folder = session.run(plan, runs)
    view = _judge(folder, report=report)
    wall_s = time.monotonic() - started
    floor_s = sum(trial.summary.floor_s or 0 for trial in view.trials)
    out().print(
        f"{wall_s:.0f} s in all, {floor_s:.0f} s of them the protocol's own (floor_s / wall_s = {floor_s / wall_s:.0%})"
    )
    return _answer(view.exit_status, undecided)


@app.command()
def analyze(run: Run = "latest", undecided: Undecided = None, results: Results = None) -> int:
    """Recompute a run's summary from its folder alone, and print it.

    Where a part of the folder is missing or damaged the rest is judged all the same; the exit status is then 64.
    """
    return _answer(_status(_judge(_runs(results).find(run), report=False)), undecided)


@app.command()
def report(
    run: Run = "latest",
    single: Annotated[bool, typer.Option("--single", help="Only the one self-contained file, no site.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print it for an issue or a wiki instead.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON instead.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML for CI there instead.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR_OR_FILE",
            help="Write it there, not into the run's folder: the one file if the name ends in .html, or a folder.",
        ),
    ] = None,
    undecided: Undecided = None,
    results: Results = None,
) -> int:
    """Write a run's report from its folder alone: a site in `report/` and the same as one file, `report.html`.

    The exit status is that of `analyze`.
    """
    from viplab.analysis.run import analyze as analyse
    from viplab.analysis.run import summary_bytes, write_summary, write_trials
    from viplab.regular_files import write_named
    from viplab.report import forms
    from viplab.report.console import summary_table
    from viplab.report.junit import junit as junit_xml
    from viplab.report.markdown import markdown as in_markdown
    from viplab.run_folder import RunFolder

    if output is not None and (junit or markdown or json):
        raise InputError("--output: is for the report in HTML; --markdown and --json print, --junit names its own file")
    folder = _runs(results).find(run)
    view = analyse(folder)
    if junit is not None:
        with _writing():
            write_named(folder.path, junit, junit_xml(view).encode(errors="backslashreplace"))
    if markdown:
        sys.stdout.write(in_markdown(view))
    if json:
        sys.stdout.write(summary_bytes(view).decode())
    if not (junit or markdown or json):
        with _writing():
            if output is None:
                write_summary(folder, view)
                write_trials(folder, view)
            if output is not None and output.suffix == ".html":
                path = forms.write_file(output, view)
            else:
                there = RunFolder(output) if output is not None else folder
                path = forms.write_single(there, view) if single else forms.write_site(there, view)
        out().print(summary_table(view))
        _tell(f"report: {_short(path)}")
    return _answer(_status(view), undecided)


@app.command()
def compare(
    base: Annotated[str, typer.Argument(help="A run, or a baseline of results/baselines/.")],
    new: Annotated[str | None, typer.Argument(help="Another; left out: the same, with two --subject.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Twice: this one of BASE against that one of NEW.")] = None,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="What may differ, and is then reported: image (the guests' image and packages), host (the machine's "
            "kernel, qemu, libvirt; with namespaces for hosts its packages), or image,host.",
        ),
    ] = None,
    undecided: Undecided = None,
    results: Results = None,
) -> int:
    """Say whether NEW is worse than BASE: exit status 0 the same or better, 3 worse, 2 undecided."""
    from viplab.analysis.baseline import read_points
    from viplab.analysis.compare import compare as judge
    from viplab.analysis.compare import lines

    if len(subject or []) not in (0, 2):
        raise InputError("--subject: name two, the one of BASE and the one of NEW, or none")
    if new is None and not subject:
        raise InputError("NEW: left out, so two --subject have to say what is compared with what")
    runs = _runs(results)
    old, young = (read_points(runs.find_points(word)) for word in (base, new or base))
    comparison = judge(
        old,
        young,
        (subject[0], subject[1]) if subject else None,
        [word.strip() for word in (across or "").split(",") if word],
    )
    for line in lines(comparison):
        _tell(line)
    return _answer(comparison.exit_status, undecided)


@app.command()
def baseline(
    run: Run,
    name: Annotated[str, typer.Argument(help="Written as results/baselines/NAME.json.")],
    results: Results = None,
) -> None:
    """Keep what a run measured, with where they come from and the report on it, for later comparisons."""
    from viplab.analysis.baseline import points, write_baseline
    from viplab.analysis.run import analyze as analyse
    from viplab.report.forms import write_file
    from viplab.store import baseline_path

    path, folder = baseline_path(name), _runs(results).find(run)
    view = analyse(folder)
    with _writing():
        write_baseline(path, points(view.summary))
        told = write_file(path.with_suffix(".html"), view)
    _tell(f"baseline: {_short(path)}, and the report on it: {_short(told)}")


@app.command()
def watch(run: Run = "latest", results: Results = None) -> None:
    """Show a run in the terminal while it happens; it only reads what the run writes."""
    from viplab.live.watch import watch as look

    with suppress(KeyboardInterrupt):
        look(_runs(results).find(run), out(), lambda: False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0 takes any.")] = 8080,
    results: Results = None,
) -> None:
    """Show all runs and their comparison in a browser, on loopback only, until Ctrl-C."""
    from viplab.report.serve import server

    with server(_runs(results).runs, port) as answering:
        _tell(f"http://127.0.0.1:{answering.server_port}/ (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            answering.serve_forever()


@app.command()
def runs(results: Results = None) -> None:
    """List the runs that are here, newest first."""
    for folder in _runs(results).runs():
        _tell(_in_a_line(folder))


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> int:
    """Say what this machine lacks and how to get it."""
    from viplab import doctor as examination

    return examination.main(["--json"] if json else [])


@app.command()
def preflight(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False, results: Results = None) -> int:
    """Say what would spoil numbers on this machine; exit status 1 if something would."""
    from viplab import preflight as examination

    return examination.main(_runs(results), as_json=json, say=_tell)


@app.command()
def up() -> None:
    """Bring a lab up and leave it running in the background."""
    from viplab.lab import background_lab

    lab = background_lab.up()
    out().print(f"up (process {lab.pid}); `viplab ssh A` gets you in, `viplab down` ends it")


@app.command()
def status() -> int:
    """Say whether a lab is up; exit status 0 if one is, 1 if not."""
    from viplab.lab import background_lab

    lab = background_lab.find()
    if lab is None:
        out().print("no lab is up")
        return 1
    _tell(f"a lab is up: process {lab.pid}, image {lab.image.name}")
    return 0


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    host: Annotated[str, typer.Argument(help="A or B.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run there; a shell if left out.")] = None,
) -> int:
    """Open a shell on a guest of the lab that is up, or run a command there."""
    from viplab.lab import background_lab

    return background_lab.ssh(host, command or [])


@app.command()
def down() -> None:
    """End the lab that is up."""
    from viplab.lab import background_lab

    background_lab.down()
    out().print("down; nothing of the lab is left")


@app.command()
def clean(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False) -> None:
    """Remove what a crash may have left: half-built images, half-saved memory, the note of a lab that is gone."""
    from viplab.lab import background_lab

    for path in background_lab.leftovers():
        _tell(f"{'would remove' if dry_run else 'removed'} {path}")
        if not dry_run:
            background_lab.remove(path)


@image_app.command("build")
def image_build(name: Annotated[str, typer.Argument(help="A folder of vmimages/.")] = "debian-12") -> None:
    """Build a guest image, unless the cache has it."""
    from viplab.lab.image import ready_image

    out().print(ready_image(name).name)


@image_app.command("list")
def image_list() -> None:
    """List the images in the cache."""
    from viplab.lab.image import list_images

    for image in list_images():
        size_mib = sum(path.stat().st_size for path in image.path.iterdir()) // 2**20
        _tell(f"{image.name}  {size_mib} MiB  built {image.manifest['built']}")


@image_app.command("rm")
def image_rm(name: str) -> None:
    """Remove an image and the memory saved from it."""
    from viplab.lab.image import remove_image

    remove_image(name)


def _judge(folder: RunFolder, *, report: bool) -> RunView:
    from viplab.analysis.run import analyze as analyse
    from viplab.analysis.run import write_summary, write_trials
    from viplab.report.console import summary_table

    view = analyse(folder)
    with _writing():
        write_summary(folder, view)
        write_trials(folder, view)
    out().print(summary_table(view))
    if report:
        from viplab.report.forms import write_site

        with _writing():
            write_site(folder, view)
        _tell(f"report: {_short(folder.report)}")
    else:
        _tell(f"summary: {_short(folder.summary)}")
    return view


def _in_a_line(folder: RunFolder) -> str:
    try:
        info = folder.info()
    except InputError as error:
        return f"{folder.path.name}  cannot be read: {error}"
    names: dict[str, None] = {}
    for trial in folder.trials():
        # Of a run that is under way the last trial may have none yet.
        with suppress(InputError):
            asked = trial.info()
            names[f"{asked.scenario}/{asked.subject}"] = None
    return f"{folder.path.name}  {info.provenance.accel or '-':5}  {', '.join(names)}"


def _status(view: RunView) -> int:
    """The exit status of a run that was read from its folder, where damage is said line by line."""
    if not view.damage:
        return view.exit_status
    shown = view.damage[:DAMAGE_SHOWN]
    more = [f"and {len(view.damage) - len(shown)} more"] if len(view.damage) > len(shown) else []
    raise InputError("\n".join([*shown, *more, "what could be judged was"]))


def _answer(status: int, undecided: UndecidedAs | None) -> int:
    """The exit status for whoever takes two answers only; what is printed stays undecided."""
    return status if undecided is None or status != ExitStatus.UNDECIDED else undecided.exit_status


@cache
def out() -> Console:
    """Where results are printed."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def _tell(line: str) -> None:
    """Print a line as it is; what a folder from elsewhere has put into it does nothing to the terminal."""
    from viplab.report.text import visible

    out().print(visible(line, LONGEST), soft_wrap=True, markup=False)


def _runs(results: Path | None) -> RunStore:
    from viplab.store import RunStore

    return RunStore(results)


@contextmanager
def _writing() -> Iterator[None]:
    """Have a file that cannot be written said in one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror})") from None


def _short(path: Path) -> Path:
    """Relative to where the user stands, if that is shorter."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def main() -> NoReturn:
    """Entry point; the exit status is one of `ExitStatus`."""
    for stream in (sys.stdout, sys.stderr):
        # The name of a file need not be UTF-8.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(standalone_mode=False) or ExitStatus.OK)
    except _UsageProblem as error:
        said = error.format_message()
        _fail(f"{said.rstrip('.')}; `viplab --help` shows what there is", ExitStatus.USAGE)
    except ViplabError as error:
        _fail(str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort, Interrupted):
        _fail("interrupted; the lab is gone, what was measured is kept", ExitStatus.INTERRUPTED)
    except ModuleNotFoundError as error:
        _fail_without_module(error)
    except Exception:
        _fail_by_mistake()


def _fail_without_module(error: ModuleNotFoundError) -> NoReturn:
    from viplab.doctor import GET_LAB_MODULE, LAB_MODULES

    missing = LAB_MODULES.get((error.name or "").partition(".")[0])
    if missing is None:
        _fail_by_mistake()
    _fail(f"{missing}: not installed in this Python; {GET_LAB_MODULE}", ExitStatus.UNAVAILABLE)


def _fail_by_mistake() -> NoReturn:
    import traceback

    traceback.print_exc()
    _fail("this is a mistake in viplab, not yours; please report it with the lines above", ExitStatus.INTERNAL)


def _fail(message: str, status: ExitStatus) -> NoReturn:
    from viplab.report.text import visible

    print(f"viplab: {visible(message, LONGEST)}", file=sys.stderr)  # noqa: T201 - exactly one line, whatever the terminal
    sys.exit(status)
