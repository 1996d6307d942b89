"""The language in which the reference file says what must hold: comparisons of named values, and log lines in order.

A check is true, false, or None where it could not be decided; `comparison` has the part that needs no log.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from viplab.analysis.comparison import SIGN, Compare, Lookup, shown
from viplab.analysis.views import LogLine, TrialView
from viplab.errors import InputError, ViplabError
from viplab.subjects.registry import find_family
from viplab.types import Frozen, HostName


class Line(Frozen):
    """A log message without the instance's name, and how long after the one before it should come."""

    text: str
    gap_s: tuple[float, float] | None = None

    def __str__(self) -> str:
        return f"`{self.text}`" + (f" {self.gap_s[0]:g} to {self.gap_s[1]:g} s later" if self.gap_s else "")


class Logged(Frozen):
    """Messages that one host logged after a fault, in this order; others may stand between them unless `only`."""

    log: HostName
    lines: list[Line] = Field(min_length=1)
    after_fault: int = Field(default=1, ge=1)
    within_s: float | None = None
    only: bool = False

    def find(self, view: TrialView) -> list[LogLine] | None:
        """The lines that match, as far as they do; None where this host left no log with times after that fault."""
        if len(view.faults) < self.after_fault:
            return None
        scope = self._scope(view)
        if scope is None:
            return None
        found: list[LogLine] = []
        rest = iter(scope)
        for wanted in self.lines:
            match = next((line for line in rest if wanted.text in line.message), None)
            if match is None:
                break
            found.append(match)
        return found

    def holds(self, view: TrialView) -> bool | None:
        """Whether all lines are there, at the distances that are asked for."""
        found = self.find(view)
        if found is None:
            return None
        if len(found) < len(self.lines):
            return False
        pairs = zip(self.lines[1:], found, found[1:], strict=False)
        if not all(_apart(before, after, wanted.gap_s) for wanted, before, after in pairs):
            return False
        if self.within_s is not None and not _apart(found[0], found[-1], (0, self.within_s)):
            return False
        if not self.only:
            return True
        try:
            daemon = view.info.daemon(self.log)
            family = find_family(daemon.family, daemon.subject)
        except ViplabError:
            return None
        about = [line for line in self._scope(view) or [] if family.log_body(line.message) != line.message]
        return all(line in found for line in about)

    def _scope(self, view: TrialView) -> list[LogLine] | None:
        lines = [
            line for line in view.logs.get(self.log, []) if line.time_s is not None and line.uncertainty_s is not None
        ]
        if not lines:
            return None
        since = view.faults[self.after_fault - 1].at_s
        following = view.faults[self.after_fault :]
        until = following[0].at_s if following else view.end_s
        # A stamp is cut to its resolution: the line was written up to that much later.
        return [
            line
            for line in lines
            if (line.time_s or 0) + (line.uncertainty_s or 0) >= since and (line.time_s or 0) <= until
        ]

    def __str__(self) -> str:
        limit = f" within {self.within_s:g} s" if self.within_s is not None else ""
        only = "only " if self.only else ""
        after = f" after fault {self.after_fault}" if self.after_fault > 1 else ""
        return f"{self.log} logs{after}{limit} {only}{', '.join(map(str, self.lines))}"


Check = Compare | Logged
_NOT_MEASURED = "not measured"
_UNIT_OF_NOTHING = re.compile(rf"\b{_NOT_MEASURED} m?s\b")


def _apart(before: LogLine, after: LogLine, allowed: tuple[float, float] | None) -> bool:
    """Whether two lines may be that far apart, given the resolution of their stamps."""
    if allowed is None:
        return True
    if before.time_s is None or after.time_s is None:
        return False
    unsure = max(before.uncertainty_s or 0, after.uncertainty_s or 0)
    apart_s = after.time_s - before.time_s
    return apart_s + unsure >= allowed[0] and apart_s - unsure <= allowed[1]


def complaint(check: Check, lookup: Lookup) -> str:
    """Why a check that does not hold does not, in terms of what was measured."""
    if isinstance(check, Logged):
        return f"not so: {check}"
    name, against = check.comparison
    return f"{check.metric} is {shown(lookup(check.metric))}, should be {SIGN[name]} {shown(against)}"


def noise(check: Check, lookup: Lookup) -> str | None:
    """Why noise leaves a check open, in terms of what was measured; None where it does not."""
    if isinstance(check, Logged) or not check.in_noise(lookup):
        return None
    value, other = check.sides(lookup)
    unit = "ms" if check.metric.endswith("_ms") else "s"
    apart = "is nearer to an end of {} than" if isinstance(other, tuple) else "differs from {} by less than"
    return (
        f"{check.metric} is {shown(value)} and {apart.format(shown(other))} the scatter of this run, "
        f"{shown(check.scatter(lookup))} {unit}: undecided"
    )


def holds(check: Check, lookup: Lookup, view: TrialView) -> bool | None:
    """Whether a check holds for a trial."""
    return check.holds(lookup) if isinstance(check, Compare) else check.holds(view)


class Template(string.Formatter):
    """Fills `{name:.3f}` from named values; what was not measured is said to be so."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__()
        self._lookup = lookup

    def vformat(self, format_string: str, args: Any, kwargs: Mapping[str, Any]) -> str:
        """The text; a value that is not there has no unit either."""
        return _UNIT_OF_NOTHING.sub(_NOT_MEASURED, super().vformat(format_string, args, kwargs))

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        """A value, by its whole name: no attributes, no indices."""
        return self._lookup(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value in the asked form, where it has that form."""
        if value is None:
            return _NOT_MEASURED
        return str(format(value, format_spec if isinstance(value, int | float) and not isinstance(value, bool) else ""))


def unknown_name(name: str) -> InputError:
    """The error of a reference file that asks for what nobody measures."""
    return InputError(f"reference.yaml: there is no metric `{name}`; docs/claims.md lists what there is")
