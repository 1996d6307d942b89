"""A finer ping: requests at a fixed rate on an absolute schedule, from a second address of the client.

It has an address of its own so that it does not warm the guests' neighbour entry for the client itself: the slow first
reply that the article saw (claim A2) would then belong to the probe. Nothing is received here; the capture holds the
answers. Run as a program of its own, so that the bench's other work does not delay it::

    python -m viplab.observe.probe KIND TARGET SOURCE RATE
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from array import array
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, Self

from viplab.address_family import IPV4, family_of
from viplab.lab.command import run
from viplab.lab.marks import address_words
from viplab.lab.waiting import limit_s
from viplab.observe import echo
from viplab.observe.precedence import give_precedence
from viplab.observe.timeline import Timeline

MAGIC = b"viplabpr"
LIMIT_S = 900
"""The probe ends by itself after this time, whatever becomes of the bench."""
STOP_LIMIT_S = 10
Kind = Literal["icmp", "udp"]


class Prober:
    """A program of its own that asks from an address of its own; a context manager that asks when it is entered."""

    def __init__(
        self,
        event: str,
        module: str,
        arguments: list[str],
        source: str,
        interface: str,
        timeline: Timeline,
        **keys: Any,
    ) -> None:
        self._event = event
        self._command = [sys.executable, "-m", module, *arguments]
        family = family_of(source)
        own = f"{source}/{family.bits}"
        self._address = ["ip", "address", "replace", own, "dev", interface, *family.second_address]
        if family is IPV4:
            self._address += address_words(interface)
        self._timeline = timeline
        self._keys = keys

    def __enter__(self) -> Self:
        run(self._address)
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        # It says when its first request is due: a start in real time would keep every other probe waiting.
        self._process.stdout.readline()
        realtime = give_precedence(self._process.pid)
        self._timeline.record(f"{self._event}_started", realtime=realtime, **self._keys)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        said, _ = self._process.communicate(timeout=limit_s(STOP_LIMIT_S))
        if self._process.returncode == 0:
            self._timeline.record(f"{self._event}_stopped", **json.loads(said))


class Probe(Prober):
    """The echo requests."""

    def __init__(self, kind: Kind, target: str, source: str, rate: int, interface: str, timeline: Timeline) -> None:
        arguments = [kind, target, source, str(rate)]
        super().__init__("probe", __name__, arguments, source, interface, timeline, kind=kind, rate=rate)


def payload(sequence: int, now_ns: int) -> bytes:
    """What every request carries: the magic, its own number and the time at which it was sent."""
    return MAGIC + struct.pack("!QQ", sequence, now_ns)


class Sender:
    """Sends requests on schedule and remembers how late each was."""

    def __init__(self, send: Callable[[int, int], object], interval_ns: int) -> None:
        self._send = send
        self._interval_ns = interval_ns
        self._late = array("q")
        self._unsent = 0
        self._started_ns = 0

    def until_stopped(self, requests: int) -> None:
        """Send so many requests; SIGTERM ends it earlier."""
        self._started_ns = time.monotonic_ns()
        for sequence in range(requests):
            due_ns = self._started_ns + sequence * self._interval_ns
            pause_ns = due_ns - time.monotonic_ns()
            if pause_ns > 0:
                time.sleep(pause_ns / 1e9)
            self._late.append(time.monotonic_ns() - due_ns)
            try:
                self._send(sequence, time.time_ns())
            except OSError:
                # No neighbour to send to is what an outage looks like from here; the next number is tried in time.
                self._unsent += 1

    def account(self) -> dict[str, Any]:
        """The keys of the `probe_stopped` event."""
        late = sorted(self._late)
        tried = len(late)
        # From the first request to the last, which were tried - 1 intervals apart.
        spent_s = ((tried - 1) * self._interval_ns + self._late[-1] - self._late[0]) / 1e9 if tried > 1 else 0
        return {
            "sent": tried - self._unsent,
            "unsent": self._unsent,
            "interval_s": self._interval_ns / 1e9,
            "achieved_rate": round((tried - 1) / spent_s, 3) if spent_s else None,
            "late_median_ns": late[tried // 2] if late else None,
            "late_p99_ns": late[tried * 99 // 100] if late else None,
            "late_max_ns": late[-1] if late else None,
        }


def main(kind: str, target: str, source: str, rate: int) -> None:
    """Send until told to stop, then print how it went."""
    family = family_of(target)
    how = (socket.SOCK_RAW, family.echo_protocol) if kind == "icmp" else (socket.SOCK_DGRAM, 0)
    with socket.socket(family.number, *how) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        out.bind((source, 0))
        identifier = os.getpid() & 0xFFFF

        def icmp(sequence: int, now_ns: int) -> object:
            return out.sendto(family.ping(identifier, sequence, payload(sequence, now_ns)), (target, 0))

        def udp(sequence: int, now_ns: int) -> object:
            return out.sendto(payload(sequence, now_ns), (target, echo.PORT))

        sender = Sender(icmp if kind == "icmp" else udp, round(1e9 / rate))
        print(flush=True)  # noqa: T201 - the word that the parent waits for
        try:
            sender.until_stopped(LIMIT_S * rate)
        except SystemExit:
            print(json.dumps(sender.account()))  # noqa: T201 - the parent records it


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
