"""Turns signals into something to read, so that the loop handles them between events and never within one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

STOP = (signal.SIGTERM, signal.SIGINT)
RELOAD = signal.SIGHUP
DUMP_DATA, DUMP_STATS = signal.SIGUSR1, signal.SIGUSR2
DUMP_JSON = 36  # what `keepalived --signum=JSON` says


class Signals:
    """A descriptor that is readable when a signal has arrived; a process can have one such object."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        self._numbers = frozenset(numbers)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in self._numbers:
            signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        """For epoll."""
        return self._read

    def pending(self) -> Iterable[int]:
        """The numbers of the signals since the last call, oldest first; several of a kind are one, as in the kernel."""
        try:
            arrived = dict.fromkeys(os.read(self._read, 4096))
        except BlockingIOError:
            return ()
        return [number for number in arrived if number in self._numbers]
