"""The ways in which a fault is done, each made ready beforehand so that acting takes milliseconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from viplab.errors import LabError
from viplab.faults import AtClient, ByStranger, FaultKind, InGuest, OnBridge, OnGuest, OnPort, VirtualRouter, Wires
from viplab.inject.nftables import DropRules
from viplab.inject.stranger import Stranger
from viplab.lab.command import run
from viplab.lab.guest import Armed, Guest, Timing
from viplab.lab.topology import PUBLIC, Network
from viplab.subjects.assignment import Assignment
from viplab.types import HostName, NetworkName

DISCARD_PORT = 9  # RFC 863


@dataclass(frozen=True)
class Bench:
    """What faults are done to."""

    hosts: Mapping[HostName, Guest]
    networks: Mapping[NetworkName, Network]
    assignment: Assignment
    router: VirtualRouter
    chance: Random

    def wires(self, network: Network) -> Wires:
        """A network as rules and strangers see it."""
        cards = {name: (guest.host, guest.host.interfaces) for name, guest in self.hosts.items()}
        ports = {
            name: host.port(card.name)
            for name, (host, interfaces) in cards.items()
            for card in interfaces
            if card.network == network.name
        }
        return Wires(ports, self.router, self.chance)


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
        subject = bench.assignment.on(target.host)
        at = f"{self._guest.host.name}:{time.time_ns()}"
        self.marker: str | None = f"viplab:{kind.name}:{at}"
        self._heal: Armed | None = None
        if how.heal is not None:
            heal = how.heal(target, subject, self._guest)
            self._heal = self._guest.arm(heal, f"viplab:{kind.name} healed:{at}")
        self._strike = self._guest.arm(how.command(target, subject, self._guest), self.marker)

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
        self._how, self._target, self._guest = how, target, bench.hosts[target.host]

    def strike(self) -> Timing:
        return self._how.call(self._target, self._guest)

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        if self._how.heal is None or not self._guest.running:
            return None
        return self._how.heal(self._target, self._guest), {}

    def discard(self) -> None:
        pass


class _Rules:
    """Rules of nftables that drop frames."""

    marker: str | None = None

    def __init__(self, rules: DropRules) -> None:
        self._rules = rules

    def strike(self) -> Timing:
        return self._rules.drop()

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        try:
            return self._rules.lift(), {"frames": self._rules.dropped()}
        finally:
            self._rules.remove()

    def discard(self) -> None:
        self._rules.remove()


class _Crossed(_Rules):
    """Rules under which each host sends the others a datagram, or asks in vain who they are."""

    def __init__(self, rules: DropRules, network: Network, bench: Bench) -> None:
        super().__init__(rules)
        self._network, self._guests = network, list(bench.hosts.values())

    def strike(self) -> Timing:
        struck = super().strike()
        addresses = {
            guest: card.address
            for guest in self._guests
            for card in guest.host.interfaces
            if card.network == self._network.name
        }
        for guest in addresses:
            others = (address for other, address in addresses.items() if other is not guest)
            if guest.running:
                guest.run("; ".join(f"echo >/dev/udp/{address}/{DISCARD_PORT}" for address in others) + "; true")
        return struck


def _on_bridge(kind: FaultKind, how: OnBridge, target: Any, bench: Bench) -> Way:
    network = _network(kind, how.network, target, bench)
    wires = bench.wires(network)
    rules = DropRules("bridge", {hook: match(target, wires) for hook, match in how.match.items()})
    return _Crossed(rules, network, bench) if how.crossed else _Rules(rules)


def _at_client(kind: FaultKind, how: AtClient, target: Any, bench: Bench) -> Way:
    public = bench.networks[PUBLIC.name]
    wires = bench.wires(public)
    rules = {"input": f"iifname {public.bridge} {how.match(target, wires)}"}
    return _Rules(DropRules(bench.router.family.nft_family, rules))


class _Flags:
    """Flags of a bridge's port."""

    marker: str | None = None

    def __init__(self, kind: FaultKind, how: OnPort, target: Any, bench: Bench) -> None:
        host = bench.hosts[target.host].host
        self._port, self._mac = host.port(target.interface), host.interface(target.interface).mac
        self._flags, self._learned = how.flags, how.learned

    def strike(self) -> Timing:
        if self._learned:
            run(["bridge", "fdb", "replace", self._mac, "dev", self._port, "master", "static"])
        return self._set(self._flags)

    def heal(self) -> tuple[Timing, dict[str, Any]] | None:
        healed = self._set({flag: not on for flag, on in self._flags.items()})
        if self._learned:
            run(["bridge", "fdb", "del", self._mac, "dev", self._port, "master"])
        return healed, {}

    def discard(self) -> None:
        pass

    def _set(self, flags: Mapping[str, bool]) -> Timing:
        """Set them all in one request, and ask the bridge whether it has."""
        words = [word for flag, on in flags.items() for word in (flag, "on" if on else "off")]
        before_ns = time.time_ns()
        run(["bridge", "link", "set", "dev", self._port, *words])
        after_ns = time.time_ns()
        (said,) = json.loads(run(["bridge", "-json", "-details", "link", "show", "dev", self._port]))
        if wrong := [flag for flag, on in flags.items() if said.get(flag) is not on]:
            raise LabError(
                f"the bridge does not set {', '.join(wrong)} of its port {self._port}; the kernel is too old"
            )
        return Timing(before_ns, after_ns, 0)


def _by_stranger(kind: FaultKind, how: ByStranger, target: Any, bench: Bench) -> Way:
    network = _network(kind, how.network, target, bench)
    return Stranger(network.bridge, how.frames(target, bench.wires(network)), target.rate)


def _network(kind: FaultKind, name: NetworkName | None, target: Any, bench: Bench) -> Network:
    """The network that a kind is about, or its target: by its name, or by the card of a host."""
    if name is None:
        card = getattr(target, "interface", None)
        name = target.network if card is None else bench.hosts[target.host].host.interface(card).network
    return bench.networks[name]


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
    OnBridge: _on_bridge,
    AtClient: _at_client,
    OnPort: _Flags,
    ByStranger: _by_stranger,
}
