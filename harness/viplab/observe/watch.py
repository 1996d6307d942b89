"""A live view of the wire, to know when the next step may come. It steers; the captures are the evidence."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType

from viplab.address_family import family_of
from viplab.errors import LabError
from viplab.lab.topology import CLIENTS, Host
from viplab.lab.waiting import limit_s
from viplab.observe.precedence import give_precedence
from viplab.types import HostName, Protocol

_ALL = 0x0003
_VRRP, _SHORTEST = 112, 8
BURST_GAP_NS = 1_000_000_000
"""Announcements of one sender further apart than this belong to different bursts."""


@dataclass
class Seen:
    """What the wire has shown so far."""

    advertiser: HostName | None = None
    advert_ns: int = 0
    announcer: HostName | None = None
    announced_ns: int = 0
    bursts: int = 0
    pings: int = 0


@dataclass
class Watch:
    """Listens on one bridge for adverts and on the public one for announcements of the VIP and the ping's requests.

    An announcement with the virtual MAC, if there is one, is that of the host whose advert was the last; or, where
    hosts announce first, of the one that begins to advertise within so many nanoseconds.
    """

    vip: str
    hosts: Collection[Host]
    public: str
    adverts: str
    virtual_router_id: int
    virtual_mac: str | None = None
    protocol: Protocol = "vrrp2"
    burst_gap_ns: int = BURST_GAP_NS
    begins_within_ns: int = 0
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        self._family = family_of(self.vip)
        self._by_mac = {host.interface("eth1").mac: host.name for host in self.hosts}
        cards = [(card, host.name) for host in self.hosts for card in host.interfaces]
        self._by_ip = {ip_address(card.address_in(self._family)).packed: name for card, name in cards}
        self._heard_ns: dict[HostName, int] = {}
        self._shared_ns = 0
        self._pinging = tuple(ip_address(end).packed for end in (CLIENTS[self._family].address, self.vip))

    def __enter__(self) -> Watch:
        self._changed = threading.Condition()
        self._sockets: dict[socket.socket, list[Callable[[bytes, int], None]]] = {}
        handlers: dict[str, list[Callable[[bytes, int], None]]] = {self.adverts: [self.on_advert]}
        handlers.setdefault(self.public, []).append(self.on_public)
        for interface, told in handlers.items():
            listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
            listener.bind((interface, _ALL))
            self._sockets[listener] = told
        self._ended = False
        self._thread = threading.Thread(target=self._listen, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._thread.join()
        for listener in self._sockets:
            listener.close()

    def until(self, what: str, condition: Callable[[Seen], bool], within_s: float) -> float:
        """Wait until the condition holds on what was seen, and return for how many seconds that took.

        Raises:
            LabError: it did not hold within the limit of `within_s`.
        """
        within_s = limit_s(within_s)
        started = time.monotonic()
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self.seen), timeout=within_s):
                raise LabError(f"waited {within_s:g} s for {what}, in vain")
        return time.monotonic() - started

    def _listen(self) -> None:
        give_precedence()
        while not self._ended:
            ready, _, _ = select.select(list(self._sockets), [], [], 0.05)
            for listener in ready:
                frame = listener.recv(256)
                with self._changed:
                    for handler in self._sockets[listener]:
                        handler(frame, time.time_ns())
                    self._changed.notify_all()

    def on_advert(self, frame: bytes, now_ns: int) -> None:
        """Take in a frame of the bridge that adverts travel on: one says who is master."""
        if self.protocol == "none":
            return
        packet = self._family.packet(frame)
        if packet is None or packet.protocol != _VRRP or len(packet.payload) < _SHORTEST:
            return
        if (sender := self._by_ip.get(packet.source)) is None or packet.payload[1] != self.virtual_router_id:
            return
        # The octet after version and VRID is VRRP's priority, 0 where the sender steps down; CARP has its skew there.
        if self.protocol == "carp" or packet.payload[2]:
            within_ns = self.begins_within_ns
            begins = now_ns - self._heard_ns.get(sender, -within_ns) > within_ns
            if within_ns and begins and now_ns - self._shared_ns <= within_ns:
                self.seen.announcer, self.seen.announced_ns, self.seen.bursts = sender, self._shared_ns, 1
            self.seen.advertiser, self.seen.advert_ns = sender, now_ns
            self._heard_ns[sender] = now_ns

    def on_public(self, frame: bytes, now_ns: int) -> None:
        """Take in a frame of the public bridge: an announcement of the VIP, or a request of the ping."""
        family = self._family
        if mac := family.announcer(frame, self.vip):
            if mac == self.virtual_mac:
                self._shared_ns = now_ns
            sender = self.seen.advertiser if mac == self.virtual_mac else self._by_mac.get(mac)
            if sender is None:
                return
            if sender != self.seen.announcer:
                self.seen.bursts = 0
            if self.seen.bursts == 0 or now_ns - self.seen.announced_ns > self.burst_gap_ns:
                self.seen.bursts += 1
            self.seen.announcer, self.seen.announced_ns = sender, now_ns
            if self.protocol == "none":  # nothing else says who is master
                self.seen.advertiser, self.seen.advert_ns = sender, now_ns
        elif (packet := family.packet(frame)) and packet.protocol == family.echo_protocol:
            # Those of the probe come from another address.
            requests = packet.payload[:1] == bytes([family.echo_request])
            self.seen.pings += requests and (packet.source, packet.destination) == self._pinging
