"""For how long each host waited for a processor, by what was looked at twice a second."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from viplab.types import Event, HostName

_Samples = tuple[list[int], list[int]]
"""When one looked, and what had been waited by then, both in ns."""


class RunDelays:
    """The events `run_delay` of a trial; of a host that nobody looked at no wait is known."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Take in the events in the order of time; what ended took its share of a host's waits with it."""
        self._sampled: dict[HostName, _Samples] = {}
        self._stalled: _Samples = [], []
        before: dict[HostName, int] = {}
        for event in sorted(events, key=lambda event: event.t_ns):
            if (stalled := event.get("anybody")) is not None:
                self._stalled[0].append(event.t_ns)
                self._stalled[1].append(stalled)
            for host, waited in event["hosts"].items():
                if type(waited) is not int:
                    continue
                sampled_ns, waited_ns = self._sampled.setdefault(host, ([], []))
                sampled_ns.append(event.t_ns)
                waited_ns.append((waited_ns or [0])[-1] + max(0, waited - before.get(host, waited)))
                before[host] = waited

    def waited_ns(self, host: HostName | None, since_ns: int, until_ns: int) -> int:
        """For how long at most a host waited between two moments; 0 where nobody looked."""
        return _grown(self._sampled.get(host or "", ([], [])), since_ns, until_ns)

    def stalled_ns(self, since_ns: int, until_ns: int) -> int:
        """For how long at most anybody on the machine waited between two moments; 0 where nobody looked."""
        return _grown(self._stalled, since_ns, until_ns)

    def longest_ns(self, host: HostName, since_ns: int, until_ns: int, length_ns: int) -> int:
        """The most that a host waited within any stretch of that length between two moments; 0 where nobody looked."""
        sampled_ns, _ = self._sampled.get(host, ([], []))
        begins = (at_ns for at_ns in sampled_ns if since_ns <= at_ns < until_ns)
        return max((self.waited_ns(host, at_ns, at_ns + length_ns) for at_ns in begins), default=0)


def _grown(samples: _Samples, since_ns: int, until_ns: int) -> int:
    """By how much it grew from the last look before a moment to the first one after another; 0 where nobody looked."""
    sampled_ns, waited_ns = samples
    if not sampled_ns:
        return 0
    first = max(0, bisect_right(sampled_ns, since_ns) - 1)
    last = min(len(sampled_ns) - 1, bisect_left(sampled_ns, until_ns))
    return max(0, waited_ns[last] - waited_ns[first])
