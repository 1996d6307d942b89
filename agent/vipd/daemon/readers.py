"""Descriptors and who reads each of them. One whose reader fails rests for a second, so that it fails once a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from vipd.config.behaviour import SECOND_NS
from vipd.daemon.schedule import Timed
from vipd.kernel.epoll import Epoll
from vipd.kernel.syslog import FAILURES, Syslog, reason

_REST_NS = SECOND_NS
_BLIND_S = 0.05


class Readers:
    """Calls whoever reads a descriptor when it is readable. It is `Timed`: what rests is taken up again.

    Attributes:
        woken_ns: when something was last readable, in monotonic nanoseconds. A timer that counts from what was there
            then is exact; one that counts from when it is read is late.
    """

    def __init__(self, log: Syslog, update: Callable[[Timed], None]) -> None:
        """Watch nothing yet; `update` is called when something begins to rest."""
        self.woken_ns = 0
        self._epoll = Epoll()
        self._log = log
        self._update = update
        self._readers: dict[int, Callable[[], None]] = {}
        self._resting: dict[int, int] = {}

    def watch(self, descriptor: int, read: Callable[[], None]) -> None:
        """Call `read` when a descriptor is readable.

        Raises:
            OSError: the kernel has no room for it.
        """
        self._epoll.add(descriptor)
        self._readers[descriptor] = read

    def unwatch(self, descriptor: int) -> None:
        """Call nobody any more."""
        self._epoll.remove(descriptor)
        self._readers.pop(descriptor, None)
        self._resting.pop(descriptor, None)

    def read(self, timeout_s: float) -> bool:
        """Wait until something is readable, for ever if the time is negative, and have it read; returns if it was."""
        try:
            ready = self._epoll.wait(timeout_s)
        except (OSError, MemoryError) as error:
            self._log.failure(f"waiting for events failed: {reason(error)}")
            time.sleep(_BLIND_S)
            ready = [(descriptor, 0) for descriptor in self._readers]  # none of them waits where there is nothing
        self.woken_ns = time.monotonic_ns()
        for descriptor, _ in ready:
            self._call(descriptor)
        return bool(ready)

    def deadline(self) -> int | None:
        """When the first of what rests is taken up again."""
        return min(self._resting.values(), default=None)

    def handle_deadline(self, now: int) -> None:
        """Take up again what has rested, and read what may have been left unread."""
        for descriptor, at_ns in [*self._resting.items()]:
            if at_ns <= now:
                try:
                    self._epoll.add(descriptor)
                    del self._resting[descriptor]
                    self._call(descriptor)
                except OSError:
                    self._resting[descriptor] = now + _REST_NS

    def _call(self, descriptor: int) -> None:
        read = self._readers.get(descriptor)
        if read is None:  # a receiver may have been closed by an event before it in this batch
            return
        try:
            read()
        except FAILURES as error:
            self._log.failure(f"reading failed: {reason(error)}")
            if descriptor in self._readers:
                self._epoll.remove(descriptor)
                self._resting[descriptor] = time.monotonic_ns() + _REST_NS
                self._update(self)
