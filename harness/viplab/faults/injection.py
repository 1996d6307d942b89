"""How a fault is done and undone, as data; `viplab.inject` has the hands for each of these ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from viplab.types import NetworkName

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
    """Something that the host does to the machine that a guest is, bracketed by the host's clock."""

    call: Callable[[Guest], Timing]
    heal: Callable[[Guest], Timing] | None = None


@dataclass(frozen=True)
class OnBridge:
    """Frames that the bridge of a network drops, and counts, until the rule is taken away.

    `match` makes nftables' expression of the kind's target and the names of the bridge's ports to the hosts.
    """

    network: NetworkName
    hook: Literal["prerouting", "input", "forward", "output", "postrouting"]
    match: Callable[[Any, Sequence[str]], str]


Injection = InGuest | OnGuest | OnBridge
