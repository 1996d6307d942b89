"""Injects one fault: makes it ready, waits for its moment, lets it go, records the bracket; and heals it later."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from viplab.faults import FaultKind
from viplab.inject.ways import Bench, Way, ready
from viplab.lab.guest import Timing
from viplab.observe.timeline import Timeline


class Injected:
    """A fault that has struck."""

    def __init__(self, way: Way, timeline: Timeline, keys: dict[str, Any], until_ns: int | None) -> None:
        self._way, self._timeline, self._keys = way, timeline, keys
        self.until_ns = until_ns
        """When it is to be healed, by CLOCK_MONOTONIC; None where it was given no end."""
        self._healed = False

    def heal(self) -> None:
        """Put it right, if it can be and has not been, and record when that was.

        Raises:
            LabError: it could not be healed.
        """
        if self._healed:
            return
        self._healed = True
        healed = self._way.heal()
        if healed is not None:
            timing, found = healed
            self._timeline.record("fault_healed", **_bracket(timing), **self._keys, **found)


def inject(
    kind: FaultKind,
    target: Any,
    bench: Bench,
    timeline: Timeline,
    phase: str,
    place: float | None,
    moment: Callable[[], None],
) -> Injected:
    """Do a fault to its target at the moment for which `moment` waits, and record when that was.

    Args:
        kind: the kind of fault.
        target: what the scenario gave, by the kind's own model.
        bench: the hosts and their daemons.
        timeline: where it is recorded.
        phase: `setup` or `steps`.
        place: where in the advert interval it is to strike, if anywhere; only recorded here.
        moment: waits for the moment.

    Raises:
        HostError: this machine lacks what the fault is done with.
        LabError: the guest or the kernel refused; nothing has happened then.
    """
    interface = getattr(target, "interface", None)
    network: dict[str, Any] = {}
    if interface is not None:
        network["network"] = bench.hosts[target.host].host.interface(interface).network
    elif name := getattr(target, "network", None) or getattr(kind.injection, "network", None):
        network["network"] = name
    way = ready(kind, target, bench)
    lasts_ms = getattr(target, "duration_ms", None)
    with ExitStack() as in_vain:
        in_vain.callback(way.discard)
        moment()
        fired = way.strike()
        until_ns = None if lasts_ms is None else time.monotonic_ns() + lasts_ms * 1_000_000
        in_vain.pop_all()
    keys: dict[str, Any] = {"kind": kind.name, "host": getattr(target, "host", None), "phase": phase}
    more: dict[str, Any] = {} if lasts_ms is None else {"duration_ns": lasts_ms * 1_000_000}
    if (share := getattr(target, "share", None)) is not None:
        more["share"] = share
    timeline.record("fault_injected", **_bracket(fired), **keys, marker=way.marker, place=place, **network, **more)
    return Injected(way, timeline, keys, until_ns)


def _bracket(timing: Timing) -> dict[str, int]:
    return {"t_ns": timing.before_ns, "before_ns": timing.before_ns, "after_ns": timing.after_ns}
