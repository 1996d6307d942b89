"""What analysis says of two runs, or of two subjects of one run, ready to be shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from viplab.analysis.baseline import points
from viplab.analysis.compare import VERDICTS, Comparison, Row, compare
from viplab.analysis.conditions import ALLOWED
from viplab.analysis.summary import Summary
from viplab.errors import InputError
from viplab.metrics import SECOND, Shown, named
from viplab.report.outline import Subject

MARKS = {"+": "better", "-": "worse", "=": "same", "?": "undecided"}


@dataclass(frozen=True)
class Compared:
    """Two sides by name; `refusal` says why there is no comparison where there is none."""

    base: str
    new: str
    comparison: Comparison | None
    refusal: str | None

    @property
    def rows(self) -> list[Row]:
        """The rows that a page shows; `viplab compare` prints all of them."""
        found = self.comparison.rows if self.comparison else []
        return [row for row in found if Shown.SIDES in named(row.metric).shown]

    @property
    def shared_reasons(self) -> list[str]:
        """The reasons of more than one row, which a page says once, below its table."""
        return [why for why, number in Counter(row.why for row in self.rows).items() if number > 1]

    @property
    def verdict(self) -> str | None:
        """What the gate says of the new side."""
        return VERDICTS[self.comparison.exit_status] if self.comparison else None


def runs(base: Summary, new: Summary) -> Compared:
    """Two runs; whatever may differ between them is allowed, for the page says it above the values."""
    return _compared(base.id, new.id, base, new, None)


def subjects(summary: Summary, found: list[Subject]) -> list[Compared]:
    """Every two subjects of one run, the first held against the second."""
    return [
        _compared(_full(one), _full(other), summary, summary, (_full(one), _full(other)))
        for one, other in combinations(found, 2)
    ]


def metric_words(row: Row) -> str:
    """The row's metric in words."""
    return named(row.metric).words + (", second fault" if row.metric.startswith(SECOND) else "")


def _full(subject: Subject) -> str:
    return f"{subject.name}/{subject.profile}"


def _compared(base_name: str, new_name: str, base: Summary, new: Summary, pair: tuple[str, str] | None) -> Compared:
    try:
        return Compared(base_name, new_name, compare(points(base), points(new), pair, ALLOWED), None)
    except InputError as error:
        return Compared(base_name, new_name, None, str(error))
