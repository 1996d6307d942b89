"""A run as a matrix: a row a scenario, a column a daemon, each cell what was measured over all of its trials.

What others have published stands beside the scenarios that come nearest to it, as `results/reference/published.yaml`
has it. It was measured elsewhere, by other means, and is never computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from viplab.analysis.statistics import spread
from viplab.analysis.summary import Summary, TrialSummary, TrialVerdict
from viplab.errors import InputError
from viplab.regular_files import read_regular
from viplab.resources import resource
from viplab.types import Frozen
from viplab.untrusted_data import json_value, yaml_value

_LARGEST = 4 << 20


class Column(Frozen):
    """A daemon under one profile, with what it says of its version."""

    subject: str
    profile: str
    version: str


class Sample(Frozen):
    """One duration over the decided trials of a cell, in seconds; `interval` (95 %) is null below five values."""

    n: int
    median: float
    min: float
    max: float
    interval: tuple[float, float] | None


class Quoted(Frozen):
    """A trial that did not pass, and why."""

    trial: str
    verdict: TrialVerdict
    reason: str


class Cell(Frozen):
    """One scenario with one daemon; an outage is the sum over a trial's faults, as a service level agreement counts."""

    trials: list[str] = Field(default=[], description="Names of its trials.")
    verdicts: dict[TrialVerdict, int] = Field(default={}, description="How many trials ended how.")
    outage: Sample | None = Field(default=None, description="The client without an answer.")
    two_owners: Sample | None = Field(default=None, description="More than one host answered for the VIP.")
    trials_with_two_owners: int = 0
    quoted: Quoted | None = Field(default=None, description="The first trial that failed, else that was undecided.")
    not_supported: str | None = Field(default=None, description="Why the daemon or the lab cannot do it.")


class Published(Frozen):
    """A figure that somebody else has published; `beside` names the scenarios that come nearest to it."""

    source: str
    system: str
    fault: str
    figure: str
    n: str
    resolution: str
    beside: list[str] = Field(default=[])


class Row(Frozen):
    """One scenario: what was done in it, and a cell for each column, null where it was not asked for."""

    scenario: str
    faults: list[str] = Field(description="The measured faults, such as `link_down of A`, in order.")
    cells: list[Cell | None]
    published: list[Published] = Field(default=[])


class Matrix(Frozen):
    """All of a run; what `viplab matrix --json` prints and `docs/matrix.md` is made from."""

    run: str
    started: str
    git: str | None
    labs: list[str]
    accel: str | None
    host_kernel: str
    columns: list[Column]
    rows: list[Row]


def matrix(summary: Summary, published: Sequence[Published] = ()) -> Matrix:
    """The matrix of a run; rows and columns are in the order in which the run had them."""
    versions: dict[tuple[str, str], str] = {}
    trials: dict[str, dict[tuple[str, str], list[TrialSummary]]] = {}
    for trial in summary.trials:
        key = (trial.subject, trial.profile)
        versions.setdefault(key, trial.subject_version)
        trials.setdefault(trial.scenario, {}).setdefault(key, []).append(trial)
    refused = {(one.scenario, one.subject, one.profile): one.why for one in summary.not_supported}
    for _, subject, profile in refused:
        versions.setdefault((subject, profile), "")
    rows = []
    for scenario in dict.fromkeys([*trials, *(one.scenario for one in summary.not_supported)]):
        done = trials.get(scenario, {})
        cells = [
            _cell(done[key]) if key in done else _refused(refused.get((scenario, *key)))
            for key in versions
        ]  # fmt: skip
        longest = max(chain.from_iterable(done.values()), key=lambda trial: len(trial.faults), default=None)
        rows.append(
            Row(
                scenario=scenario,
                faults=[str(one.fault) for one in longest.faults] if longest else [],
                cells=cells,
                published=[one for one in published if scenario in one.beside],
            )
        )
    return Matrix(
        run=summary.id,
        started=summary.started,
        git=summary.provenance.git,
        labs=list(dict.fromkeys(trial.lab for trial in summary.trials)),
        accel=summary.provenance.accel,
        host_kernel=summary.provenance.host_kernel,
        columns=[Column(subject=name, profile=profile, version=said) for (name, profile), said in versions.items()],
        rows=rows,
    )


def worst_first(rows: Sequence[Row], column: int) -> list[Row]:
    """The rows by how long the clients of one daemon had no answer: the longest first, those without a value last."""
    return sorted(rows, key=lambda row: -_median(row.cells[column]))


def read_published(path: Path | None = None) -> list[Published]:
    """The figures of others.

    Raises:
        InputError: the file is not valid; one line says where.
    """
    path = path or resource("results/reference/published.yaml")
    try:
        return TypeAdapter(list[Published]).validate_python(yaml_value(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def read_matrix(path: Path) -> Matrix:
    """A matrix that was kept as JSON.

    Raises:
        InputError: it is missing or not one.
    """
    content = read_regular(path.parent, path, _LARGEST)
    if content is None:
        raise InputError(f"{path}: no such file; `viplab matrix RUN --json` prints one")
    try:
        return Matrix.model_validate(json_value(content))
    except ValueError as error:
        raise InputError(f"{path}: no matrix of viplab ({str(error).splitlines()[0]})") from None


def _cell(trials: Sequence[TrialSummary]) -> Cell:
    decided = [trial for trial in trials if trial.verdict != "undecided"]
    two_owners = _summed(decided, "dual_owner_s")
    order: tuple[TrialVerdict, ...] = ("pass", "fail", "undecided")
    verdicts = [trial.verdict for trial in trials]
    quoted = next((trial for name in order[1:] for trial in trials if trial.verdict == name), None)
    return Cell(
        trials=[trial.name for trial in trials],
        verdicts={name: verdicts.count(name) for name in order if name in verdicts},
        outage=_sample(_summed(decided, "outage_s")),
        two_owners=_sample(two_owners),
        trials_with_two_owners=sum(value > 0 for value in two_owners),
        quoted=Quoted(trial=quoted.name, verdict=quoted.verdict, reason=quoted.reason) if quoted else None,
    )


def _refused(why: str | None) -> Cell | None:
    return None if why is None else Cell(not_supported=why)


def _summed(trials: Sequence[TrialSummary], metric: str) -> list[float]:
    """One value a trial, over all of its faults; none of a trial in which it was not measured after each of them."""
    of_faults = [[getattr(fault, metric) for fault in trial.faults] for trial in trials]
    return [sum(values) for values in of_faults if values and None not in values]


def _sample(values: Sequence[float]) -> Sample | None:
    if not values:
        return None
    found = spread(values)
    return Sample(n=found.n, median=found.median, min=found.min, max=found.max, interval=found.interval)


def _median(cell: Cell | None) -> float:
    return -1.0 if cell is None or cell.outage is None else cell.outage.median
