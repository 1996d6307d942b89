"""Several runs on one page: all that are here, newest first, and two of them side by side.

Both are made of what analysis kept as `summary.json`; the traces are not read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from viplab.analysis.baseline import points
from viplab.analysis.conditions import Difference, differences
from viplab.analysis.summary import ClaimResult, Summary
from viplab.errors import InputError
from viplab.regular_files import is_regular, read_regular
from viplab.report import compared
from viplab.report.filters import environment, policy
from viplab.report.outline import VERDICTS, verdict
from viplab.run_folder import RunFolder
from viplab.untrusted_data import json_value

_LARGEST = 64 << 20


@dataclass(frozen=True)
class IndexedRun:
    """A run as the list shows it; `summary` is None where analysis left none that can be read."""

    id: str
    summary: Summary | None
    has_site: bool
    has_single: bool

    @property
    def tallies(self) -> dict[str, dict[str, int]]:
        """How the claims fared, by subject."""
        return {} if self.summary is None else _tallies(self.summary.claims)

    @property
    def contents(self) -> str:
        """The scenarios and how many trials of each, such as `failover × 2, calibration`."""
        counts: dict[str, int] = {}
        for trial in self.summary.trials if self.summary else ():
            counts[trial.scenario] = counts.get(trial.scenario, 0) + 1
        return ", ".join(name if number == 1 else f"{name} × {number}" for name, number in counts.items())


@dataclass(frozen=True)
class Turn:
    """A claim whose verdict is another one in the new run."""

    id: str
    subject: str
    base: str
    new: str


def indexed(run: RunFolder) -> IndexedRun:
    """What the list shows of a run."""
    site, single = (is_regular(run.path, path) for path in (run.site / "index.html", run.report))
    return IndexedRun(run.path.name, read_summary(run), site, single)


def read_summary(run: RunFolder) -> Summary | None:
    """The run's `summary.json`; None where there is none, or one of another version."""
    try:
        content = read_regular(run.path, run.summary, _LARGEST)
        return None if content is None else Summary.model_validate(json_value(content))
    except (InputError, ValueError):
        return None


def index_page(runs: Sequence[IndexedRun]) -> str:
    """All runs, with a choice of two to compare; the caller gives them newest first."""
    new, base, *_ = [*(run.id for run in runs if run.summary), None, None]
    return (
        environment()
        .get_template("run_index.html.j2")
        .render(runs=runs, base=base or new, new=new, policy=served_policy(), verdicts=VERDICTS)
    )


def comparison_page(base: Summary, new: Summary) -> str:
    """Two runs side by side."""
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            base=base, new=new, compared=compared.runs(base, new), turns=turns(base, new),
            differences=_differences(base, new), policy=served_policy(),
        )
    )  # fmt: skip


def served_policy() -> Markup:
    """The Content-Security-Policy of these two pages: the report's, and a form that leads back to this server."""
    return Markup(policy().replace("form-action 'none'", "form-action 'self'"))


def turns(base: Summary, new: Summary) -> list[Turn]:
    """The claims that both runs judged, with different verdicts."""
    old = {(claim.id, claim.subject, claim.profile): claim for claim in base.claims}
    return [
        Turn(claim.id, claim.subject, verdict(before), verdict(claim))
        for claim in new.claims
        if (before := old.get((claim.id, claim.subject, claim.profile))) and verdict(before) != verdict(claim)
    ]


def _differences(base: Summary, new: Summary) -> list[Difference]:
    """What the two runs were made under that differs; nothing where one is of several labs, which is said instead."""
    try:
        return differences(points(base), points(new))
    except InputError:
        return []


def _tallies(claims: Sequence[ClaimResult]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for claim in claims:
        counts = found.setdefault(f"{claim.subject} ({claim.profile})", dict.fromkeys(VERDICTS, 0))
        if verdict(claim) in counts:
            counts[verdict(claim)] += 1
    return found
