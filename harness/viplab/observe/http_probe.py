"""What an application sees: HTTP over a new connection at a fixed rate, and over one connection that is kept open.

A ping is one packet and is lost or not. An application has a connection: TCP keeps that over a gap by sending again,
ever more seldom, and the host that takes over knows nothing of it and resets it.

A request over a new connection is given up after `TIMEOUT_S`, so that it tells of its own moment. The kept connection
is given all the time that TCP takes; while it waits for an answer it asks nothing more, and once broken it is not made
again. Where several are kept each asks in its turn.

Run as a program of its own, which writes each request down as it ends::

    python -m viplab.observe.http_probe TARGET SOURCE RATE KEPT FILE
"""

from __future__ import annotations

import errno
import json
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, SelectSelector
from typing import Any, Literal

from viplab.address_family import family_of
from viplab.addresses import HTTP_PORT
from viplab.observe.probe import LIMIT_S, Prober
from viplab.observe.timeline import Timeline

TIMEOUT_S = 0.9
"""Less than the second after which TCP sends a lost SYN again (RFC 6298, section 2.1): otherwise what was asked in the
last second of an outage would be answered, late, and the outage look shorter by as much."""
IN_FLIGHT = 64
"""More than are under way at the highest rate and that timeout, unless this program itself was held up."""
_TIMEOUT_NS = round(TIMEOUT_S * 1e9)
_LONGEST = 4096
# Of a balancer, which answers for the host that has the VIP (RFC 9110, section 7.6.3).
_VIA = re.compile(rb"\r\nvia: 1\.1 ([A-Z])\r?$", re.MULTILINE | re.IGNORECASE)
_WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "closed",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
}


class HttpProbe(Prober):
    """The HTTP requests."""

    def __init__(
        self, target: str, source: str, rate: int, kept: int, interface: str, path: Path, timeline: Timeline
    ) -> None:
        arguments = [target, source, str(rate), str(kept), str(path)]
        super().__init__("http", __name__, arguments, source, interface, timeline, rate=rate, timeout_s=TIMEOUT_S)


@dataclass(eq=False)
class Request:
    """A request under way."""

    connection: Literal["new", "kept"]
    n: int
    number: int
    """Which of the kept connections; 0 of a new one."""
    due_ns: int
    sent_ns: int
    begun_ns: int
    """The same by the monotonic clock."""
    line: socket.socket
    connecting: bool
    connect_ns: int | None = None
    answer: bytes = b""


