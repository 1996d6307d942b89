"""How a fault is done and undone, as data; `viplab.inject` has the hands for each of these ways."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from viplab.address_family import AddressFamily, family_of
from viplab.types import HostName, NetworkName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest, Timing
    from viplab.subjects.subject import Subject

    Command = Callable[[Any, Subject, Guest], str]
    """A shell command made of a kind's target, the daemon and the host that is struck."""


@dataclass(frozen=True)
class InGuest:
    """A shell command in the guest, armed beforehand; the marker datagram that it sends first dates the fault."""

    command: Command
    heal: Command | None = None
    answers: bool = True
    """Whether the command lives to say how it went; the order to shut down may not."""


@dataclass(frozen=True)
class OnGuest:
    """Something that the host does to the machine that a guest is, bracketed by the host's clock.

    Both calls are given the kind's target and the guest.
    """

    call: Callable[[Any, Guest], Timing]
    heal: Callable[[Any, Guest], Timing] | None = None


Hook = Literal["prerouting", "input", "forward", "output", "postrouting"]


@dataclass(frozen=True)
class VirtualRouter:
    """The pair's virtual router, as far as a rule or a stranger is about it."""

    vip: str
    """The address that the client asks."""
    virtual_router_id: int
    version: int
    addresses: Sequence[str]
    """What its adverts list."""

    @property
    def family(self) -> AddressFamily:
        """The family of its addresses."""
        return family_of(self.vip)


@dataclass(frozen=True)
class Wires:
    """What a rule or a stranger is made of: the names of the bridge's ports to the hosts, and the virtual router."""

    ports: Mapping[HostName, str]
    router: VirtualRouter
    chance: Random
    """Draws what chance is to decide, from the recorded seed."""

    def among(self, hosts: Collection[HostName] = ()) -> str:
        """A set of nftables with the ports to these hosts, or to all."""
        return f"{{ {', '.join(self.ports[host] for host in hosts or self.ports)} }}"


Match = Callable[[Any, Wires], str]
"""An expression of nftables, made of a kind's target and of the wires."""


@dataclass(frozen=True)
class OnBridge:
    """Frames that the bridge of a network drops, and counts, until the rules are taken away.

    For each hook that is named `match` makes nftables' expression of the kind's target and of the wires. Without a
    network it is the target's own.
    """

    network: NetworkName | None
    match: Mapping[Hook, Match]
    crossed: bool = False
    """Whether the bench has hosts send each other a datagram meanwhile: where adverts travel elsewhere nothing else
    may cross, and the rules would count no frame."""


@dataclass(frozen=True)
class AtClient:
    """Frames that the client's kernel drops on the public network, behind its capture, and counts.

    They are of what hosts of the address's family find each other by: ARP, or ND.
    """

    match: Match


@dataclass(frozen=True)
class OnPort:
    """Flags of a bridge's port to a host, as `bridge link set` names them; healing gives each its opposite."""

    flags: Mapping[str, bool]
    learned: bool = False
    """Whether the bridge has learned the MAC of the host's card there before, and keeps it."""


@dataclass(frozen=True)
class ByStranger:
    """Frames that a station of its own sends on a network, so many a second, until it is taken away.

    `frames` makes, of the kind's target and of the wires, the frames that are sent in turn.
    """

    network: NetworkName | None
    frames: Callable[[Any, Wires], Sequence[bytes]]


Injection = InGuest | OnGuest | OnBridge | AtClient | OnPort | ByStranger
