"""Waits for descriptors to become readable."""

from __future__ import annotations

import select
from contextlib import suppress


class Epoll:
    """One epoll descriptor, level-triggered."""

    def __init__(self) -> None:
        self._epoll = select.epoll()

    def add(self, descriptor: int) -> None:
        """Wait for this descriptor, too.

        Raises:
            OSError: the kernel has no room for it.
        """
        self._epoll.register(descriptor, select.EPOLLIN)

    def remove(self, descriptor: int) -> None:
        """Wait for it no more; one that is closed already is fine."""
        with suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)

    def wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Wait until a descriptor is readable, for ever if the time is negative; returns (descriptor, events) pairs.

        Raises:
            OSError: the kernel refuses to wait.
        """
        return self._epoll.poll(timeout_s)
