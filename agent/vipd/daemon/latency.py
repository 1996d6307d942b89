"""A histogram of how late deadlines are met, in powers of two of a microsecond."""

from __future__ import annotations

_BUCKETS = 24  # the last one is for eight seconds and more


class Latency:
    """Counts of deadlines by how late they were handled.

    Attributes:
        counts: `counts[n]` were later than 2 ** (n - 1) microseconds and not later than 2 ** n; the first is up to 1.
        worst_ns: the latest.
    """

    __slots__ = ("counts", "worst_ns")

    def __init__(self) -> None:
        self.counts = [0] * _BUCKETS
        self.worst_ns = 0

    def record(self, late_ns: int) -> None:
        """Count a deadline that was handled this late, in nanoseconds."""
        bucket = ((late_ns - 1) // 1000).bit_length() if late_ns > 0 else 0
        self.counts[bucket if bucket < _BUCKETS else _BUCKETS - 1] += 1
        if late_ns > self.worst_ns:
            self.worst_ns = late_ns

    def buckets(self) -> list[dict[str, int]]:
        """The buckets that are not empty, with their upper bounds in microseconds."""
        return [{"up-to-us": 1 << place, "count": count} for place, count in enumerate(self.counts) if count]
