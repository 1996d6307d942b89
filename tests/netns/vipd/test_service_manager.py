"""What systemd is told by the daemon itself: ready, reloading, stopping, and that it is alive only while it is."""

from __future__ import annotations

import select
import socket
import tempfile
import time
from collections.abc import Iterator

import pytest

from support.hosts import Hosts

_TIMEOUT_S = 0.6
_PATIENCE_S = 120


class Manager:
    """Stands in for systemd: has its socket, and hears what comes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vipd")  # short: a socket's path has 107 octets
        self.path = f"{self._folder.name}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self.heard: list[tuple[float, str]] = []

    def hear(self, within_s: float = 0.0) -> str | None:
        """The next message, and None if there is none within that time."""
        if not select.select([self._socket], [], [], within_s)[0]:
            return None
        message = self._socket.recv(4096).decode()
        self.heard.append((time.monotonic(), message))
        return message

    def until(self, what: str) -> str:
        """Hear until a message contains something."""
        limit = time.monotonic() + _PATIENCE_S
        while time.monotonic() < limit:
            message = self.hear(1.0)
            if message is not None and what in message:
                return message
        raise AssertionError(f"{what!r} was not said; heard: {self.heard}")

    def close(self) -> None:
        self._socket.close()
        self._folder.cleanup()


@pytest.fixture
def manager() -> Iterator[Manager]:
    made = Manager()
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("watchdog_pid", ["WATCHDOG_PID=$$", ""])
def test_systemd_is_told_how_the_daemon_goes_and_nothing_while_its_loop_stands_still(
    hosts: Hosts, manager: Manager, watchdog_pid: str
) -> None:
    config = hosts.configure("A", priority=100)
    said = f"export NOTIFY_SOCKET={manager.path} WATCHDOG_USEC={_TIMEOUT_S * 1e6:.0f} {watchdog_pid};"
    hosts.launch("A", "keepalived-2", before=said)
    ready = manager.until("READY=1")
    pid = hosts.pid("A")
    assert f"MAINPID={pid}" in ready
    assert "STATUS=1 instances" in ready

    # sd_watchdog_enabled(3): at half the interval. What came late was sent late only if the machine was.
    for _ in range(5):
        manager.until("WATCHDOG=1")

    # A reload is told from its beginning to its end.
    hosts.run(f"kill -HUP {pid}")
    assert "MONOTONIC_USEC=" in manager.until("RELOADING=1")
    manager.until("READY=1")

    # The loop stands still: it alone may say that it is alive, no child and no timer of the kernel's.
    hosts.run(f"kill -STOP {pid}")
    while manager.hear(0.1) is not None:
        pass
    assert manager.hear(3 * _TIMEOUT_S) is None, "nobody may say that it is alive"
    hosts.run(f"kill -CONT {pid}")
    manager.until("WATCHDOG=1")

    # A reload that is refused is told, too: systemd would wait for its end.
    config.write_text("nonsense\n")
    hosts.run(f"kill -HUP {pid}")
    manager.until("RELOADING=1")
    assert "STATUS=reload refused" in manager.until("READY=1")

    hosts.run(f"kill -TERM {pid}")
    manager.until("STOPPING=1")
    while manager.hear(0.1) is not None:
        pass
    assert manager.heard[-1][1] == "STOPPING=1"
