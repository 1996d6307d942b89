"""Which trial goes where: the order of the three articles, laid over whatever a run holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import yaml

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
    scenarios: tuple[str, ...]
    cases: list[Case]


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


_CHAPTERS = (
    (
        "part-1",
        "Part 1: the bench",
        "Two guests share one virtual address, the VIP. One of them, the master, holds it and says so once a second, "
        "in an advert; the other, its backup, listens, and takes the address when it hears nothing for long enough. A "
        "third machine, the client, pings that address throughout and knows nothing of this.",
        ("part-1",),
    ),
    (
        "part-2",
        "Part 2: the master goes and comes back",
        "Case A takes the daemon away from the host that holds the address, case B gives it back.",
        ("case-a", "case-b"),
    ),
    (
        "part-3",
        "Part 3: the interface goes and comes back",
        "Case C takes away the interface that the address lives on while the daemon keeps running, case D gives it "
        "back and then shuts down the other host. Both hosts have the same priority here, which matters in case D.",
        ("case-c", "case-d"),
    ),
)  # fmt: skip
_BEYOND = (
    "beyond",
    "Beyond the article",
    "Experiments that the article did not make, and that its open questions call for.",
)
_CLAIM_GROUPS = {
    "P": "Part 1, the set-up",
    "A": "Case A, the master dies",
    "B": "Case B, the master comes back",
    "C": "Case C, the interface goes down",
    "D": "Case D, the interface comes up again",
}


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


_TOLD = tuple(name for *_, names in _CHAPTERS for name in names)


def tells_the_article(view: RunView) -> bool:
    """Whether the run has to do with the article: not if there are trials, and none that it could be judged by."""
    judged = bool(view.claims) or any(puzzle.settled for puzzle in view.puzzles)
    return judged or not view.trials or any(trial.info.scenario in _TOLD for trial in view.trials)


def chapters(view: RunView) -> list[Chapter]:
    """The three parts of the article, then the rest.

    Of a run that tells the article a part without trials stays, so that its absence is seen.
    """
    cases = {case.scenario: case for case in _cases(view)}
    rest = tuple(name for name in cases if name not in _TOLD)
    told = _CHAPTERS if tells_the_article(view) else ()
    parts = [*told, *([(*_BEYOND, rest)] if rest else [])]
    return [
        Chapter(key, title, lead, names, [cases[name] for name in names if name in cases])
        for key, title, lead, names in parts
    ]


def claim_groups(view: RunView) -> list[ClaimGroup]:
    """The claims by case, each once, with its results side by side."""
    rows: dict[str, ClaimRow] = {}
    for claim in view.claims:
        row = rows.setdefault(claim.id, ClaimRow(claim.id, claim.text, claim.article, {}))
        row.results[Subject(claim.subject, claim.profile)] = claim
    letters = sorted({row.id[:1] for row in rows.values()}, key=lambda letter: [*_CLAIM_GROUPS, letter].index(letter))
    return [
        ClaimGroup(
            _CLAIM_GROUPS.get(letter, f"Claims {letter}"),
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
