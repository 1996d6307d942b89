"""What two daemons did, compared step by step and line by line."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from beside.accidents import Accident, Step
from beside.files import File

Seen = dict[str, list[str]]
ASPECTS = ("runs", "states", "adverts", "announcements", "told", "addresses", "routes", "rules", "links", "answers")


class Difference(NamedTuple):
    """A line that one daemon gave and the other did not.

    Attributes:
        file: the file's name.
        options: the file's.
        accident: its name.
        step: what had just happened.
        aspect: of what was seen.
        who: the daemon that gave the line.
        line: what it was.
        reason: the name of the reason that explains it; "" where none does.
    """

    file: str
    options: frozenset[str]
    accident: str
    step: str
    aspect: str
    who: str
    line: str
    reason: str = ""


def differences(file: File, accident: Accident, step: Step, keepalived: Seen, vipd: Seen) -> list[Difference]:
    """What differs after a step, each line with the reason that explains it."""
    from beside.reasons import reason_of  # which knows differences

    found = []
    for aspect in ASPECTS:
        one, other = (_comparable(file, aspect, seen[aspect]) for seen in (keepalived, vipd))
        for who, lines in (("keepalived", one - other), ("vipd", other - one)):
            place = (file.name, file.options, accident.name, step.words, aspect, who)
            found += [Difference(*place, line) for line in lines.elements()]
    return [one._replace(reason=reason_of(one, found)) for one in found]


def _comparable(file: File, aspect: str, lines: list[str]) -> Counter[str]:
    if aspect == "announcements" and "garp-refresh" in file.options:
        lines = [re.sub(r" x\d+$", "", line) for line in lines]  # once a second as long as one looks
    if aspect == "states":
        lines = _sequences(lines)
    return Counter(lines)


def _sequences(lines: list[str]) -> list[str]:
    """The states that each instance entered, in their order."""
    found: dict[str, list[str]] = {}
    for line in lines:
        name, state = line.rsplit(" ", 1)
        found.setdefault(name, []).append(state)
    return [f"{name}: {' '.join(states)}" for name, states in found.items()]
