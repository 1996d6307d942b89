"""The Unix socket that `vipd status` asks: one connection, one report, as JSON, in slices between the adverts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from vipd.kernel.control_socket import WAITING, Client, ControlSocket
from vipd.kernel.syslog import FAILURES

_SLICE_NS = 500_000


class Control:
    """Listens, and answers every connection in slices, so that adverts that are due need not wait.

    It is `Timed`: while an answer is unfinished it is always due, and each call sends a slice.
    """

    def __init__(self, path: str, report: Callable[[], Iterator[str]], update: Callable[[Control], None]) -> None:
        """Listen.

        Args:
            path: of the socket.
            report: returns the answer in parts, each of which takes much less than a slice.
            update: is called when an answer begins.

        Raises:
            OSError: nothing can be made there.
        """
        self._report = report
        self._update = update
        self._asking: deque[tuple[Client, Iterator[str]]] = deque()
        self._next_ns = 0
        self._socket = ControlSocket(path)

    def fileno(self) -> int:
        """Readable when a client connects."""
        return self._socket.fileno()

    def read(self) -> None:
        """Accept a connection.

        Raises:
            OSError: there is no descriptor for it.
        """
        client = self._socket.accept()
        if client is None:
            return
        self._asking.append((client, self._report()))
        if len(self._asking) > WAITING:
            self._asking.popleft()[0].close()
        self._next_ns = time.monotonic_ns()
        self._update(self)

    def deadline(self) -> int | None:
        """The last time at which a slice was sent, and so at once, while an answer is unfinished."""
        return self._next_ns if self._asking else None

    def handle_deadline(self, now: int) -> None:
        """Send a slice; a client that does not read in time gets less, and never blocks the daemon."""
        if not self._asking:
            return
        self._next_ns = now
        client, parts = self._asking[0]
        with suppress(*FAILURES):
            for part in parts:
                client.send(part)
                if time.monotonic_ns() - now >= _SLICE_NS:
                    return
        self._asking.popleft()
        client.close()

    def close(self) -> None:
        """Close the socket and remove its path."""
        self._socket.close()
