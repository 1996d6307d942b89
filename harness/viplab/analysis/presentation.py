"""How a report tells a run, as the reference file says it: chapters, known courses, and the plots that settle puzzles.

What is drawn and how is code; to which scenarios that is applied, and in what words, is data.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from viplab.analysis.comparison import Compare
from viplab.metrics import METRICS
from viplab.types import Frozen

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Letter = Annotated[str, Field(pattern=r"^[A-Z]$")]

PAGES = ("index", "result", "puzzles", "claims", "matrix", "subjects", "method", "files")
"""Names of the pages that every report has, which no part of it may have as well."""
DURATIONS = frozenset(name for name, metric in METRICS.items() if metric.unit == "s")
"""What a course may quote of its fault."""
COMPARED = frozenset(METRICS) | {"old_master", "new_master"}
"""What the checks of a course may ask of its fault."""

PRIORITIES = ("priority_a", "priority_b")
"""What the note of a plot's row may quote of its trial."""


class Part(Frozen):
    """A part of the report: `key` names its page, `lead` says what it is about."""

    key: Key
    title: str
    lead: str


class Checklist(Frozen):
    """A table of what has to hold: the claims whose ids begin with that letter."""

    title: str
    claims: Letter


class Chapter(Part):
    """A part that tells these scenarios, in this order; the checklist stands at its head."""

    scenarios: list[Key] = Field(min_length=1)
    checklist: Checklist | None = None


class Course(Frozen):
    """A known course of a scenario's fault: when a trial took it, what to say of it, which puzzle goes further.

    In `text` a duration of that fault stands as `{outage_s}`, and gets the unit that suits its size.
    """

    scenario: Key
    fault: int = Field(default=1, ge=1)
    when: list[Compare] = Field(min_length=1)
    text: str
    puzzle: int | None = None

    @model_validator(mode="after")
    def _of_the_fault(self) -> Course:
        _known((check.metric for check in self.when), COMPARED)
        _known(_names(self.text), DURATIONS)
        return self


class PlotRow(Frozen):
    """The trials of one scenario, a row a subject; in `note` a host's priority stands as `{priority_a}`."""

    scenario: Key
    note: str

    @model_validator(mode="after")
    def _of_the_trial(self) -> PlotRow:
        _known(_names(self.note), PRIORITIES)
        return self


class Mark(Frozen):
    """A moment so long after the fault, and what it stands for."""

    after_s: float
    text: str


class AnswersPlot(Frozen):
    """Who answered the client, in several trials on one axis."""

    kind: Literal["answers"]
    puzzle: int
    rows: list[PlotRow] = Field(min_length=1)
    marks: list[Mark] = Field(default=[])
    caption: str


class LadderPlot(Frozen):
    """The frames of the round trip in which the new master first answers, as a ladder."""

    kind: Literal["ladder"]
    puzzle: int
    scenario: Key
    caption: str


class Seen(Frozen):
    """What somebody else saw of an outage: that it was within this range."""

    range_s: tuple[float, float]
    text: str


class OutagePlot(Frozen):
    """The outage against x, the time from the last advert to the fault, with what the timers give."""

    kind: Literal["outage_against_x"]
    puzzle: int
    scenario: Key
    seen: Seen | None = None
    caption: str


Plot = Annotated[AnswersPlot | LadderPlot | OutagePlot, Field(discriminator="kind")]


class Presentation(Frozen):
    """`report` of the reference file."""

    lead: str = Field(description="What the report of a run that has to do with the source says at its beginning.")
    chapters: list[Chapter] = Field(min_length=1)
    beyond: Part = Field(description="Where the scenarios go that no chapter tells.")
    claim_groups: dict[Letter, str] = Field(description="Titles of the claims by the letter of their ids, in order.")
    courses: list[Course]
    plots: list[Plot]

    @property
    def told(self) -> list[str]:
        """Every scenario of a chapter."""
        return [name for chapter in self.chapters for name in chapter.scenarios]

    @model_validator(mode="after")
    def _each_once(self) -> Presentation:
        keys = [part.key for part in (*self.chapters, self.beyond)]
        _once("key", [*keys, *PAGES])
        _once("scenario", self.told)
        _once("plot of puzzle", [plot.puzzle for plot in self.plots])
        return self


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def _known(names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"there is no `{name}` here; there are: {', '.join(sorted(known))}")


def _once(what: str, values: Iterable[str] | Iterable[int]) -> None:
    twice = [value for value, number in Counter(values).items() if number > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]}: is taken already")
