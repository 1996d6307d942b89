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
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from viplab.address_family import IPV4
from viplab.faults import FaultKind, Part, known
from viplab.scenario.step import Serve, Step, Wait
from viplab.scenario.vrrp import Strict, Vrrp
from viplab.services import SERVICES, Service
from viplab.types import HostName

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]*$"
"""What a scenario may be called, and its file."""


class OfInstance(Strict):
    """What a host is to a further instance."""

    state: Literal["MASTER", "BACKUP"]
    priority: int = Field(ge=1, le=255)


class Node(Strict):
    """What differs between the hosts. One without state and priority is on the networks and runs no daemon."""

    model_config = ConfigDict(
        json_schema_extra={"dependentRequired": {"state": ["priority"], "priority": ["state"]}},
        extra="forbid",
        frozen=True,
    )

    state: Literal["MASTER", "BACKUP"] | None = None
    priority: int | None = Field(default=None, ge=1, le=255)
    keepalived_conf: str | None = Field(
        default=None,
        description="Its keepalived.conf, in place of one made of `vrrp`, which then has to say what follows from it.",
    )
    programs: list[str] = Field(
        default=[], description="Programs that have to be on it, such as those of the scripts in its keepalived.conf."
    )

    vrrp_instance: dict[str, OfInstance] = Field(
        default={}, description="State and priority for further instances, by name, where they are others."
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> Node:
        if (self.state is None) != (self.priority is None):
            raise ValueError("state and priority: both, or neither where no daemon is to run")
        return self

    @property
    def runs_daemon(self) -> bool:
        """Whether the daemon is configured on this host."""
        return self.state is not None


class Expect(Strict):
    """What a healthy pair looks like when the last step is done."""

    owner: HostName = Field(description="The host that the client reaches under the VIP at the end.")
    client: HostName | None = Field(
        default=None, description="The host that the client's neighbour entry names at the end; left out, not judged."
    )
    vrrp_instance: dict[str, HostName] = Field(
        default={}, description="The host that has the first address of a further instance at the end, by its name."
    )
    ping_outage_s: float | None = Field(
        default=None, ge=0, le=600, description="The most seconds without an answer to the probe, all steps together."
    )
    service_outage_s: float | None = Field(
        default=None, ge=0, le=600, description="The most seconds without an answer over HTTP, all steps together."
    )
    two_owners_s: float | None = Field(
        default=None, ge=0, le=600, description="The most seconds for which two hosts may own the VIP."
    )
    broken: int | None = Field(
        default=None, ge=0, description="The most of the connections over HTTP that are kept open that may break."
    )
    serving: list[HostName] | None = Field(
        default=None, description="The hosts on which what was served listens once it was started, and no others."
    )


class Probe(Strict):
    """What the client asks of the VIP at a fixed rate while the steps are measured."""

    kind: Literal["icmp", "udp"] = Field(default="icmp", description="Echo requests, or datagrams that are echoed.")
    rate: int = Field(default=50, ge=10, le=2000, description="Requests a second.")

    @property
    def interval_s(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate


class Http(Strict):
    """What an application asks of the VIP besides, over TCP and HTTP."""

    rate: int = Field(
        default=10,
        ge=1,
        le=50,
        description="New connections a second, each for one request; one that is kept open asks as often.",
    )
    kept: int = Field(
        default=1, ge=1, le=100, description="Connections that are kept open; where there are several they take turns."
    )

    @property
    def interval_s(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate


class Scenario(Strict):
    """One experiment."""

    scenario: str = Field(pattern=NAME_PATTERN, description="Name; the same as the file's.")
    title: str
    story: str = Field(
        description="What happens and why it is worth seeing, for a reader who knows neither code nor article."
    )
    article: str | None = Field(default=None, description="Where the article tells it, such as `part 2`.")
    once: bool = Field(
        default=False, description="Done once a run with each subject, whatever --trials says: it measures the bench."
    )
    vrrp: Vrrp = Vrrp()
    unpredicted: str | None = Field(
        default=None,
        description="Why no outage is predicted of it: its hosts do what the timing model has no words for.",
    )
    probe: Probe = Probe()
    http: Http | None = Field(default=None, description="Left out, nobody asks over HTTP.")
    sysctl: dict[Annotated[str, Field(pattern=r"^net\.ipv4(\.[a-z0-9_]+)+$")], int] = Field(
        default={}, description="Settings of each host's kernel, such as `net.ipv4.ip_nonlocal_bind: 0`, which has 1."
    )
    hosts: dict[HostName, Node] = Field(description="By a capital letter, which gives it its addresses: A has .11.")
    setup: list[Step] = Field(default=[])
    steps: list[Step] = Field(min_length=1)
    expect: Expect

    @property
    def faults(self) -> list[FaultKind]:
        """Each kind of fault that a step does, in order."""
        kinds = known()
        return [kinds[step.name] for step in (*self.setup, *self.steps) if step.name in kinds]

    def services(self, host: HostName | None = None) -> list[Service]:
        """What is served on a host, or on any."""
        served = [step.argument for step in (*self.setup, *self.steps) if step.name == "serve"]
        return [SERVICES[name] for name in dict.fromkeys(one.service for one in served if host in (None, one.host))]

    @property
    def responders(self) -> list[HostName]:
        """The hosts that answer HTTP by the bench's own responder: where nothing is served, or behind a balancer."""
        if not (services := self.services()):
            return list(self.daemons) if self.http is not None else []
        behind = [host for host in self.hosts if host not in self.daemons]
        return behind if any(service.balances for service in services) else []

    def preempts(self, host: HostName) -> bool:
        """Whether it takes the address from a lower priority; `nopreempt` has no effect beside `state MASTER`."""
        return not self.vrrp.nopreempt or self.hosts[host].state == "MASTER"

    def preempt_delay_s(self, host: HostName) -> float:
        """How long it waits before it does, which beside `state MASTER` is not at all."""
        return (self.vrrp.preempt_delay or 0.0) if self.hosts[host].state == "BACKUP" else 0.0

    @property
    def daemons(self) -> dict[HostName, Node]:
        """The hosts that run the daemon."""
        return {name: node for name, node in self.hosts.items() if node.runs_daemon}

    @property
    def own_configuration(self) -> bool:
        """Whether a host has a keepalived.conf of its own."""
        return any(node.keepalived_conf is not None for node in self.hosts.values())

    @model_validator(mode="after")
    def _hosts_that_are_there(self) -> Scenario:
        owners = (self.expect.owner, self.expect.client, *(self.expect.serving or []))
        named = [("expect", host, True) for host in owners if host is not None]
        for phase, steps in (("setup", self.setup), ("steps", self.steps)):
            for at, step in enumerate(steps):
                named += [(f"{phase}.{at}", host, needs_daemon) for host, needs_daemon in _named(step)]
        named += [("expect.vrrp_instance", host, True) for host in self.expect.vrrp_instance.values()]
        for where, host, needs_daemon in named:
            if host not in self.hosts:
                raise ValueError(f"{where}: there is no host {host}; there are: {', '.join(self.hosts)}")
            if needs_daemon and host not in self.daemons:
                raise ValueError(f"{where}: host {host} runs no daemon; give it a state and a priority")
        return self

    @model_validator(mode="after")
    def _instances_that_are_there(self) -> Scenario:
        there = self.vrrp.vrrp_instance
        named = [(f"hosts.{host}", name) for host, node in self.hosts.items() for name in node.vrrp_instance]
        for where, name in [*named, *(("expect", name) for name in self.expect.vrrp_instance)]:
            if name not in there:
                raise ValueError(f"{where}: no further vrrp_instance {name}; there are: {', '.join(there) or 'none'}")
        return self

    @model_validator(mode="after")
    def _asks_what_it_judges(self) -> Scenario:
        if self.expect.service_outage_s is not None and self.http is None:
            raise ValueError("expect.service_outage_s: nobody asks over HTTP; give `http: {rate: 10}`")
        if self.expect.broken is not None and self.http is None:
            raise ValueError("expect.broken: nobody keeps a connection open; give `http: {rate: 10, kept: 20}`")
        return self

    @model_validator(mode="after")
    def _has_hosts_to_balance(self) -> Scenario:
        balancer = next((service.name for service in self.services() if service.balances), None)
        if balancer and not self.responders:
            raise ValueError(f"hosts: {balancer} needs hosts behind it; add one without state and priority: `C: {{}}`")
        if self.services() and self.vrrp.family is not IPV4:
            raise ValueError("serve: services are bound to an address of IPv4; take one in virtual_ipaddress")
        for host in self.expect.serving or []:
            if not self.services(host):
                raise ValueError(f"expect.serving: nothing is served on {host}; give a step `serve` for it")
        if self.expect.serving is not None and not self.services():
            raise ValueError("expect.serving: nothing is served; give a step `serve`")
        return self

    @model_validator(mode="after")
    def _heals_what_lasts(self) -> Scenario:
        lasting: set[str] = set()
        for phase, steps in (("setup", self.setup), ("steps", self.steps)):
            for at, step in enumerate(steps):
                if step.name == "heal":
                    if step.argument not in lasting:
                        last = f"there are: {', '.join(sorted(lasting))}" if lasting else "none lasts then"
                        raise ValueError(f"{phase}.{at}: there is no {step.argument} to heal; {last}")
                    lasting.discard(step.argument)
                elif (
                    (kind := known().get(step.name)) and kind.heals and not getattr(step.argument, "duration_ms", None)
                ):
                    lasting.add(kind.name)
        return self

    @model_validator(mode="after")
    def _one_ping(self) -> Scenario:
        pings = [step.argument for step in [*self.setup, *self.steps] if step.name == "ping"]
        if pings not in ([], ["start"], ["start", "stop"]):
            raise ValueError("steps: one ping a scenario, `ping: start` and then, if at all, `ping: stop`")
        return self


def _named(step: Step) -> Iterator[tuple[HostName, bool]]:
    """Each host that a step names, and whether that has to run the daemon."""
    argument = step.argument
    if isinstance(argument, Wait):
        yield from ((host, True) for host in (argument.master, argument.announced) if host is not None)
    elif isinstance(argument, Serve):
        yield argument.host, False
    elif step.name == "start":
        yield argument, True
    elif kind := known().get(step.name):
        if kind.part is not None:
            yield argument.host, kind.part is Part.DAEMON
    elif step.name == "check":
        # The set-up checks are about the article's pair.
        yield from ((host, True) for host in ("A", "B"))
