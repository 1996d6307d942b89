"""What a rule finds, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from viplab.keepalived_files import Place
from viplab.lint.read import Cluster


@dataclass(frozen=True)
class Found:
    """One thing that is dangerous: where, and what to do about it."""

    place: Place
    text: str
    other: Place | None = None
    """The line of another node that it contradicts."""


@dataclass(frozen=True)
class Rule:
    """One thing that is looked for; the pages, the SARIF and the warnings follow from this."""

    name: str
    """What a warning calls it: small letters and hyphens."""
    title: str
    """What is wrong, as a sentence."""
    danger: str
    """What comes of it, in a sentence or two."""
    scenario: str
    """The scenario that shows it; its name."""
    shown: str
    """What one sees there, as a sentence."""
    find: Callable[[Cluster], Iterator[Found]]