class Asker:
    """Asks on an absolute schedule and hands over each request as it ends, in the form of `evidence.HttpRequest`."""

    def __init__(
        self,
        target: tuple[str, int],
        source: str,
        interval_ns: int,
        write: Callable[[dict[str, Any]], object],
        kept: int = 1,
    ) -> None:
        self.stopped = False
        self._target = target
        self._source = source
        self._family = family_of(source)
        self._interval_ns = interval_ns
        self._write = write
        # epoll and poll would wait for whole milliseconds.
        self._selector = SelectSelector()
        self._under_way: list[Request] = []
        self._kept = kept
        self._idle: dict[int, socket.socket] = {}
        """The kept connections that wait for their turn: none that waits for an answer, and none that is broken."""
        self._sent = self._withheld = self._late_max_ns = 0

    def until_stopped(self, requests: int) -> None:
        """Ask so many times over either kind of connection; `stopped` ends it earlier, within an interval."""
        started_ns, real_ns = time.monotonic_ns(), time.time_ns()
        for n in range(requests):
            due_ns = started_ns + n * self._interval_ns
            self._answers_until(due_ns)
            if self.stopped:
                break
            self._late_max_ns = max(self._late_max_ns, time.monotonic_ns() - due_ns)
            self._ask(n, real_ns + n * self._interval_ns)
        for request in self._under_way.copy():
            self._end(request, None, "unanswered")
        for line in self._idle.values():
            line.close()

    def account(self) -> dict[str, int]:
        """The keys of the `http_stopped` event."""
        return {"sent": self._sent, "withheld": self._withheld, "late_max_ns": self._late_max_ns}

    def _answers_until(self, due_ns: int) -> None:
        """Take in what comes until the next request is due; what has come already even if it is overdue."""
        while not self.stopped:
            now_ns = time.monotonic_ns()
            fresh = [request for request in self._under_way if request.connection == "new"]
            for request in fresh:
                if now_ns - request.begun_ns >= _TIMEOUT_NS:
                    self._end(request, None, "timeout")
            wake_ns = min([due_ns, *(request.begun_ns + _TIMEOUT_NS for request in fresh)])
            for key, _ in self._selector.select(max(0, wake_ns - now_ns) / 1e9):
                self._go_on(key.data)
            if now_ns >= due_ns:
                return

    def _ask(self, n: int, due_ns: int) -> None:
        if sum(request.connection == "new" for request in self._under_way) < IN_FLIGHT:
            self._begin("new", n, 0, due_ns, None)
        else:
            self._withheld += 1
        turn = n % self._kept
        if n < self._kept or turn in self._idle:
            self._begin("kept", n, turn, due_ns, self._idle.pop(turn, None))

    def _begin(
        self, connection: Literal["new", "kept"], n: int, number: int, due_ns: int, line: socket.socket | None
    ) -> None:
        taken = line or socket.socket(self._family.number, socket.SOCK_STREAM)
        request = Request(connection, n, number, due_ns, time.time_ns(), time.monotonic_ns(), taken, line is None)
        self._sent += 1
        self._under_way.append(request)
        try:
            if request.connecting:
                taken.setblocking(False)
                taken.bind((self._source, 0))
                with suppress(BlockingIOError):
                    taken.connect(self._target)
                self._selector.register(taken, EVENT_WRITE, request)
            else:
                self._send(request)
                self._selector.register(taken, EVENT_READ, request)
        except OSError as error:
            self._end(request, None, _WORDS.get(error.errno or 0, "failed"))

    def _send(self, request: Request) -> None:
        host = self._family.in_uri.format(self._target[0])
        text = f"GET /{request.connection}/{request.n} HTTP/1.1\r\nHost: {host}\r\n\r\n"
        request.line.sendall(text.encode())

    def _go_on(self, request: Request) -> None:
        """The connection has come about or failed, or there is something to read."""
        try:
            if request.connecting:
                if failed := request.line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(failed, "connect")
                request.connecting, request.connect_ns = False, time.monotonic_ns() - request.begun_ns
                self._send(request)
                self._selector.modify(request.line, EVENT_READ, request)
                return
            said = request.line.recv(_LONGEST)
        except OSError as error:
            self._end(request, None, _WORDS.get(error.errno or 0, "failed"))
            return
        request.answer += said
        head, _, body = request.answer.partition(b"\r\n\r\n")
        if body.endswith(b"\n") or len(request.answer) > _LONGEST:
            balancer = _VIA.search(head)
            host = (balancer[1] if balancer else body.rstrip(b"\n")).decode("ascii", "replace")
            known = host if head.startswith(b"HTTP/1.1 200 ") and re.fullmatch("[A-Z]", host) else None
            self._end(request, known, None if known else "garbled")
        elif not said:
            self._end(request, None, "closed")

    def _end(self, request: Request, host: str | None, error: str | None) -> None:
        total_ns = time.monotonic_ns() - request.begun_ns
        self._under_way.remove(request)
        with suppress(KeyError):  # a connection that failed at once was never waited for
            self._selector.unregister(request.line)
        if request.connection == "kept" and error is None:
            self._idle[request.number] = request.line
        else:
            request.line.close()
        self._write(
            {
                "connection": request.connection,
                "n": request.n,
                "line": request.number,
                "due_ns": request.due_ns,
                "sent_ns": request.sent_ns,
                "connect_ns": request.connect_ns,
                "total_ns": total_ns,
                "host": host,
                "error": error,
            }
        )


def main(target: str, source: str, rate: int, kept: int, path: Path) -> None:
    """Ask until told to stop, then print how it went."""
    with path.open("a", encoding="utf-8", buffering=1) as file:
        asker = Asker(
            (target, HTTP_PORT),
            source,
            round(1e9 / rate),
            lambda line: file.write(json.dumps(line, separators=(",", ":")) + "\n"),
            kept,
        )

        def stop(*_: object) -> None:
            asker.stopped = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(flush=True)  # noqa: T201 - the word that the parent waits for
        asker.until_stopped(LIMIT_S * rate)
    print(json.dumps(asker.account()))  # noqa: T201 - the parent records it


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
