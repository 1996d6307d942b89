"""The three ways in which a fault is done, each made ready beforehand so that acting takes milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from viplab.errors import LabError
from viplab.faults import FaultKind, InGuest, OnBridge, OnGuest
from viplab.inject.nftables import DropRule
from viplab.lab.guest import Armed, Guest, Timing
from viplab.lab.topology import CENSUS_PORT, NETWORKS
from viplab.subjects.subject import Subject
from viplab.types import HostName


@dataclass(frozen=True)
class Bench:
    """What faults are done to."""

    hosts: Mapping[HostName, Guest]
    subject: Subject


class Way(Protocol):
    """A fault that is ready to strike, and to be healed where that is possible."""

    marker: str | None
    """What the datagram carries that dates it."""

    def strike(self) -> Timing:
        """Do it."""
        ...

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        """Undo it; with what was found out meanwhile, for the timeline. None where there is nothing left to undo."""
        ...

    def discard(self) -> None:
        """Leave nothing behind of a fault that did not strike."""
        ...


class _Command:
    """Shell commands in the guest, which wait there for the word."""

    def __init__(self, kind: FaultKind, how: InGuest, target: Any, bench: Bench) -> None:
        self._kind, self._how = kind, how
        self._guest = bench.hosts[target.host]
        at = f"{self._guest.host.name}:{time.time_ns()}"
        self.marker: str | None = f"viplab:{kind.name}:{at}"
        self._heal: Armed | None = None
        if how.heal is not None:
            heal = how.heal(target, bench.subject, self._guest)
            self._heal = self._guest.arm(heal, f"viplab:{kind.name} healed:{at}")
        self._strike = self._guest.arm(how.command(target, bench.subject, self._guest), self.marker)

    def strike(self) -> Timing:
        return self._checked(self._strike.fire(), "failed", "nothing was measured")

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        # A host that is gone took its fault along.
        if self._heal is None or not self._guest.running:
            return None
        return self._checked(self._heal.fire(), "could not be healed: its command failed", "it lasts"), {}

    def discard(self) -> None:
        pass

    def _checked(self, fired: Timing, what: str, so: str) -> Timing:
        if fired.status != 0 and self._how.answers:
            where = f"{self._kind.name} on {self._guest.host.hostname}"
            raise LabError(f"{where} {what} with status {fired.status}; {so}")
        return fired


class _Call:
    """What the host does to the machine that a guest is."""

    marker: str | None = None

    def __init__(self, kind: FaultKind, how: OnGuest, target: Any, bench: Bench) -> None:
        self._how, self._guest = how, bench.hosts[target.host]

    def strike(self) -> Timing:
        return self._how.call(self._guest)

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        return None if self._how.heal is None else (self._how.heal(self._guest), {})

    def discard(self) -> None:
        pass


class _Rule:
    """A rule of a bridge."""

    marker: str | None = None

    def __init__(self, kind: FaultKind, how: OnBridge, target: Any, bench: Bench) -> None:
        (bridge,) = (network.bridge for network in NETWORKS if network.name == how.network)
        ports = [port.name for port in (Path("/sys/class/net") / bridge / "brif").iterdir()]
        self._rule = DropRule(how.hook, how.match(target, [port for port in ports if port != CENSUS_PORT]))

    def strike(self) -> Timing:
        return self._rule.drop()

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        try:
            return self._rule.lift(), {"frames": self._rule.dropped()}
        finally:
            self._rule.remove()

    def discard(self) -> None:
        self._rule.remove()


def ready(kind: FaultKind, target: Any, bench: Bench) -> Way:
    """Make a fault ready.

    Raises:
        HostError: this machine lacks what it is done with.
        LabError: the guest or the kernel refused.
    """
    return _WAYS[type(kind.injection)](kind, kind.injection, target, bench)


_WAYS: dict[type, Callable[[FaultKind, Any, Any, Bench], Way]] = {
    InGuest: _Command,
    OnGuest: _Call,
    OnBridge: _Rule,
}
