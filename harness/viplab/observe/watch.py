"""A live view of the wire, to know when the next step may come. It steers; the captures are the evidence."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType

from viplab.errors import LabError
from viplab.lab.topology import CLIENT_IP, Host
from viplab.lab.waiting import limit_s
from viplab.observe.precedence import give_precedence
from viplab.types import HostName, Protocol

_IP, _ARP, _ALL = 0x0800, 0x0806, 0x0003
_VRRP = 112
_SHORTEST = 14 + 20 + 8
BURST_GAP_NS = 1_000_000_000
"""Gratuitous ARP of one sender further apart than this belongs to different bursts."""


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
    """Listens on one bridge for adverts and on the public one for gratuitous ARP and the ping's requests.

    Gratuitous ARP from the virtual MAC, if there is one, is that of the host whose advert was the last.
    """

    vip: str
    hosts: Collection[Host]
    public: str
    adverts: str
    virtual_mac: str | None = None
    protocol: Protocol = "vrrp2"
    burst_gap_ns: int = BURST_GAP_NS
    seen: Seen = field(default_factory=Seen)

    def __post_init__(self) -> None:
        self._by_mac = {_octets(host.interface("eth1").mac): host.name for host in self.hosts}
        self._by_ip = {socket.inet_aton(card.address): host.name for host in self.hosts for card in host.interfaces}

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
        is_advert = len(frame) > _SHORTEST and frame[12:14] == b"\x08\x00" and frame[23] == _VRRP
        sender = self._by_ip.get(frame[26:30])
        if not is_advert or sender is None:
            return
        # The octet after version and VRID is VRRP's priority, 0 where the sender steps down; CARP has its skew there.
        if self.protocol == "carp" or frame[14 + (frame[14] & 15) * 4 + 2 :][:1] != b"\0":
            self.seen.advertiser, self.seen.advert_ns = sender, now_ns

    def on_public(self, frame: bytes, now_ns: int) -> None:
        """Take in a frame of the public bridge: gratuitous ARP for the VIP, and the ping's requests."""
        kind = int.from_bytes(frame[12:14], "big")
        vip = socket.inet_aton(self.vip)
        if kind == _ARP and frame[28:32] == vip == frame[38:42]:
            mac = frame[22:28]
            shared = self.virtual_mac is not None and mac == _octets(self.virtual_mac)
            sender = self.seen.advertiser if shared else self._by_mac.get(mac)
            if sender is None:
                return
            if sender != self.seen.announcer:
                self.seen.bursts = 0
            if self.seen.bursts == 0 or now_ns - self.seen.announced_ns > self.burst_gap_ns:
                self.seen.bursts += 1
            self.seen.announcer, self.seen.announced_ns = sender, now_ns
        elif kind == _IP and frame[23:24] == b"\x01" and frame[34:35] == b"\x08":
            # Those of the probe come from another address.
            self.seen.pings += frame[26:30] == socket.inet_aton(CLIENT_IP) and frame[30:34] == vip


def _octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
