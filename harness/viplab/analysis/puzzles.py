"""The questions that the article leaves open, answered for each subject by the first answer whose checks hold."""

from __future__ import annotations

from collections.abc import Sequence

from viplab.analysis.checks import Template, holds
from viplab.analysis.claims import Judged, PuzzleText, Reference, Subject, subjects
from viplab.analysis.views import Evidence, Puzzle


def answer_puzzles(reference: Reference, trials: Sequence[Judged]) -> list[Puzzle]:
    """Every puzzle for every subject of its families; unsettled where no scenario was run or no answer is borne out."""
    asked = [subject for subject in subjects(trials) if reference.speaks_of(subject.family)]
    return [_answer(puzzle, subject) for subject in asked for puzzle in reference.puzzles]


def _answer(puzzle: PuzzleText, subject: Subject) -> Puzzle:
    lookup = subject.lookup(None)
    fill = Template(lookup).format
    settled, answer = _first_that_holds(puzzle, subject)
    evidence = [
        Evidence(label=text.label, value=fill(text.value), trial=source.view.name)
        for text in puzzle.evidence
        if (source := subject.first(text.scenario))
    ]
    return Puzzle(
        number=puzzle.number,
        title=puzzle.title,
        question=puzzle.question,
        subject=subject.name,
        profile=subject.profile,
        answer=fill(answer),
        settled=settled,
        evidence=evidence,
    )


def _first_that_holds(puzzle: PuzzleText, subject: Subject) -> tuple[bool, str]:
    missing = [name for name in puzzle.scenarios if subject.first(name) is None]
    if missing:
        return False, f"Undecided: this run has no trial that could be used of {', '.join(missing)}."
    source = subject.first(puzzle.scenarios[0])
    assert source is not None
    lookup = subject.lookup(None)
    for answer in puzzle.answers:
        applies = answer.family in (None, subject.family)
        if applies and all(holds(check, lookup, source.view) for check in answer.when):
            return True, answer.answer
    return False, "Undecided: the numbers bear out none of the known answers."
