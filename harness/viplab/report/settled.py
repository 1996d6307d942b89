"""Which figure settles which of the article's open questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from viplab.report import answers, arithmetic, ladder, outline
from viplab.report.svg import Drawing

Groups = dict[str, list[tuple[str, outline.Group]]]
"""By scenario: each subject's short name with its trials."""


def draw(
    number: int, chapters: Sequence[outline.Chapter], names: dict[outline.Subject, str], key: str
) -> Drawing | None:
    """The figure of one question; None where the run has none of the trials that it takes."""
    groups: Groups = {
        case.scenario: [(names[group.subject], group) for group in case.groups]
        for chapter in chapters
        for case in chapter.cases
    }
    figure = _FIGURES.get(number)
    return figure(groups, key) if figure else None


def _detection(groups: Groups, key: str) -> Drawing | None:
    rows = _rows(groups, {"case-a": "daemon killed", "power-cut": "power cut"})
    return answers.draw(
        rows, key,
        "Whose answers the client got, on one axis. B takes over at the triangle in both; that the client misses "
        "nothing when only the daemon dies is A’s kernel, which goes on answering. The line beside the fault is 20 ms, "
        "where the article puts detection.",
        [(0.02, "20 ms after it, the article’s detection")],
    )  # fmt: skip


def _resolution(groups: Groups, key: str) -> Drawing | None:
    return ladder.draw([(name, group.shown) for name, group in groups.get("case-a", [])], key)


def _arithmetic(groups: Groups, key: str) -> Drawing | None:
    return arithmetic.draw(groups.get("case-c", []), key)


def _tie(groups: Groups, key: str) -> Drawing | None:
    rows = []
    for scenario in ("case-d", "case-d-preempt"):
        for name, group in groups.get(scenario, []):
            nodes = group.shown.info.nodes
            priorities = f"A {nodes['A'].priority}, B {nodes['B'].priority}"
            rows.append(answers.Row(group.shown, name, f"priorities: {priorities}"))
    return answers.draw(
        rows, key,
        "The same fault, the return of A’s interface, with equal priorities and with those of part 1; nothing else "
        "differs. Only with the higher priority does A take the address back.",
    )  # fmt: skip


def _gap(groups: Groups, key: str) -> Drawing | None:
    return answers.draw(
        _rows(groups, {"case-b": "daemon on A started"}), key,
        "What the client got when A came back. Where A’s gratuitous ARP (diamond) follows its first advert (triangle) "
        "by a second, nobody holds the address in between.",
    )  # fmt: skip


def _rows(groups: Groups, notes: dict[str, str]) -> list[answers.Row]:
    return [
        answers.Row(group.shown, name, note)
        for scenario, note in notes.items()
        for name, group in groups.get(scenario, [])
    ]


_FIGURES: dict[int, Callable[[Groups, str], Drawing | None]] = {
    1: _detection,
    2: _resolution,
    3: _arithmetic,
    4: _tie,
    5: _gap,
}
