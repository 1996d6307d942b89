"""A scenario as data: which configuration, which steps, what is expected at the end.

A step is a mapping with one key, the name of the step::

    - start: A
    - wait: {master: A}
    - kill: {host: A}

Steps are listed under `setup` (brings about what the article took for granted) and `steps` (what is measured). The
captures and the owner census run through both, the probe and the 1 Hz ping as the steps say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from viplab.types import HostName

Seconds = Annotated[float, Field(gt=0, le=600)]
ClaimId = Annotated[str, Field(pattern=r"^[A-DP]\d{1,2}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Vrrp(_Strict):
    """The virtual router that the hosts are configured with; names are keepalived's."""

    interface: str = Field(default="eth0", description="Interface that the adverts travel on (the interconnect).")
    virtual_router_id: int = Field(default=51, ge=1, le=255)
    advert_int: int = Field(default=1, ge=1, le=255, description="Seconds between adverts.")
    virtual_ipaddress: str = Field(
        default="192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0",
        description="The VIP, as a line of keepalived.conf.",
    )
    track_interface: list[str] = Field(default=[], description="Interfaces whose loss puts the instance into FAULT.")

    @property
    def vip(self) -> str:
        """The virtual address alone, such as `192.168.122.50`."""
        return self.virtual_ipaddress.split()[0].partition("/")[0]


class Node(_Strict):
    """What differs between the hosts. One without state and priority is on the networks and runs no daemon."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"state": ["priority"], "priority": ["state"]}},
        extra="forbid",
        frozen=True,
    )

    state: Literal["MASTER", "BACKUP"] | None = None
    priority: int | None = Field(default=None, ge=1, le=254)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Node:
        if (self.state is None) != (self.priority is None):
            raise ValueError("state and priority: both, or neither where no daemon is to run")
        return self

    @property
    def runs_daemon(self) -> bool:
        """Whether the daemon is configured on this host."""
        return self.state is not None


class Target(_Strict):
    """A fault on a host, at a place within the advert interval."""

    host: HostName
    phase: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="When within the advert interval the fault strikes, 0 just after an advert; drawn if left out.",
    )


class LinkTarget(Target):
    """A fault on one interface of a host."""

    interface: str = "eth1"


class Wait(_Strict):
    """What has to be seen before the next step; exactly one of the conditions, and a limit."""

    master: HostName | None = Field(default=None, description="This host sends the adverts and has announced the VIP.")
    announced: HostName | None = Field(
        default=None, description="This host's second burst of gratuitous ARP is out, so that nothing more is pending."
    )
    pings: int | None = Field(default=None, ge=1, description="This many more echo requests of the 1 Hz ping are out.")
    within: Seconds = Field(
        default=20, description="Seconds after which the wait has failed (for pings: on top of one second each)."
    )

    @model_validator(mode="after")
    def _one_condition(self) -> Wait:
        if sum(value is not None for value in (self.master, self.announced, self.pings)) != 1:
            raise ValueError("name exactly one of master, announced, pings")
        return self


class CutTarget(_Strict):
    """How long the client hears nothing."""

    duration_ms: int = Field(gt=0, le=60_000)


class Start(_Strict):
    """Start the daemon."""

    start: HostName


class Return(_Strict):
    """Start the daemon on a host whose return is the fault being measured."""

    bring_back: HostName


class Stop(_Strict):
    """Stop the daemon as its init script does."""

    stop: Target


class Kill(_Strict):
    """SIGKILL to every process of the daemon."""

    kill: Target


class LinkDown(_Strict):
    """`ifconfig IFACE down` in the guest."""

    link_down: LinkTarget


class LinkUp(_Strict):
    """`ifconfig IFACE up` in the guest."""

    link_up: LinkTarget


class PowerCut(_Strict):
    """The guest is destroyed; nothing in it gets to clean up."""

    power_cut: Target


class Shutdown(_Strict):
    """The guest is shut down in an orderly way."""

    shutdown: Target


class Cut(_Strict):
    """The public bridge's ports to the hosts are blocked for exactly that long: a known outage for the client."""

    cut: CutTarget


class Ping(_Strict):
    """The article's `ping VIP` on the client, once a second."""

    ping: Literal["start", "stop"]


class WaitStep(_Strict):
    """Wait until something has been seen."""

    wait: Wait


class Observe(_Strict):
    """Go on observing for so many seconds; nothing is waited for."""

    observe: Seconds


class Check(_Strict):
    """Set-up checks, by the id of the claim that each decides."""

    check: list[ClaimId]


_STEPS: dict[str, type[_Strict]] = {
    "start": Start,
    "bring_back": Return,
    "stop": Stop,
    "kill": Kill,
    "link_down": LinkDown,
    "link_up": LinkUp,
    "power_cut": PowerCut,
    "shutdown": Shutdown,
    "cut": Cut,
    "observe": Observe,
    "ping": Ping,
    "wait": WaitStep,
    "check": Check,
}


