"""What a kind of fault has to state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from viplab.faults.injection import InGuest, Injection, OnGuest


class Effect(Enum):
    """What becomes of the old master, as far as the client's outage depends on it: a row of each timing model."""

    DAEMON_LOST = "the daemon is gone without clean-up; the address stays and its kernel answers"
    GIVES_UP = "the daemon can still give the address back, and say so"
    HOST_LOST = "the host is gone without a word"
    RETURNS = "a host comes back; no timer of a backup has to run out"
    CLIENT_CUT = "the client is cut off for a known time; the hosts notice nothing"


class Part(Enum):
    """What of a host a fault is done to."""

    DAEMON = "the daemon"
    HOST = "the host"
    LINK = "a link"


class Change(Enum):
    """What becomes of it."""

    ENDS = "ends"
    BEGINS = "begins"


class Manner(Enum):
    """How that which a fault ends comes to its end."""

    AT_ONCE = "at once"
    IN_ORDER = "in order: it is told, and goes on until it has cleaned up"
    LATER = "later: at a moment of the guest's choosing, so that the fault's place says nothing"


class Sign(Enum):
    """How one sees that a fault took; a trial in which a sign says that it did not is undecided."""

    COMMAND = "the command succeeds (the trial is broken off where it does not)"
    DAEMON_GONE = "the host says at the end that its daemon does not run"
    DAEMON_RUNS = "the host says at the end that its daemon runs"
    ADVERTS_END = "the host stops advertising, or another takes over"
    HEALED = "it has an end, bracketed by the clock as its beginning is"
    REQUESTS = "a stream of requests ran meanwhile"
    FRAMES_DROPPED = "the rule counted frames"
    FRAMES_SENT = "the stranger counted the frames that it sent"
    PORT_SAYS = "the bridge says of the port what it was told (the trial is broken off where it does not)"


class Heard(Enum):
    """Which adverts are heard after a fault on the network that they travel on; "it" is the host that is struck."""

    ALL = "all"
    NOT_FROM_IT = "none of its own, while it hears the others"
    NOT_BY_IT = "none by it, while the others hear it"
    NONE = "none of its own and none by it; none at all where no host is struck"
    UNKNOWN = "of its own nobody knows which, or of all, so that no timer can be held against them"

    @property
    def from_it(self) -> bool:
        """Whether those that it sends are heard, all of them."""
        return self in (Heard.ALL, Heard.NOT_BY_IT)

    def between(self, struck: str | None, sender: str | None, hearer: str | None) -> bool:
        """Whether one host hears all that another sends, where that host was struck, or none."""
        if struck is None:
            return self is Heard.ALL
        if struck == sender:
            return self.from_it
        return struck != hearer or self not in (Heard.NOT_BY_IT, Heard.NONE)


class Need(Enum):
    """What a kind of fault needs of a lab or of a daemon; where that lacks it the fault is not supported."""

    MACHINES = "hosts that are machines of their own"
    CLOCKS = "hosts with a clock of their own"
    ADVERTS = "adverts that say who is master"
    PARENT = "a daemon of more than one process"
    RELOAD = "a daemon that reads its configuration anew"
    IPV4 = "a virtual address of IPv4"
    IPV6 = "a virtual address of IPv6"


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault; whatever the bench does or says about it follows from this."""

    name: str
    """The step's key in a scenario, and `kind` in the run folder."""
    sentence: str
    """What it does, for whoever writes a scenario."""
    words: str
    """What happened, as a report says it: a phrase in which `{host}` is the host's name."""
    target: type[BaseModel]
    """The model of what the scenario gives, as in `viplab.faults.target`."""
    injection: Injection
    signs: tuple[Sign, ...]
    effect: Effect | None = None
    """None where no model says what outage it makes; that is then measured and not predicted."""
    part: Part | None = None
    """What of the target's host it is done to; None where it strikes no host."""
    change: Change | None = None
    """Whether that ends or begins; None where it does neither."""
    manner: Manner = Manner.AT_ONCE
    state: str | None = None
    """What the host is from then on, in two words for the live view; None where it strikes no host."""
    heard: Heard = Heard.ALL
    """Whose timers run out, where it is done to the network of the adverts."""
    unicast_passes: bool = False
    """Whether adverts to unicast peers are heard all the same, at the latest once both hosts have sent some."""
    needs: frozenset[Need] = frozenset()
    """What has to be there for it to be done honestly."""
    heal_needs: frozenset[Need] = frozenset()
    """What has to be there for a step `heal` of it to mean anything."""
    client_told: bool = True
    """Whether the client hears who takes over; where not, its own neighbour entry decides how long it waits."""
    healed: str | None = None
    """What happened when it was healed, as `words`; None where nothing heals it but a fresh host."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, so that a plug-in's mistake shows when it is loaded.

        Raises:
            ValueError: it does; the message says how.
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"fault kind {self.name!r}: a name has small letters, digits and _")
        if not self.signs:
            raise ValueError(f"fault kind {self.name!r}: signs: say at least one way in which one sees that it took")
        has_host = hasattr(self.target, "host") or "host" in self.target.model_fields
        if {has_host} != {self.part is not None, self.state is not None}:
            raise ValueError(f"fault kind {self.name!r}: part, state: give both if the target has a host")
        if self.returns and not has_host:
            raise ValueError(f"fault kind {self.name!r}: effect: a return is that of a host, which the target has not")
        if self.heals != (self.healed is not None):
            raise ValueError(f"fault kind {self.name!r}: healed: needed where the injection heals, and only there")

    @property
    def heals(self) -> bool:
        """Whether there is something that puts it right."""
        return not isinstance(self.injection, InGuest | OnGuest) or self.injection.heal is not None

    @property
    def returns(self) -> bool:
        """Whether a host comes back and none falls silent."""
        return self.effect is Effect.RETURNS

    def ends(self, *parts: Part) -> bool:
        """Whether one of these is at its end then."""
        return self.change is Change.ENDS and self.part in parts

    @property
    def ends_daemon(self) -> bool:
        """Whether no daemon runs on the host afterwards."""
        return self.ends(Part.DAEMON, Part.HOST)

    @property
    def begins_daemon(self) -> bool:
        """Whether a daemon runs on the host afterwards that did not before."""
        return self.change is Change.BEGINS and self.part is Part.DAEMON

    def said(self, host: object) -> str:
        """What happened, such as `daemon on A killed`."""
        return self.words.format(host=host)

    def said_healed(self, host: object) -> str:
        """What happened when it was healed."""
        return (self.healed or f"{self.said(host)}: healed").format(host=host)
