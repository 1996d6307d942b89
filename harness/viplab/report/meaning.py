"""What a case means, in a sentence a subject: which of the known courses it took, by its measured figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viplab.analysis.summary import Measures
from viplab.analysis.views import FaultView
from viplab.report import outline, units

NOTICED_S = 0.2
"""A gap shorter than this is not called one: a slow reply is not an outage."""


@dataclass(frozen=True)
class Meaning:
    """One sentence on one subject, and the open question that goes further."""

    subject: outline.Subject
    text: str
    puzzle: int | None


@dataclass(frozen=True)
class _Course:
    """A known course of a scenario's fault: when a trial took it, what to say of it, which question goes further."""

    scenario: str
    fault: int
    taken: Callable[[Measures], bool]
    text: str
    puzzle: int | None


def _gap(measures: Measures) -> bool:
    return measures.outage_s is not None and measures.outage_s > NOTICED_S


def _no_gap(measures: Measures) -> bool:
    return measures.outage_s is not None and measures.outage_s <= NOTICED_S


def _both(measures: Measures) -> bool:
    return bool(measures.dual_owner_s)


def _late_claim(measures: Measures) -> bool:
    return measures.announce_s is not None and measures.announce_s > NOTICED_S


def _notice(measures: Measures) -> bool:
    return bool(measures.priority_zero)


def _taken(measures: Measures) -> bool:
    return measures.detection_s is not None


_COURSES = (
    _Course(
        "case-a", 0, lambda m: _no_gap(m) and _both(m) and _taken(m),
        "B needed {detection} to take over, yet the client noticed nothing: only A’s daemon is dead, its kernel keeps "
        "the address and goes on answering. After the takeover both hosts hold the address.",
        1,
    ),
    _Course(
        "case-b", 0, lambda m: _gap(m) and _late_claim(m),
        "B lets go of the address as soon as it hears A, but A claims it only {announce} after its first advert. In "
        "between nobody holds it, and the client is without an answer for {outage}.",
        5,
    ),
    _Course(
        "case-b", 0, lambda m: _no_gap(m) and _taken(m),
        "A took the address back without a gap that the client would notice: it claims it {announce} after its first "
        "advert, the one that makes B let go.",
        5,
    ),
    _Course(
        "case-c", 0, lambda m: _gap(m) and not _notice(m) and _late_claim(m),
        "Now nobody answers while B waits. A gives no notice, so B waits for its whole down interval, then for one "
        "more advert interval before it claims the address: {outage} without an answer.",
        3,
    ),
    _Course(
        "case-c", 0, lambda m: _gap(m) and _notice(m),
        "A tells B that it gives up, by an advert of priority 0. B then waits for its short skew time instead of the "
        "whole down interval: {outage} without an answer.",
        3,
    ),
    _Course(
        "case-d", 0, lambda m: _no_gap(m) and not _taken(m),
        "A comes back and does not take over: B is alive and the priorities are equal. The client notices nothing.",
        4,
    ),
    _Course(
        "case-d", 1, lambda m: _gap(m) and _taken(m),
        "When B is then shut down, A takes the address after {detection}; the client is without an answer for "
        "{outage}.",
        None,
    ),
    _Course(
        "power-cut", 0, _gap,
        "The same takeover as in case A, but here the whole host is gone and nobody is left to answer meanwhile: "
        "{outage} without an answer. This is what a failover costs.",
        1,
    ),
    _Course(
        "case-d-preempt", 0, _taken,
        "With the higher priority A takes the address back, {detection} after its interface returned. Nothing else "
        "differs from case D.",
        4,
    ),
)  # fmt: skip


def meanings(case: outline.Case) -> list[Meaning]:
    """A sentence for each subject and fault of a case that took a known course; none for one that did not."""
    return [
        Meaning(group.subject, course.text.format(**_words(group.shown.faults[course.fault])), course.puzzle)
        for course in _COURSES
        if course.scenario == case.scenario
        for group in case.groups
        if group.shown.summary.verdict == "pass"
        if course.fault < len(group.shown.faults) and course.taken(group.shown.faults[course.fault].summary)
    ]


def _words(fault: FaultView) -> dict[str, str]:
    summary = fault.summary
    figures = {"detection": summary.detection_s, "announce": summary.announce_s, "outage": summary.outage_s}
    return {name: units.seconds(value) or units.NOT_MEASURED for name, value in figures.items()}
