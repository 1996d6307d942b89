"""What a case means, in a sentence a subject: which of the known courses it took, by its measured values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viplab.analysis.checks import Template
from viplab.analysis.comparison import Value
from viplab.analysis.presentation import Course
from viplab.analysis.views import FaultView
from viplab.report import outline, units


@dataclass(frozen=True)
class Meaning:
    """One sentence on one subject, and the open question that goes further."""

    subject: outline.Subject
    text: str
    puzzle: int | None


def meanings(case: outline.Case, courses: Sequence[Course]) -> list[Meaning]:
    """A sentence for each subject and fault of a case that took a known course; none for one that did not."""
    return [
        Meaning(group.subject, _told(course, fault), course.puzzle)
        for course in courses
        if course.scenario == case.scenario
        for group in case.groups
        if group.shown.summary.verdict == "pass"
        for fault in group.shown.faults[course.fault - 1 : course.fault]
        if _taken(course, fault)
    ]


def _taken(course: Course, fault: FaultView) -> bool:
    def measured(name: str) -> Value:
        if name in ("old_master", "new_master"):
            return getattr(fault, name) or "none"
        value: Value = getattr(fault.summary, name)
        return value

    return all(check.holds(measured) for check in course.when)


def _told(course: Course, fault: FaultView) -> str:
    def worded(name: str) -> str:
        return units.seconds(getattr(fault.summary, name)) or units.NOT_MEASURED

    return Template(worded).format(course.text)
