"""Comparisons of named values, the simpler half of the language in which the reference file says what must hold.

A comparison is true, false, or None where it could not be decided.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from viplab.types import Frozen

Value = bool | int | float | str | None
Lookup = Callable[[str], Value]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "within": lambda value, bounds: bool(bounds[0] <= value <= bounds[1]),
}
SIGN = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "within": "within"}


class Compare(Frozen):
    """A metric against a value, or against another one, whose name then follows an `@`.

    A name may say another scenario of the same subject first: `SCENARIO/first_reply_ms`. `noise` names values that say
    how far the two sides may be off in this very run; what lies closer together than that is not decided.
    """

    # Copies of the reference file that runs kept before November 2026 say `measure`.
    metric: str = Field(validation_alias=AliasChoices("metric", "measure"))
    eq: bool | int | float | str | None = None
    ne: bool | int | float | str | None = None
    lt: float | str | None = None
    le: float | str | None = None
    gt: float | str | None = None
    ge: float | str | None = None
    within: tuple[float, float] | None = None
    noise: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_comparison(self) -> Compare:
        if len(self._given()) != 1:
            raise ValueError(f"{self.metric}: give exactly one of {', '.join(_COMPARE)}")
        if self.noise and self.comparison[0] in ("eq", "ne"):
            raise ValueError(f"{self.metric}: `noise` goes with lt, le, gt, ge or within")
        return self

    def _given(self) -> list[str]:
        return [name for name in _COMPARE if getattr(self, name) is not None]

    @property
    def comparison(self) -> tuple[str, Any]:
        """The comparison's name and what is compared with."""
        (name,) = self._given()
        return name, getattr(self, name)

    def holds(self, lookup: Lookup) -> bool | None:
        """Compare; None where a side was not measured, or where noise could have made it so."""
        name, _ = self.comparison
        value, other = self.sides(lookup)
        if value is None or other is None or (self.noise and self.scatter(lookup) is None):
            return None
        return None if self.in_noise(lookup) else _COMPARE[name](value, other)

    def sides(self, lookup: Lookup) -> tuple[Any, Any]:
        """The two values that are compared."""
        _, against = self.comparison
        other = lookup(against[1:]) if isinstance(against, str) and against.startswith("@") else against
        return lookup(self.metric), other

    def scatter(self, lookup: Lookup) -> float | None:
        """How far the sides may be off: independent causes, so the root of their squares; None if one is not known."""
        values: list[Any] = [lookup(name) for name in self.noise]
        return None if None in values else math.hypot(*values)

    def in_noise(self, lookup: Lookup) -> bool:
        """Whether both sides were measured and lie closer together than their scatter."""
        value, other = self.sides(lookup)
        scatter = self.scatter(lookup)
        if value is None or other is None or not scatter:
            return False
        return any(abs(value - bound) < scatter for bound in (other if isinstance(other, tuple) else (other,)))

    def __str__(self) -> str:
        name, against = self.comparison
        noise = f", give or take {' and '.join(self.noise)}" if self.noise else ""
        return f"{self.metric} {SIGN[name]} {shown(against)}{noise}"


def shown(value: Any) -> str:
    """A value as a check names it."""
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
