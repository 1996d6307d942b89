"""Comparisons of named values, the simpler half of the language in which the reference file says what must hold.

A comparison is true, false, or None where it could not be decided.
"""

from __future__ import annotations

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

    A name may say another scenario of the same subject first: `SCENARIO/first_reply_ms`.
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

    @model_validator(mode="after")
    def _one_comparison(self) -> Compare:
        if len(self._given()) != 1:
            raise ValueError(f"{self.metric}: give exactly one of {', '.join(_COMPARE)}")
        return self

    def _given(self) -> list[str]:
        return [name for name in _COMPARE if getattr(self, name) is not None]

    @property
    def comparison(self) -> tuple[str, Any]:
        """The comparison's name and what is compared with."""
        (name,) = self._given()
        return name, getattr(self, name)

    def holds(self, lookup: Lookup) -> bool | None:
        """Compare; None where either side was not measured."""
        name, against = self.comparison
        value = lookup(self.metric)
        other = lookup(against[1:]) if isinstance(against, str) and against.startswith("@") else against
        return None if value is None or other is None else _COMPARE[name](value, other)

    def __str__(self) -> str:
        name, against = self.comparison
        return f"{self.metric} {SIGN[name]} {shown(against)}"


def shown(value: Any) -> str:
    """A value as a check names it."""
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
