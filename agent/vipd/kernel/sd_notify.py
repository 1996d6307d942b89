"""Tells systemd the state of the daemon (sd_notify(3)): ready, reloading, stopping, alive."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress


class ServiceManager:
    """The service manager, if there is one; the loop calls it in time for its watchdog."""

    def __init__(self) -> None:
        path = os.environ.pop("NOTIFY_SOCKET", "")
        self._path = "\0" + path[1:] if path.startswith("@") else path
        self._socket: socket.socket | None = None
        self._open()
        own = str(os.getpid())
        watched = os.environ.pop("WATCHDOG_USEC", "") if os.environ.get("WATCHDOG_PID", own) == own else ""
        # Fed three times as often as needed: one late turn is not a hang.
        self._every_ns = int(watched) * 1000 // 3 if watched.isdigit() and path else None
        self._next_ns = time.monotonic_ns() if self._every_ns else None

    def deadline(self) -> int | None:
        """When to send the next keep-alive."""
        return self._next_ns

    def handle_deadline(self, now: int) -> None:
        """Send a keep-alive."""
        if self._next_ns is not None and self._every_ns and now >= self._next_ns:
            self._next_ns = now + self._every_ns
            self.send("WATCHDOG=1")

    def ready(self, status: str) -> None:
        """Report that the daemon runs, or that a reload is done."""
        self.send(f"READY=1\nSTATUS={status}\nMAINPID={os.getpid()}")

    def reloading(self) -> None:
        """Report that a reload begins."""
        self.send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Report that the daemon ends."""
        self.send("STOPPING=1")

    def send(self, text: str) -> None:
        """Send a message; an error is ignored."""
        self._open()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto(text.encode(), socket.MSG_DONTWAIT, self._path)

    def _open(self) -> None:
        # Kept open: where descriptors run out, the watchdog must still be fed.
        if self._path and self._socket is None:
            with suppress(OSError):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
