"""Who would answer for the VIP? Asked by ARP or ND, so that two owners are seen even when the client uses only one.

An ARP probe (RFC 5227: sender address 0.0.0.0) is answered by every host that holds the address, and nobody learns
anything from it. A neighbour solicitation is, too; it comes from a link-local address, which is all that hosts learn.
Either is sent from a separate port of the bridge with a MAC of its own, so the client's neighbour table never sees the
answers, which go there alone. They are heard at the hosts' ports, so that two owners are told apart that answer from
one virtual MAC. The bridge must not learn from such answers where that MAC is, which would move the client's traffic:
it drops them behind those ports.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from viplab.address_family import family_of
from viplab.addresses import octets_of
from viplab.lab.command import run
from viplab.lab.marks import link_words, table
from viplab.lab.topology import CENSUS_PORT, Host
from viplab.lab.waiting import limit_s
from viplab.observe.precedence import give_precedence
from viplab.observe.timeline import Timeline
from viplab.types import HostName

PORT = "viplab-census"
MAC = "02:76:69:70:6c:62"
EVERY_S = 0.25
LAST_LOOKS = 4
"""How often it looks again at the end for somebody who answers."""
_ALL, _OUTGOING = 0x0003, 4
_FORWARDING, _FORWARDS_WITHIN_S = "3", 5  # BR_STATE_FORWARDING of linux/if_bridge.h
_SO_ATTACH_FILTER = 26


class Census:
    """Asks every 250 ms; each set of answers is an `owners` event.

    `unlearned` has the bridge forget who answered, as it must where hosts share a virtual MAC.
    """

    def __init__(
        self, vip: str, bridge: str, interface: str, hosts: Collection[Host], timeline: Timeline, *, unlearned: bool
    ) -> None:
        self._vip = vip
        self._family = family_of(vip)
        self._bridge = bridge
        self._ports = {host.port(interface): host.name for host in hosts}
        self._timeline = timeline
        self._unlearned = unlearned
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="census", daemon=True)

    def __enter__(self) -> Census:
        if self._unlearned:
            run(["nft", "-f", "-"], stdin=_forgetting(table("census")))
        run(["ip", "link", "add", PORT, "address", MAC, "type", "veth", "peer", "name", CENSUS_PORT])
        run(["ip", "link", "set", CENSUS_PORT, "master", self._bridge, "up"])
        run(["ip", "link", "set", PORT, *link_words(), "arp", "off", "up"])
        _wait_until_it_forwards()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((PORT, 0))
        # At every device: what arrives at a port is seen there before the bridge deals with it.
        self._answered = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        _only_for(self._answered, self._family.resolution_ethertype, MAC)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()
        self._answered.close()
        run(["ip", "link", "del", PORT])
        if self._unlearned:
            run(["nft", "delete", "table", "bridge", table("census")])

    def _ask(self) -> None:
        give_precedence()
        question = self._family.question(MAC, self._vip)
        looks_left = LAST_LOOKS
        # At the end one look more, begun when all else was over; a daemon on a busy host may be at adding its address.
        while looks_left:
            ending = self._ended.is_set()
            asked_ns = time.time_ns()
            self._socket.send(question)
            found = self._answers(time.monotonic() + EVERY_S)
            hosts = sorted({host for host, _ in found})
            self._timeline.record("owners", t_ns=asked_ns, macs=sorted({mac for _, mac in found}), hosts=hosts)
            if ending:
                looks_left = 0 if found else looks_left - 1

    def _answers(self, until: float) -> set[tuple[HostName, str]]:
        """At whose port an answer came in, and from which MAC."""
        found = set()
        while (left := until - time.monotonic()) > 0:
            self._answered.settimeout(left)
            try:
                frame, (port, _, kind, *_) = self._answered.recvfrom(128)
            except TimeoutError:
                continue
            if kind == _OUTGOING or port not in self._ports:
                continue
            if mac := self._family.answerer(frame, self._vip):
                found.add((self._ports[port], mac))
        return found


def _forgetting(name: str) -> str:
    """Commands for nftables: what answers us is dropped before the bridge learns from it."""
    return f"""\
add table bridge {name}
add chain bridge {name} answers {{ type filter hook prerouting priority -300; }}
add rule bridge {name} answers ether daddr {MAC} drop
"""


def _wait_until_it_forwards() -> None:
    """The kernel hears of a new link's carrier up to a second later, and later still on a busy host."""
    state, until = Path(f"/sys/class/net/{CENSUS_PORT}/brport/state"), time.monotonic() + limit_s(_FORWARDS_WITHIN_S)
    while state.read_text().strip() != _FORWARDING and time.monotonic() < until:
        time.sleep(0.01)


def _only_for(listener: socket.socket, ethertype: int, mac: str) -> None:
    """Have the kernel pass this socket nothing but what answers one MAC; what there was before is thrown away."""
    high, low = struct.unpack("!IH", octets_of(mac))
    # Classic BPF: load a half word at 12, a word at 0, a half word at 4; each has to match, or nothing is passed.
    program = (
        (0x28, 0, 0, 12), (0x15, 0, 5, ethertype),
        (0x20, 0, 0, 0), (0x15, 0, 3, high),
        (0x28, 0, 0, 4), (0x15, 0, 1, low),
        (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0),
    )  # fmt: skip
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
    listener.setblocking(False)
    try:
        while listener.recv(1):
            pass
    except BlockingIOError:
        return
