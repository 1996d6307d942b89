"""Two or three routers on a fake link with a fake clock: loss, delay, reordering, copies, partition, restart, pause.

What goes wrong is drawn from a seed, so that a run can be had again; the routers themselves are the ones that ship.
"""

from __future__ import annotations

import heapq
from itertools import count
from random import Random

from support.playbook import OWN, config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import RouterConfig
from vipd.protocol.effects import AddAddresses, Notify, RemoveAddresses, SendAdvert
from vipd.protocol.router import Router
from vipd.protocol.table import State

DELAY_NS = 200_000
LONGEST_DELAY_NS = 5_000_000


class Host:
    """One host of the simulation."""

    def __init__(self, config: RouterConfig, address: int) -> None:
        self.config = config
        self.address = address
        self.router: Router | None = None
        self.holds = False
        self.paused = False
        self.side = 0  # of the partition
        self.mail: list[tuple[bytes, int]] = []  # what came while it was paused


class Simulation:
    """The link, the clock and the hosts.

    Attributes:
        now: in nanoseconds.
        steps: how many things routers have been told.
        changes: how often a router has changed its state.
        overlap_ns: the longest that two hosts held the address at once since it was last set to 0.
        loss: how likely an advert gets lost on its way to one host; `twice`, that it comes twice.
        longest_delay_ns: the longest that an advert is under way; with more than `DELAY_NS` they overtake each other.
    """

    def __init__(self, seed: int, profile: str, priorities: list[int], **changes: object) -> None:
        self.random = Random(seed)
        self.now = SECOND_NS
        self.steps = self.changes = 0
        self.overlap_ns = 0
        self.loss = self.twice = 0.0
        self.longest_delay_ns = DELAY_NS
        self.interval_ns = config(**changes).advert_int_ns
        self._behaviour = PRESETS[profile]
        self._flights: list[tuple[int, int, Host, bytes, int]] = []
        self._number = count()
        self._together_since: int | None = None
        self.hosts = [
            Host(config(priority=priority, tracked=(), **changes), OWN + index)
            for index, priority in enumerate(priorities)
        ]

    @property
    def longest_down_ns(self) -> int:
        """The longest Master_Down_Interval of all."""
        return max(host.config.master_down_ns for host in self.hosts)

    def masters(self) -> list[Host]:
        """Who takes itself for the master."""
        return [host for host in self.hosts if host.router is not None and host.router.state is State.MASTER]

    def holders(self) -> list[Host]:
        """Who has the address, dead or alive."""
        return [host for host in self.hosts if host.holds]

    # -- what is done to hosts

    def start(self, host: Host) -> None:
        host.router = Router(host.config, self._behaviour, host.address, detail=False)
        self._tell(host, lambda router: router.started({"eth0": True}, self.now))

    def stop(self, host: Host) -> None:
        self._tell(host, lambda router: router.shut_down(self.now))
        host.router = None

    def kill(self, host: Host) -> None:
        """SIGKILL: the address stays."""
        host.router = None

    def power_off(self, host: Host) -> None:
        host.router = None
        host.holds = False
        self._look_who_holds()

    def link(self, host: Host, up: bool) -> None:
        self._tell(host, lambda router: router.interface_changed("eth0", up, self.now))

    def resume(self, host: Host) -> None:
        """What waited in the socket is heard before a timer is believed, as the daemon does it."""
        host.paused = False
        mail, host.mail = host.mail, []
        for packet, source in mail:
            self._hear(host, packet, source)

    def heal(self) -> None:
        """Nothing is wrong any more: all run, all hear each other."""
        self.loss = self.twice = 0.0
        self.longest_delay_ns = DELAY_NS
        for host in self.hosts:
            host.side = 0
            if host.router is None:
                self.start(host)
            self.link(host, up=True)
            if host.paused:
                self.resume(host)

    # -- time

    def run(self, for_ns: int) -> None:
        """Let this much time go by."""
        end = self.now + for_ns
        # Three hosts that each advertise every interval and answer some; more is two masters shouting at each other.
        most = self.steps + 1000 + 30 * for_ns // self.interval_ns
        while True:
            assert self.steps < most, "a storm of adverts"
            due, late = end + 1, None
            for host in self.hosts:
                if host.router is not None and not host.paused:
                    deadline = host.router.deadline()
                    if deadline is not None and deadline < due:
                        due, late = deadline, host
            if self._flights and self._flights[0][0] <= due:
                due, late = self._flights[0][0], None
                if due <= end:
                    self.now = max(self.now, due)
                    _, _, host, packet, source = heapq.heappop(self._flights)
                    self._arrive(host, packet, source)
                    continue
            if late is None:
                self.now = end
                return
            self.now = max(self.now, due)
            self._tell(late, lambda router: router.handle_deadline(self.now))

    def _arrive(self, host: Host, packet: bytes, source: int) -> None:
        if host.paused:
            host.mail.append((packet, source))
        elif host.router is not None:
            self._hear(host, packet, source)

    def _hear(self, host: Host, packet: bytes, source: int) -> None:
        self._tell(host, lambda router: router.advert_received(packet, source, 255, self.now))

    def _tell(self, host: Host, what) -> None:  # type: ignore[no-untyped-def]
        router = host.router
        if router is None:
            return
        self.steps += 1
        what(router)
        for effect in router.drain():
            if isinstance(effect, SendAdvert):
                self._send(host, effect.packet)
            elif isinstance(effect, (AddAddresses, RemoveAddresses)):
                host.holds = isinstance(effect, AddAddresses)
                self._look_who_holds()
            elif isinstance(effect, Notify):
                self.changes += 1

    def _send(self, sender: Host, packet: bytes) -> None:
        draw = self.random.random
        for host in self.hosts:
            if host is sender or host.side != sender.side or draw() < self.loss:
                continue
            for _ in range(2 if draw() < self.twice else 1):
                at = self.now + DELAY_NS + int(draw() * (self.longest_delay_ns - DELAY_NS))
                heapq.heappush(self._flights, (at, next(self._number), host, packet, sender.address))

    def _look_who_holds(self) -> None:
        together = len(self.holders()) > 1
        if together and self._together_since is None:
            self._together_since = self.now
        elif not together and self._together_since is not None:
            self.overlap_ns = max(self.overlap_ns, self.now - self._together_since)
            self._together_since = None
