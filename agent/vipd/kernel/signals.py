"""Signals as something to read, so that the loop sees them between two things that it does and never within one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable


class Signals:
    """A descriptor that turns readable when one of some signals has come; there can be one of these in a process."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        """For epoll."""
        return self._read

    def pending(self) -> Iterable[int]:
        """The numbers of those that have come since, oldest first: several of a kind are one, as with the kernel's."""
        return dict.fromkeys(os.read(self._read, 4096))
