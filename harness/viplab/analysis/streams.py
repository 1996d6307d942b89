"""Echo requests paired with their answers, and the runs of lost requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from viplab.capture.frames import Echo
from viplab.errors import InputError

# A request that is younger than this when the capture ends may still have been answered: it is left out.
IN_FLIGHT_NS = 250_000_000
# No probe sends faster than this.
_SHORTEST_NS = 100_000
# Ten minutes at 1 kHz of which nothing reached the wire.
_MOST_UNSENT = 600_000


@dataclass(frozen=True, slots=True)
class Trip:
    """One echo request, its answer's delay and sender; both are None when no answer was captured.

    `also` lists the other MACs that answered it: then the address has two owners. `number` and `handed_ns` are the
    probe's own account: its number, and when it handed it to the kernel.
    """

    seq: int
    sent_ns: int
    rtt_ns: int | None
    mac: str | None
    also: tuple[str, ...] = ()
    number: int | None = None
    handed_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LossRun:
    """Consecutive lost requests, from the first lost to the first answered one; None when no answer followed."""

    start_ns: int
    end_ns: int | None
    lost: int


def round_trips(echoes: Sequence[Echo], source: str, vip: str, end_ns: int) -> list[Trip]:
    """Pair the requests from `source` to the VIP with their answers, in the order of sending.

    Where several programs sent from that address the one with the most requests counts: that is the stream, the others
    are single pings of set-up checks. Sequence numbers have 16 bits, so an answer belongs to the latest request of its
    number. A number that was left out is a request that never reached the wire, as when the sender had no neighbour to
    send it to: it is lost, and dated between its neighbours.

    Raises:
        InputError: more numbers were left out than a probe can have sent.
    """
    streams = Counter(
        (echo.via, echo.ident) for echo in echoes if echo.request and (echo.src_ip, echo.dst_ip) == (source, vip)
    )
    if not streams:
        return []
    stream = min(streams, key=lambda candidate: (-streams[candidate], candidate))
    trips: list[Trip] = []
    unsent = 0
    latest: dict[int, int] = {}
    answers: dict[int, list[Echo]] = {}
    for echo in echoes:
        if (echo.via, echo.ident) != stream:
            continue
        if echo.request and (echo.src_ip, echo.dst_ip) == (source, vip):
            missing = _unsent(trips, echo)
            unsent += len(missing)
            if unsent > _MOST_UNSENT:
                raise InputError(f"more than {_MOST_UNSENT:,} numbers of requests were left out: this is no probe")
            trips += missing
            latest[echo.seq] = len(trips)
            trips.append(Trip(echo.seq, echo.time_ns, None, None, number=echo.number, handed_ns=echo.handed_ns))
        elif not echo.request and (echo.src_ip, echo.dst_ip) == (vip, source) and echo.seq in latest:
            answers.setdefault(latest[echo.seq], []).append(echo)
    for index, echoed in answers.items():
        trips[index] = _answered(trips[index], echoed)
    while trips and trips[-1].rtt_ns is None and trips[-1].sent_ns > end_ns - IN_FLIGHT_NS:
        trips.pop()
    return trips


def _answered(trip: Trip, answers: Sequence[Echo]) -> Trip:
    """A request with its first answer, and whoever else answered it."""
    mac, *also = dict.fromkeys(echo.src_mac for echo in answers)
    rtt_ns = answers[0].time_ns - trip.sent_ns
    return Trip(trip.seq, trip.sent_ns, rtt_ns, mac, tuple(also), trip.number, trip.handed_ns)


def _unsent(trips: Sequence[Trip], echo: Echo) -> list[Trip]:
    """The requests whose numbers lie between the last one and this one."""
    if not trips:
        return []
    last = trips[-1]
    step = (echo.seq - last.seq) & 0xFFFF
    apart_ns = echo.time_ns - last.sent_ns
    # Numbers that go back, or that would need a rate beyond any probe's, are no sign of a request.
    if not 1 < step < 0x8000 or apart_ns < step * _SHORTEST_NS:
        return []
    return [Trip((last.seq + n) & 0xFFFF, last.sent_ns + apart_ns * n // step, None, None) for n in range(1, step)]


def loss_runs(trips: Iterable[Trip]) -> list[LossRun]:
    """The runs of lost requests in a stream, one by one."""
    found: list[LossRun] = []
    start_ns, lost = 0, 0
    for trip in trips:
        if trip.rtt_ns is None:
            start_ns = start_ns if lost else trip.sent_ns
            lost += 1
        elif lost:
            found.append(LossRun(start_ns, trip.sent_ns, lost))
            lost = 0
    if lost:
        found.append(LossRun(start_ns, None, lost))
    return found


def lateness_ns(trips: Iterable[Trip], interval_ns: int) -> list[int]:
    """How much later than due the probe handed each request to the kernel; empty for a stream that does not say.

    Due is what its schedule says, an interval a number, laid so that the most punctual request was on time: how late
    that one was cannot be told.
    """
    stamps = [(trip.number, trip.handed_ns) for trip in trips]
    after = [handed - number * interval_ns for number, handed in stamps if number is not None and handed is not None]
    least = min(after, default=0)
    return [ns - least for ns in after]
