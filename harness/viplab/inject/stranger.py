"""A station that belongs to nobody: a port of its own on a bridge, from which frames are sent at a rate."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from viplab.lab.command import run
from viplab.lab.guest import Timing

_PORT, _PEER = "viplab-stranger", "viplab-strange"


class Stranger:
    """Sends its frames in turn, on an absolute schedule, from when it strikes until it is healed."""

    marker: str | None = None

    def __init__(self, bridge: str, frames: Sequence[bytes], rate: int) -> None:
        """Make the port; nothing is sent yet.

        Raises:
            LabError: the kernel does not give it one.
        """
        self._frames, self._interval_ns = frames, round(1e9 / rate)
        self._sent = 0
        self._ended = threading.Event()
        run(["ip", "link", "add", _PORT, "type", "veth", "peer", "name", _PEER])
        run(["ip", "link", "set", _PEER, "master", bridge, "up"])
        # Whatever its own kernel would say unasked is not the stranger's.
        run(["ip", "link", "set", _PORT, "arp", "off", "addrgenmode", "none", "up"])
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((_PORT, 0))
        self._thread = threading.Thread(target=self._go_on, name="stranger", daemon=True)

    def strike(self) -> Timing:
        """Send the first frame; the others follow by themselves."""
        before_ns = time.time_ns()
        self._begun_ns = time.monotonic_ns()
        self._send()
        after_ns = time.time_ns()
        self._thread.start()
        return Timing(before_ns, after_ns, 0)

    def heal(self) -> tuple[Timing, dict[str, Any]]:
        """Fall silent and be gone; `frames` says how many were sent."""
        before_ns = time.time_ns()
        self._ended.set()
        self._thread.join()
        after_ns = time.time_ns()
        self.discard()
        return Timing(before_ns, after_ns, 0), {"frames": self._sent}

    def discard(self) -> None:
        """Take the port away."""
        self._socket.close()
        run(["ip", "link", "del", _PORT])

    def _send(self) -> None:
        self._socket.send(self._frames[self._sent % len(self._frames)])
        self._sent += 1

    def _go_on(self) -> None:
        while True:
            due_ns = self._begun_ns + self._sent * self._interval_ns
            if self._ended.wait(max(0, due_ns - time.monotonic_ns()) / 1e9):
                return
            self._send()
