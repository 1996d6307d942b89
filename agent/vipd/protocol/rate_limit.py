"""A limit on log lines that a packet can cause: a flood must not fill a disk. Counters still count every packet."""

from __future__ import annotations


class RateLimit:
    """Allows a number of lines in each period, which begins with its first line."""

    __slots__ = ("_ends_ns", "_left", "_lines", "_period_ns")

    def __init__(self, lines: int, period_ns: int) -> None:
        self._lines = self._left = lines
        self._period_ns = period_ns
        self._ends_ns: int | None = None

    def allows(self, now: int) -> bool:
        """Whether one more line may be logged now; it is taken off if so."""
        if self._ends_ns is None or now >= self._ends_ns:
            self._ends_ns = now + self._period_ns
            self._left = self._lines
        self._left -= 1
        return self._left >= 0
