"""Hosts on a fake link with a fake clock: loss, delay, reordering, copies, partition, restart, pause.

What goes wrong by chance is drawn from a seed, so that a run can be had again; the routers themselves are those that
ship.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import NamedTuple

from support.playbook import Seen, seen
from support.routers import OWN, config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import RouterConfig
from vipd.protocol.effects import AddAddresses, Effect, Notify, RemoveAddresses, SendAdvert
from vipd.protocol.router import Router
from vipd.protocol.table import State

DELAY_NS = 200_000


class Host:
    """A host with one router, or none while it does not run.

    Attributes:
        links: its interfaces, and whether they are up: eth0 has the adverts, eth1 the clients.
        holds: whether it has the address, which it keeps when the router is killed.
        side: of a partition.
        mail: what came while it was paused.
    """

    def __init__(self, name: str, profile: str, config: RouterConfig, address: int) -> None:
        self.name = name
        self.profile = profile
        self.config = config
        self.address = address
        self.router: Router | None = None
        self.links = dict.fromkeys(("eth0", "eth1"), True)
        self.holds = False
        self.paused = False
        self.side = 0
        self.mail: list[tuple[bytes, int]] = []


class Moment(NamedTuple):
    """One thing that a host did."""

    at_ns: int
    host: str
    effect: Effect

    @property
    def what(self) -> Seen:
        """Its name in scripts."""
        return seen(self.effect)


class Simulation:
    """The link, the clock and the hosts.

    Attributes:
        now: in nanoseconds.
        steps: how many things routers have been told.
        changes: how often a router has changed its state.
        record: all that was done.
        overlap_ns: the longest that two hosts held the address at once since it was last set to 0.
        loss: how likely an advert gets lost on its way to one host; `twice`, that it comes twice.
        longest_delay_ns: the longest that an advert is under way; with more than `DELAY_NS` they overtake each other.
    """

    def __init__(self, seed: int = 0) -> None:
        self.random = Random(seed)
        self.now = 0
        self.steps = self.changes = 0
        self.overlap_ns = 0
        self.loss = self.twice = 0.0
        self.longest_delay_ns = DELAY_NS
        self.hosts: dict[str, Host] = {}
        self.record: list[Moment] = []
        self._in_flight: list[tuple[int, int, Host, bytes, int]] = []
        self._number = count()
        self._together_since: int | None = None

    def add(self, name: str, profile: str, **changes: object) -> Host:
        """A host that does not run yet, of the article's configuration with changes."""
        host = self.hosts[name] = Host(name, profile, config(**changes), OWN + len(self.hosts))
        return host

    # -- what is done to hosts

    def start(self, name: str) -> None:
        host = self.hosts[name]
        host.router = Router(host.config, PRESETS[host.profile], host.address)
        self._tell(host, lambda router: router.started(host.links, self.now))

    def stop(self, name: str) -> None:
        host = self.hosts[name]
        self._tell(host, lambda router: router.shut_down(self.now))
        host.router = None

    def kill(self, name: str) -> None:
        """SIGKILL: the address stays."""
        self.hosts[name].router = None

    def power_cut(self, name: str) -> None:
        self.kill(name)
        self.hosts[name].holds = False
        self._look_who_holds()

    def link(self, name: str, interface: str, up: bool) -> None:
        host = self.hosts[name]
        host.links[interface] = up
        self._tell(host, lambda router: router.interface_changed(interface, up, self.now))

    def pause(self, name: str) -> None:
        self.hosts[name].paused = True

    def resume(self, name: str) -> None:
        """What waited in the socket is heard before a timer is believed, as the daemon does it."""
        host = self.hosts[name]
        host.paused = False
        mail, host.mail = host.mail, []
        for packet, source in mail:
            self._hear(host, packet, source)

    def heal(self) -> None:
        """Nothing is wrong any more: all run, all hear each other."""
        self.loss = self.twice = 0.0
        self.longest_delay_ns = DELAY_NS
        for name, host in self.hosts.items():
            host.side = 0
            self.resume(name)
            for interface in host.links:
                self.link(name, interface, up=True)
            if host.router is None:
                self.start(name)

    # -- time

    def run(self, seconds: float = 0, *, ns: int = 0) -> None:
        """Let this much time go by."""
        end = self.now + round(seconds * SECOND_NS) + ns
        shortest_ns = min(host.config.advert_int_ns for host in self.hosts.values())
        # Three hosts that each advertise every interval and answer some; more is two masters shouting at each other.
        most = self.steps + 1000 + 30 * (end - self.now) // shortest_ns
        while True:
            assert self.steps < most, "a storm of adverts"
            due, late = end + 1, None
            for host in self.hosts.values():
                if host.router is not None and not host.paused:
                    deadline = host.router.deadline()
                    if deadline is not None and deadline < due:
                        due, late = deadline, host
            if self._in_flight and self._in_flight[0][0] <= min(due, end):
                at, _, host, packet, source = heapq.heappop(self._in_flight)
                self.now = max(self.now, at)
                self._arrive(host, packet, source)
            elif late is None:
                self.now = end
                return
            else:
                self.now = max(self.now, due)
                self._tell(late, lambda router: router.handle_deadline(self.now))

    # -- what was done

    def masters(self) -> list[str]:
        """Who takes itself for the master."""
        return [
            name for name, host in self.hosts.items() if host.router is not None and host.router.state is State.MASTER
        ]

    def holders(self) -> list[str]:
        """Who has the address, dead or alive."""
        return [name for name, host in self.hosts.items() if host.holds]

    def owners(self) -> list[str]:
        """Who answers for the address: a host that holds it and whose public interface is up."""
        return [name for name in self.holders() if self.hosts[name].links["eth1"]]

    def times(self, name: str, what: Seen) -> list[int]:
        """When a host did this."""
        return [moment.at_ns for moment in self.record if moment.host == name and moment.what == what]

    def since(self, at_ns: int, name: str, what: Seen) -> float:
        """Seconds from `at_ns` to the first time that the host did this."""
        after = [at for at in self.times(name, what) if at >= at_ns]
        assert after, f"{name} never did {what}"
        return (after[0] - at_ns) / SECOND_NS

    def said(self, name: str, since_ns: int = 0) -> list[str]:
        """The host's log."""
        return [
            str(moment.what.detail)
            for moment in self.record
            if moment.host == name and moment.what.kind == "log" and moment.at_ns >= since_ns
        ]

    def _arrive(self, host: Host, packet: bytes, source: int) -> None:
        if not host.links["eth0"]:
            return
        if host.paused:
            host.mail.append((packet, source))
        else:
            self._hear(host, packet, source)

    def _hear(self, host: Host, packet: bytes, source: int) -> None:
        self._tell(host, lambda router: router.advert_received(packet, source, 255, self.now))

    def _tell(self, host: Host, what: Callable[[Router], object]) -> None:
        router = host.router
        if router is None:
            return
        self.steps += 1
        what(router)
        for effect in router.drain():
            self.record.append(Moment(self.now, host.name, effect))
            if isinstance(effect, SendAdvert):
                self._send(host, effect.packet)
            elif isinstance(effect, (AddAddresses, RemoveAddresses)):
                host.holds = isinstance(effect, AddAddresses)
                self._look_who_holds()
            elif isinstance(effect, Notify):
                self.changes += 1

    def _send(self, sender: Host, packet: bytes) -> None:
        if not sender.links["eth0"]:
            return
        draw = self.random.random
        for host in self.hosts.values():
            if host is sender or host.side != sender.side or draw() < self.loss:
                continue
            for _ in range(2 if draw() < self.twice else 1):
                at = self.now + DELAY_NS + int(draw() * (self.longest_delay_ns - DELAY_NS))
                heapq.heappush(self._in_flight, (at, next(self._number), host, packet, sender.address))

    def _look_who_holds(self) -> None:
        together = len(self.holders()) > 1
        if together and self._together_since is None:
            self._together_since = self.now
        elif not together and self._together_since is not None:
            self.overlap_ns = max(self.overlap_ns, self.now - self._together_since)
            self._together_since = None
