"""Commands on runs that are kept: judged again, reported, compared, listed, shown. None needs a lab."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viplab.cli.arguments import Results, Run, Undecided, run_store
from viplab.cli.for_ci import write_junit
from viplab.cli.judging import answer, judged, status_of
from viplab.cli.printing import out, short, tell, writing
from viplab.errors import InputError

if TYPE_CHECKING:
    from viplab.run_folder import RunFolder


def analyze(run: Run = "latest", undecided: Undecided = None, results: Results = None) -> int:
    """Recompute a run's summary from its folder alone, and print it.

    Where a part of the folder is missing or damaged the rest is judged all the same; the exit status is then 64.
    """
    return answer(status_of(judged(run_store(results).find(run), report=False)), undecided)


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
    from viplab.report import forms
    from viplab.report.console import summary_table
    from viplab.report.markdown import markdown as in_markdown
    from viplab.run_folder import RunFolder

    if output is not None and (junit or markdown or json):
        raise InputError("--output: is for the report in HTML; --markdown and --json print, --junit names its own file")
    folder = run_store(results).find(run)
    view = analyse(folder)
    if junit is not None:
        write_junit(junit, view, folder)
    if markdown:
        sys.stdout.write(in_markdown(view))
    if json:
        sys.stdout.write(summary_bytes(view).decode())
    if not (junit or markdown or json):
        with writing():
            if output is None:
                write_summary(folder, view)
                write_trials(folder, view)
            if output is not None and output.suffix == ".html":
                path = forms.write_file(output, view)
            else:
                there = RunFolder(output) if output is not None else folder
                path = forms.write_single(there, view) if single else forms.write_site(there, view)
        out().print(summary_table(view))
        tell(f"report: {short(path)}")
    return answer(status_of(view), undecided)


def matrix(
    run: Run = "latest",
    json: Annotated[
        bool, typer.Option("--json", help="Print it as JSON instead, as results/matrix/ keeps it for docs/matrix.md.")
    ] = False,
    results: Results = None,
) -> int:
    """Print a run as a table in Markdown, a row a scenario, a column a daemon; exit status as with `analyze`."""
    from viplab.analysis.matrix import matrix as made
    from viplab.analysis.matrix import read_published
    from viplab.analysis.run import analyze as analyse
    from viplab.report.matrix import markdown

    view = analyse(run_store(results).find(run))
    found = made(view.summary, read_published())
    text = found.model_dump_json(indent=1) if json else markdown(found)
    sys.stdout.write(text + "\n")
    return status_of(view)


def compare(
    base: Annotated[str, typer.Argument(help="A run, or a baseline of results/baselines/.")],
    new: Annotated[str | None, typer.Argument(help="Another; left out: the same, with two --subject.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Twice: this one of BASE against that one of NEW.")] = None,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="What may differ, and is then reported: image (the guests' image and packages), host (the machine's "
            "kernel, qemu, libvirt; with namespaces for hosts its packages), start (cold, or from memory), or several: "
            "image,host.",
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
    runs = run_store(results)
    old, young = (read_points(runs.find_points(word)) for word in (base, new or base))
    comparison = judge(
        old,
        young,
        (subject[0], subject[1]) if subject else None,
        [word.strip() for word in (across or "").split(",") if word],
    )
    for line in lines(comparison):
        tell(line)
    return answer(comparison.exit_status, undecided)


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

    path, folder = baseline_path(name), run_store(results).find(run)
    view = analyse(folder)
    with writing():
        write_baseline(path, points(view.summary))
        told = write_file(path.with_suffix(".html"), view)
    tell(f"baseline: {short(path)}, and the report on it: {short(told)}")


def watch(run: Run = "latest", results: Results = None) -> None:
    """Show a run in the terminal while it happens; it only reads what the run writes."""
    from viplab.live.watch import watch as look

    with suppress(KeyboardInterrupt):
        look(run_store(results).find(run), out(), lambda: False)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0 takes any.")] = 8080,
    results: Results = None,
) -> None:
    """Show all runs and their comparison in a browser, on loopback only, until Ctrl-C."""
    from viplab.report.serve import server

    with server(run_store(results).runs, port) as answering:
        tell(f"http://127.0.0.1:{answering.server_port}/ (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            answering.serve_forever()


def runs(results: Results = None) -> None:
    """List the runs that are here, newest first."""
    for folder in run_store(results).runs():
        tell(_in_a_line(folder))


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
