"""Who would answer for the VIP? Asked by ARP, so that two owners are seen even when the client uses only one.

An ARP probe (RFC 5227: sender address 0.0.0.0) is answered by every host that holds the address, and nobody learns
anything from it. It is sent from a separate port of the bridge with its own MAC and no address, so the client's
neighbour table never sees the answers either.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from types import TracebackType

from viplab.lab.command import run
from viplab.lab.topology import CENSUS_PORT
from viplab.observe.timeline import Timeline

PORT = "viplab-census"
MAC = "02:76:69:70:6c:62"
EVERY_S = 0.25
_GLANCE_S = 0.05  # how long the end of the census can take: a trial waits for it
_ARP = 0x0806


class Census:
    """Asks every 250 ms; each answer set is an `owners` event."""

    def __init__(self, vip: str, bridge: str, timeline: Timeline) -> None:
        self._vip = socket.inet_aton(vip)
        self._bridge = bridge
        self._timeline = timeline
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="census", daemon=True)

    def __enter__(self) -> Census:
        run(["ip", "link", "add", PORT, "address", MAC, "type", "veth", "peer", "name", CENSUS_PORT])
        run(["ip", "link", "set", CENSUS_PORT, "master", self._bridge, "up"])
        run(["ip", "link", "set", PORT, "arp", "off", "up"])
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
        self._socket.bind((PORT, _ARP))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()
        run(["ip", "link", "del", PORT])

    def _ask(self) -> None:
        own = bytes.fromhex(MAC.replace(":", ""))
        probe = b"\xff" * 6 + own + struct.pack("!HHHBBH", _ARP, 1, 0x0800, 6, 4, 1)
        probe += own + b"\0" * 4 + b"\0" * 6 + self._vip
        while not self._ended.is_set():
            asked_ns = time.time_ns()
            self._socket.send(probe)
            self._timeline.record("owners", t_ns=asked_ns, macs=sorted(self._answers(time.monotonic() + EVERY_S)))

    def _answers(self, until: float) -> set[str]:
        found = set()
        while (left := until - time.monotonic()) > 0 and not self._ended.is_set():
            self._socket.settimeout(min(left, _GLANCE_S))
            try:
                frame = self._socket.recv(128)
            except TimeoutError:
                continue
            # Ethernet 14, ARP: operation at 6, sender MAC at 8, sender address at 14.
            if frame[20:22] == b"\0\2" and frame[28:32] == self._vip:
                found.add(frame[22:28].hex(":"))
        return found