_OF_A_DAEMON = ("start", "bring_back", "stop", "kill")


def _step_name(value: Any) -> str | None:
    if isinstance(value, BaseModel):
        return next(iter(type(value).model_fields))
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        return name if name in _STEPS else None
    return None


Step = Annotated[
    Annotated[Start, Tag("start")]
    | Annotated[Return, Tag("bring_back")]
    | Annotated[Stop, Tag("stop")]
    | Annotated[Kill, Tag("kill")]
    | Annotated[LinkDown, Tag("link_down")]
    | Annotated[LinkUp, Tag("link_up")]
    | Annotated[PowerCut, Tag("power_cut")]
    | Annotated[Shutdown, Tag("shutdown")]
    | Annotated[Cut, Tag("cut")]
    | Annotated[Observe, Tag("observe")]
    | Annotated[Ping, Tag("ping")]
    | Annotated[WaitStep, Tag("wait")]
    | Annotated[Check, Tag("check")],
    Discriminator(
        _step_name,
        custom_error_type="unknown_step",
        custom_error_message=f"a step is a mapping with one key out of: {', '.join(_STEPS)}",
    ),
]


class Expect(_Strict):
    """What a healthy pair looks like when the last step is done."""

    owner: HostName = Field(description="The host that the client reaches under the VIP at the end.")


class Probe(_Strict):
    """What the client asks of the VIP at a fixed rate while the steps are measured."""

    kind: Literal["icmp", "udp"] = Field(default="icmp", description="Echo requests, or datagrams that are echoed.")
    rate: int = Field(default=50, ge=10, le=2000, description="Requests a second.")

    @property
    def interval_s(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate


class Http(_Strict):
    """What an application asks of the VIP besides, over TCP and HTTP."""

    rate: int = Field(
        default=10,
        ge=1,
        le=50,
        description="New connections a second, each for one request; one that is kept open asks as often.",
    )

    @property
    def interval_s(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate


class Scenario(_Strict):
    """One experiment."""

    scenario: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name; the same as the file's.")
    title: str
    story: str = Field(
        description="What happens and why it is worth seeing, for a reader who knows neither code nor article."
    )
    article: str | None = Field(default=None, description="Where the article tells it, such as `part 2`.")
    once: bool = Field(
        default=False, description="Done once a run with each subject, whatever --trials says: it measures the bench."
    )
    vrrp: Vrrp = Vrrp()
    probe: Probe = Probe()
    http: Http | None = Field(default=None, description="Left out, nobody asks over HTTP.")
    hosts: dict[HostName, Node] = Field(description="By a capital letter, which gives it its addresses: A has .11.")
    setup: list[Step] = []
    steps: list[Step] = Field(min_length=1)
    expect: Expect

    @property
    def daemons(self) -> dict[HostName, Node]:
        """The hosts that run the daemon."""
        return {name: node for name, node in self.hosts.items() if node.runs_daemon}

    @model_validator(mode="after")
    def _hosts_that_are_there(self) -> Scenario:
        named = [("expect", self.expect.owner, True)]
        for phase, steps in (("setup", self.setup), ("steps", self.steps)):
            for at, step in enumerate(steps):
                named += [(f"{phase}.{at}", host, needs_daemon) for host, needs_daemon in _named(step)]
        for where, host, needs_daemon in named:
            if host not in self.hosts:
                raise ValueError(f"{where}: there is no host {host}; there are: {', '.join(self.hosts)}")
            if needs_daemon and host not in self.daemons:
                raise ValueError(f"{where}: host {host} runs no daemon; give it a state and a priority")
        return self

    @model_validator(mode="after")
    def _one_ping(self) -> Scenario:
        pings = [step.ping for step in [*self.setup, *self.steps] if isinstance(step, Ping)]
        if pings not in ([], ["start"], ["start", "stop"]):
            raise ValueError("steps: one ping a scenario, `ping: start` and then, if at all, `ping: stop`")
        return self


def _named(step: Step) -> Iterator[tuple[HostName, bool]]:
    """Each host that a step names, and whether that has to run the daemon."""
    name = next(iter(type(step).model_fields))
    argument = getattr(step, name)
    if isinstance(argument, Wait):
        yield from ((host, True) for host in (argument.master, argument.announced) if host is not None)
    elif isinstance(argument, Target):
        yield argument.host, name in _OF_A_DAEMON
    elif name in _OF_A_DAEMON:
        yield argument, True
    elif name == "check":
        # The set-up checks are about the article's pair.
        yield from ((host, True) for host in ("A", "B"))
