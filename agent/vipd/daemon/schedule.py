"""A heap of deadlines, so that a wake-up touches only the objects that are due."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol


class Timed(Protocol):
    """An object that has to be called at a time."""

    def deadline(self) -> int | None:
        """When to call it, in monotonic nanoseconds; None for not at all."""

    def handle_deadline(self, now: int) -> None:
        """The time has come. Called before it, this does nothing."""


class Schedule:
    """The deadlines of many objects, earliest first.

    An entry is the latest time to check an object. A deadline that moves to a later time leaves its entry where it is;
    the entry is checked, found not to be due, and put back. So a backup that receives an advert each interval, and
    moves its deadline each time, costs the heap one entry an interval and not one an advert.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timed]] = []
        self._entered: dict[Timed, int] = {}
        self._count = 0

    def update(self, timed: Timed) -> None:
        """Take in that the deadline of an object may be earlier now."""
        at_ns = timed.deadline()
        if at_ns is not None:
            entered = self._entered.get(timed)
            if entered is None or at_ns < entered:
                self._entered[timed] = at_ns
                self._count += 1
                heappush(self._heap, (at_ns, self._count, timed))

    def postpone(self, timed: Timed, at_ns: int) -> None:
        """Leave an object alone until then, though its deadline has come: it failed."""
        self._entered[timed] = at_ns
        self._count += 1
        heappush(self._heap, (at_ns, self._count, timed))

    def remove(self, timed: Timed) -> None:
        """Drop an object."""
        self._entered.pop(timed, None)

    def next(self) -> int | None:
        """When to wake, in monotonic nanoseconds; None for not at all."""
        heap = self._heap
        while heap:
            at_ns, _, timed = heap[0]
            if self._entered.get(timed) == at_ns:
                deadline = timed.deadline()
                if deadline is not None and deadline <= at_ns:
                    return at_ns
                heappop(heap)
                del self._entered[timed]
                self.update(timed)
            else:
                heappop(heap)
        return None

    @property
    def first(self) -> Timed | None:
        """The object that `next` has just told the time of."""
        return self._heap[0][2] if self._heap else None

    def due(self, now: int) -> list[tuple[int, Timed]]:
        """Take off the objects that are due, earliest first, with their deadlines."""
        heap, found = self._heap, []
        while heap and heap[0][0] <= now:
            at_ns, _, timed = heappop(heap)
            if self._entered.get(timed) == at_ns:
                del self._entered[timed]
                deadline = timed.deadline()
                if deadline is not None and deadline <= now:
                    found.append((deadline, timed))
                else:
                    self.update(timed)
        return found
