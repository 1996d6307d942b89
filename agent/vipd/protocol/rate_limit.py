"""Limits on what a packet can cause, log lines and answers: a flood must fill no disk. Counters count every packet."""

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


class Allowance:
    """Allows so many things at once, and gives one back each `refill_ns`."""

    __slots__ = ("_from_ns", "_most_ns", "_refill_ns")

    def __init__(self, most: int, refill_ns: int) -> None:
        self._refill_ns = refill_ns
        self._most_ns = most * refill_ns
        self._from_ns = -self._most_ns  # what is left is what has come back since

    def spent(self, now: int) -> bool:
        """Whether nothing is left."""
        return now - self._from_ns < self._refill_ns

    def take(self, now: int) -> None:
        """Take one, which may be one that is not there."""
        self._from_ns = max(self._from_ns, now - self._most_ns) + self._refill_ns
