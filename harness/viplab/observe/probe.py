"""A finer ping: ICMP echo requests at a fixed rate on an absolute schedule, from a second address of the client.

It has an address of its own so that it does not warm the guests' neighbour entry for the client itself: the slow first
reply that the article saw (claim A2) would then belong to the probe. Nothing is received here; the capture holds the
answers. Run as a program of its own, so that the bench's other work does not delay it::

    python -m viplab.observe.probe TARGET SOURCE INTERVAL_S
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from types import TracebackType

from viplab.lab.command import run

MAGIC = b"viplabpr"
LIMIT_S = 900
"""The probe ends by itself after this time, whatever becomes of the bench."""


class Probe:
    """A running probe; a context manager."""

    def __init__(self, target: str, source: str, interval_s: float, interface: str) -> None:
        self._command = [sys.executable, "-m", "viplab.observe.probe", target, source, str(interval_s)]
        self._address = ["ip", "address", "replace", f"{source}/32", "dev", interface]

    def __enter__(self) -> Probe:
        run(self._address)
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()


def echo_request(identifier: int, sequence: int, now_ns: int) -> bytes:
    """An ICMP echo request that carries the magic, its own number and the time at which it was sent."""
    payload = MAGIC + struct.pack("!QQ", sequence, now_ns)
    header = struct.pack("!BBHHH", 8, 0, 0, identifier, sequence & 0xFFFF)
    return struct.pack("!BBHHH", 8, 0, checksum(header + payload), identifier, sequence & 0xFFFF) + payload


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of data with an even length."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def main(target: str, source: str, interval_s: float) -> None:
    """Send until told to stop."""
    interval_ns = round(interval_s * 1e9)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        out.bind((source, 0))
        identifier = os.getpid() & 0xFFFF
        start_ns = time.monotonic_ns()
        for sequence in range(round(LIMIT_S / interval_s)):
            pause_ns = start_ns + sequence * interval_ns - time.monotonic_ns()
            if pause_ns > 0:
                time.sleep(pause_ns / 1e9)
            try:
                out.sendto(echo_request(identifier, sequence, time.time_ns()), (target, 0))
            except OSError:
                # No neighbour to send to is what an outage looks like from here; the next number is tried in time.
                continue


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
