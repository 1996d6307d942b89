"""Computes the effective priority of a router from what it tracks, and whether its needs are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vipd.config.model import RouterConfig

_OWNER = 255
_LIMIT = 253  # a file that says less puts the router in FAULT

Values = Mapping[tuple[str, str], int]
"""By kind and name: 0 or 1 for an interface, a script or a process; what is written in it for a file."""


class Evaluation(NamedTuple):
    """The result for one router.

    Attributes:
        priority: the effective one; None while a file is at fault, which leaves it as it was.
        needs: what the router cannot do without, and whether that is so.
    """

    priority: int | None
    needs: dict[str, bool]


def evaluate(config: RouterConfig, values: Values) -> Evaluation:
    """Evaluate everything that a router tracks; an object without a value yet counts as good.

    A positive weight counts while a thing is good, a negative one while it is bad; `reverse` turns the sign round.
    Without weight a thing has to be good, or with `reverse` bad. keepalived does the same, keeps the sum within 1 and
    254, and lets it alone while a file is at fault.
    """
    total, needs, at_fault = 0, {}, False
    for track in config.tracks:
        name = f"{track.kind} {track.name}"
        value = values.get((track.kind, track.name), 0 if track.kind == "file" else 1)
        sign = -1 if track.reverse else 1
        if track.kind == "file":
            moved = value * track.weight * sign
            needs[name] = (value != 0) == track.reverse if not track.weight else moved >= -_LIMIT
            total += min(moved, _LIMIT)
            at_fault = at_fault or not needs[name]
        elif not track.weight:
            needs[name] = bool(value) != track.reverse
        elif bool(value) == (track.weight > 0):
            total += track.weight * sign
    if config.priority == _OWNER:
        return Evaluation(_OWNER, needs)
    return Evaluation(None if at_fault else max(1, min(254, config.priority + total)), needs)
