"""Which trial goes where: the chapters of the reference file, laid over whatever a run holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from viplab.analysis.presentation import Checklist
from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import Puzzle, RunView, TrialView


@dataclass(frozen=True, order=True)
class Subject:
    """A daemon under one profile: what gets a column of its own."""

    name: str
    profile: str


@dataclass(frozen=True)
class Group:
    """All trials of one scenario with one subject; `shown` is the one whose evidence is printed."""

    subject: Subject
    shown: TrialView
    trials: list[TrialView]


@dataclass(frozen=True)
class Case:
    """One scenario, with a group for each subject that ran it."""

    scenario: str
    title: str
    story: str | None
    article: str | None
    groups: list[Group]


@dataclass(frozen=True)
class Chapter:
    """A part of the report; `lead` says what it is about."""

    key: str
    title: str
    lead: str
    scenarios: Sequence[str]
    cases: list[Case]
    checklist: Checklist | None = None


@dataclass(frozen=True)
class ClaimRow:
    """One claim with its result for each subject that it was judged for."""

    id: str
    text: str
    article: str
    results: dict[Subject, ClaimResult]


@dataclass(frozen=True)
class ClaimGroup:
    """The claims of one case of the article."""

    title: str
    rows: list[ClaimRow]


@dataclass(frozen=True)
class PuzzleRow:
    """One open question with its answer for each subject."""

    number: int
    title: str
    question: str
    answers: dict[Subject, Puzzle]


def subjects(view: RunView) -> list[Subject]:
    """Every subject of the run, in the order of its first appearance."""
    named = [Subject(trial.info.subject, trial.info.profile) for trial in view.trials]
    named += [Subject(claim.subject, claim.profile) for claim in view.claims]
    named += [Subject(puzzle.subject, puzzle.profile) for puzzle in view.puzzles]
    return list(dict.fromkeys(named))


def short_names(view: RunView) -> dict[Subject, str]:
    """What a column is headed with: the daemon's name, with its profile where one daemon ran under several."""
    found = subjects(view)
    count = Counter(subject.name for subject in found)
    return {
        subject: f"{subject.name} ({subject.profile})" if count[subject.name] > 1 else subject.name for subject in found
    }


def tells_the_article(view: RunView) -> bool:
    """Whether the run has to do with the article: not if there are trials, and none that it could be judged by."""
    judged = bool(view.claims) or any(puzzle.settled for puzzle in view.puzzles)
    return judged or not view.trials or any(trial.info.scenario in view.presentation.told for trial in view.trials)


def chapters(view: RunView) -> list[Chapter]:
    """The chapters of the reference file, then the rest.

    Of a run that tells the article a chapter without trials stays, so that its absence is seen.
    """
    cases = {case.scenario: case for case in _cases(view)}
    told = [
        Chapter(
            part.key,
            part.title,
            part.lead,
            part.scenarios,
            [cases[name] for name in part.scenarios if name in cases],
            part.checklist,
        )
        for part in view.presentation.chapters
        if tells_the_article(view)
    ]
    rest = [name for name in cases if not any(name in chapter.scenarios for chapter in told)]
    beyond = view.presentation.beyond
    return [
        *told,
        *([Chapter(beyond.key, beyond.title, beyond.lead, rest, [cases[name] for name in rest])] if rest else []),
    ]


def claim_groups(view: RunView) -> list[ClaimGroup]:
    """The claims by case, each once, with its results side by side."""
    rows: dict[str, ClaimRow] = {}
    for claim in view.claims:
        row = rows.setdefault(claim.id, ClaimRow(claim.id, claim.text, claim.article, {}))
        row.results[Subject(claim.subject, claim.profile)] = claim
    titles = view.presentation.claim_groups
    letters = sorted({row.id[:1] for row in rows.values()}, key=lambda letter: [*titles, letter].index(letter))
    return [
        ClaimGroup(
            titles.get(letter, f"Claims {letter}"),
            sorted((row for row in rows.values() if row.id[:1] == letter), key=lambda row: (len(row.id), row.id)),
        )
        for letter in letters
    ]


def puzzle_rows(view: RunView) -> list[PuzzleRow]:
    """The open questions in their order, each once."""
    rows: dict[int, PuzzleRow] = {}
    for puzzle in view.puzzles:
        row = rows.setdefault(puzzle.number, PuzzleRow(puzzle.number, puzzle.title, puzzle.question, {}))
        row.answers[Subject(puzzle.subject, puzzle.profile)] = puzzle
    return [rows[number] for number in sorted(rows)]


VERDICTS = ("reproduced", "explained", "failed", "undecided")
"""What is counted; a claim that is `inapplicable` is shown and counts for nothing."""


def verdict(claim: ClaimResult) -> str:
    """The claim's verdict as one of `VERDICTS`, or `inapplicable`; `differs` is split by whether its cause is known."""
    if claim.verdict == "differs":
        return "explained" if claim.explained else "failed"
    return claim.verdict


def tally(view: RunView, subject: Subject | None = None) -> dict[str, int]:
    """How many claims got which verdict, for one subject or for all."""
    counts = Counter(
        verdict(claim) for claim in view.claims if subject is None or Subject(claim.subject, claim.profile) == subject
    )
    return {name: counts[name] for name in VERDICTS}


def _cases(view: RunView) -> list[Case]:
    by_scenario: dict[str, dict[Subject, list[TrialView]]] = {}
    for trial in view.trials:
        of_subject = by_scenario.setdefault(trial.info.scenario, {})
        of_subject.setdefault(Subject(trial.info.subject, trial.info.profile), []).append(trial)
    quoted = {claim.trial for claim in view.claims}
    cases = []
    for name, by_subject in by_scenario.items():
        groups = [Group(subject, _shown(trials, quoted), trials) for subject, trials in by_subject.items()]
        first = groups[0].shown
        cases.append(Case(name, first.info.title, *_told(first.scenario), groups))
    return cases


def _shown(trials: list[TrialView], quoted: set[str | None]) -> TrialView:
    """The trial that the claims quote, else the first that passed, else the first."""
    rank = {"pass": 1, "fail": 2, "undecided": 3}
    return min(trials, key=lambda trial: 0 if trial.name in quoted else rank[trial.summary.verdict])


def _told(scenario: str) -> tuple[str | None, str | None]:
    """Story and place in the article, from the scenario file as it was kept with the trial."""
    try:
        document = yaml.safe_load(scenario)
    except yaml.YAMLError:
        return None, None
    if not isinstance(document, dict):
        return None, None
    story, article = document.get("story"), document.get("article")
    return (story if isinstance(story, str) else None), (article if isinstance(article, str) else None)
