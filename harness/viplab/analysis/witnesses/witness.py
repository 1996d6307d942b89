"""What a witness is: a rule that holds one part of a trial's evidence against another one that should say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from viplab.analysis.record import Record
from viplab.analysis.views import FaultView

Rule = Callable[[Record, Sequence[FaultView]], str | None]
"""Gives the reason for which a trial is undecided, None where it finds none."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One rule, with what it needs: a trial that has not got that is undecided, and the rule says so.

    `tolerance` is how far the two may differ before the rule speaks, and why not less.
    """

    name: str
    compares: str
    needs: str
    tolerance: str
    rule: Rule
