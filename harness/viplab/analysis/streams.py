"""Echo requests paired with their answers, and the gaps between answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viplab.analysis.frames import Echo

# A request that is younger than this when the capture ends may still have been answered: it is left out.
IN_FLIGHT_NS = 250_000_000


@dataclass(frozen=True, slots=True)
class Trip:
    """One echo request, its answer's delay and sender; both are None when no answer was captured."""

    seq: int
    sent_ns: int
    rtt_ns: int | None
    mac: str | None


@dataclass(frozen=True, slots=True)
class Silence:
    """Consecutive lost requests, from the first lost to the first answered one; None when no answer followed."""

    start_ns: int
    end_ns: int | None
    lost: int


def round_trips(echoes: Sequence[Echo], source: str, vip: str, end_ns: int) -> list[Trip]:
    """Pair the requests from `source` to the VIP with their first answers, in the order of sending.

    Where several programs sent from that address the one with the most requests counts: that is the stream, the others
    are single pings of set-up checks. Sequence numbers have 16 bits, so an answer belongs to the latest request of its
    number.
    """
    idents = Counter(echo.ident for echo in echoes if echo.request and echo.src_ip == source and echo.dst_ip == vip)
    if not idents:
        return []
    ident = min(idents, key=lambda candidate: (-idents[candidate], candidate))
    trips: list[Trip] = []
    waiting: dict[int, int] = {}
    for echo in echoes:
        if echo.ident != ident:
            continue
        if echo.request and echo.src_ip == source and echo.dst_ip == vip:
            waiting[echo.seq] = len(trips)
            trips.append(Trip(echo.seq, echo.time_ns, None, None))
        elif not echo.request and echo.src_ip == vip and echo.dst_ip == source and echo.seq in waiting:
            index = waiting.pop(echo.seq)
            sent_ns = trips[index].sent_ns
            trips[index] = Trip(echo.seq, sent_ns, echo.time_ns - sent_ns, echo.src_mac)
    while trips and trips[-1].rtt_ns is None and trips[-1].sent_ns > end_ns - IN_FLIGHT_NS:
        trips.pop()
    return trips


def silences(trips: Iterable[Trip]) -> list[Silence]:
    """The gaps in a stream, one by one."""
    found: list[Silence] = []
    start_ns, lost = 0, 0
    for trip in trips:
        if trip.rtt_ns is None:
            start_ns = start_ns if lost else trip.sent_ns
            lost += 1
        elif lost:
            found.append(Silence(start_ns, trip.sent_ns, lost))
            lost = 0
    if lost:
        found.append(Silence(start_ns, None, lost))
    return found
