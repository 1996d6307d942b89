"""A station that belongs to nobody: a port of its own on a bridge, from which frames are sent at a rate."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from viplab.errors import LabError
from viplab.lab.command import run
from viplab.lab.guest import Timing
from viplab.lab.marks import link_words

_NUMBERS = count(1)


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
        self._failed: str | None = None
        self._ended = threading.Event()
        number = next(_NUMBERS)
        self._port, peer = f"viplab-from{number}", f"viplab-to{number}"
        run(["ip", "link", "add", self._port, "type", "veth", "peer", "name", peer])
        run(["ip", "link", "set", peer, "master", bridge, "up"])
        # Whatever its own kernel would say unasked is not the stranger's.
        run(["ip", "link", "set", self._port, *link_words(), "arp", "off", "addrgenmode", "none", "up"])
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((self._port, 0))
        self._thread = threading.Thread(target=self._go_on, name="stranger", daemon=True)

    def strike(self) -> Timing:
        """Send the first frame; the others follow by themselves.

        Raises:
            LabError: it could not be sent.
        """
        before_ns = time.time_ns()
        self._begun_ns = time.monotonic_ns()
        try:
            self._send()
        except OSError as error:
            raise LabError(f"a stranger cannot send ({error.strerror})") from None
        after_ns = time.time_ns()
        self._thread.start()
        return Timing(before_ns, after_ns, 0)

    def heal(self) -> tuple[Timing, dict[str, Any]]:
        """Fall silent and be gone; says how many frames were sent, how many were due, and what ended it before."""
        before_ns = time.time_ns()
        due = (time.monotonic_ns() - self._begun_ns) // self._interval_ns + 1
        self._ended.set()
        self._thread.join()
        after_ns = time.time_ns()
        self.discard()
        return Timing(before_ns, after_ns, 0), {"frames": self._sent, "due": due, "failed": self._failed}

    def discard(self) -> None:
        """Take the port away."""
        self._socket.close()
        run(["ip", "link", "del", self._port])

    def _send(self) -> None:
        self._socket.send(self._frames[self._sent % len(self._frames)])
        self._sent += 1

    def _go_on(self) -> None:
        try:
            while True:
                due_ns = self._begun_ns + self._sent * self._interval_ns
                if self._ended.wait(max(0, due_ns - time.monotonic_ns()) / 1e9):
                    return
                self._send()
        except OSError as error:
            self._failed = error.strerror
