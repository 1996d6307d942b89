"""The matrix of a run in words: what a cell says, and all of it as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from viplab.analysis.matrix import Cell, Column, Matrix, Published, Quoted, Row, Sample
from viplab.report import units
from viplab.report.markdown import escape, table

MARKS = {"pass": "✓", "fail": "✗", "undecided": "?"}
_HEAD = """\
# The matrix

Every scenario of [scenarios.md](scenarios.md) that was run, with every daemon; written by `nox -s docs` from the
files in `results/matrix/`. A cell has how many trials passed, failed and stayed undecided; the median time for
which the client had no answer, summed over all faults of a trial, with its n and its 95 % interval (its range below
five trials); whether two hosts answered under the address, in how many trials and for how long at most. A fail is
an outage, an owner or a time with two owners that the scenario does not allow: it says what a client meets, not
that a daemon is broken. What surprised is explained in [findings.md](findings.md); `viplab run SCENARIO --subject NAME
--report` shows the packets.
"""
_NONE_KEPT = "No matrix is kept here yet: `viplab matrix RUN --json > results/matrix/NAME.json` keeps that of a run."


def matrices_page(matrices: Sequence[Matrix], published: Sequence[Published]) -> str:
    """`docs/matrix.md`: each matrix that is kept, then what others have published."""
    kept = [markdown(one) for one in matrices] or [_NONE_KEPT]
    return "\n\n".join([_HEAD.strip(), *kept, elsewhere(published)]) + "\n"


def markdown(matrix: Matrix) -> str:
    """One matrix as Markdown, without a heading of the first level."""
    heads = [f"{escape(label(matrix, one))}" for one in matrix.columns]
    beside = ["Published elsewhere"] if any(row.published for row in matrix.rows) else []
    lines = [
        f"## {escape(', '.join(matrix.labs) or 'no lab')}, run {escape(matrix.run)}",
        f"Started {escape(matrix.started)}, viplab {escape(matrix.git or 'of no known commit')}, accelerator "
        f"{escape(matrix.accel or 'none')}, kernel {escape(matrix.host_kernel)}.",
        table(["Scenario", *heads, *beside], [_row(row, bool(beside)) for row in matrix.rows]),
    ]
    why = [
        f"- {MARKS[one.verdict]} **{escape(f'{scenario}, {label(matrix, column)}')}** ({escape(one.trial)}): "
        f"{escape(one.reason)}"
        for scenario, column, one in quoted(matrix)
    ]
    if why:
        lines += ["### Why not all of them passed", "\n".join(why)]
    return "\n\n".join(lines)


def elsewhere(published: Sequence[Published]) -> str:
    """What others have published, with source and resolution."""
    rows = [
        [escape(text) for text in (one.system, one.fault, one.figure, one.n, one.resolution, one.source)]
        for one in published
    ]
    told = (
        "Measured by others, on other machines and by other means: to be read beside the matrix, not compared with it."
    )
    heads = ["System", "Fault", "Figure", "n", "Resolution", "Source"]
    return "\n\n".join(["## What others have published", told, table(heads, rows)])


def label(matrix: Matrix, column: Column) -> str:
    """What a column is headed with: the daemon with its version, and its profile where it has several."""
    several = Counter(one.subject for one in matrix.columns)[column.subject] > 1
    named = column.subject.lower() in column.version.lower()
    said = column.version if named else f"{column.subject} {column.version}".strip()
    return f"{said} ({column.profile})" if several else said


def spread(sample: Sample) -> str:
    """How many values a median is of, and how far they lie apart: `n = 5, 95 %: 2.9 to 3.1 s`."""
    n = f"n = {sample.n}"
    if sample.interval is not None:
        return f"{n}, 95 %: {units.span(sample.interval)}"
    return n if sample.min == sample.max else f"{n}, {units.span((sample.min, sample.max))}"


def owners(cell: Cell) -> str | None:
    """Whether two hosts answered at once, in how many trials and for how long at most; None where nobody looked."""
    if cell.two_owners is None:
        return None
    if not cell.trials_with_two_owners:
        return "never two owners"
    return (
        f"two owners in {cell.trials_with_two_owners} of {cell.two_owners.n}, "
        f"{units.seconds(cell.two_owners.max)} at most"
    )


def quoted(matrix: Matrix) -> list[tuple[str, Column, Quoted]]:
    """Of each cell in which not all passed the scenario, the daemon, and the trial that says why."""
    return [
        (row.scenario, column, cell.quoted)
        for row in matrix.rows
        for column, cell in zip(matrix.columns, row.cells, strict=True)
        if cell is not None and cell.quoted is not None
    ]


def published_words(one: Published) -> str:
    """A figure of others as a row has it."""
    return f"{one.figure} ({one.system}, n = {one.n})"


def _row(row: Row, beside: bool) -> list[str]:
    faults = f"<br>{escape(', '.join(row.faults))}" if row.faults else ""
    name = f"[{escape(row.scenario)}](scenarios.md#{row.scenario}){faults}"
    others = ["<br>".join(escape(published_words(one)) for one in row.published)] if beside else []
    return [name, *(_cell(row, cell) for cell in row.cells), *others]


def _cell(row: Row, cell: Cell | None) -> str:
    if cell is None:
        return "not run"
    if cell.not_supported is not None:
        return f"not supported: {escape(cell.not_supported)}"
    said = " ".join(f"{MARKS[verdict]} {count}" for verdict, count in cell.verdicts.items())
    if cell.outage is not None:
        said += f"<br>**{units.seconds(cell.outage.median)}** ({spread(cell.outage)})"
    elif row.faults:
        said += f"<br>{units.NOT_MEASURED}"
    seen = owners(cell)
    return f"{said}<br>{seen}" if seen else said
