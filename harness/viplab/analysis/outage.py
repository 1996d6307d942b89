"""How long nobody answered: by time stamp and by loss, gap by gap, and when it was over for good.

RFC 6414's timestamp-based and packet-loss-based methods side by side, on one stream: a request that was lost shows in
both, one that was held back and sent late, as while the sender looked for its neighbour, in the stamps only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from viplab.analysis.record import Record
from viplab.analysis.streams import Silence, Trip
from viplab.analysis.summary import Fault, OutageGap

# What RFC 6412 calls the sustained convergence validation time, and its value there.
SUSTAINED_NS = 5_000_000_000
_NS = 1_000_000_000


def gaps(silences: Sequence[Silence], fault: Fault) -> list[OutageGap]:
    """The gaps one by one."""
    return [
        OutageGap(
            start_s=(gap.start_ns - fault.at_ns) / _NS,
            duration_s=None if gap.end_ns is None else (gap.end_ns - gap.start_ns) / _NS,
            lost=gap.lost,
        )
        for gap in silences
    ]


def by_stamp_s(silences: Sequence[Silence], trips: Sequence[Trip]) -> float | None:
    """Sum of the gaps from the first lost request to the first answered one; one that did not end, to the last."""
    if not trips:
        return None
    return sum((gap.end_ns or trips[-1].sent_ns) - gap.start_ns for gap in silences) / _NS


def lost(silences: Sequence[Silence], trips: Sequence[Trip]) -> int | None:
    """Requests lost in the gaps."""
    return sum(gap.lost for gap in silences) if trips else None


def by_loss_s(silences: Sequence[Silence], trips: Sequence[Trip], interval_s: float) -> float | None:
    """Requests lost, times the time that each stands for."""
    count = lost(silences, trips)
    return None if count is None else round(count * interval_s, 9)


def recovered_s(silences: Sequence[Silence], trips: Sequence[Trip], fault: Fault) -> float | None:
    """Fault to the first request from which on none is lost for five seconds; None where that was not seen."""
    if not trips:
        return None
    if not silences:
        return 0.0
    over_ns = recovered_ns(silences, trips[-1].sent_ns)
    return None if over_ns is None else (over_ns - fault.at_ns) / _NS


def recovered_ns(silences: Sequence[Silence], last_ns: int) -> int | None:
    """The end of the first gap after which none begins for five seconds, up to the last request that was sent."""
    following_ns = [*(gap.start_ns for gap in silences[1:]), last_ns]
    for gap, next_ns in zip(silences, following_ns, strict=True):
        if gap.end_ns is not None and next_ns - gap.end_ns >= SUSTAINED_NS:
            return gap.end_ns
    return None


def answers(record: Record, trips: Sequence[Trip]) -> dict[str, int]:
    """How many answers came from whom, so that two owners are seen as such."""
    macs = (mac for trip in trips for mac in (trip.mac, *trip.also) if mac)
    return dict(sorted(Counter(record.host_by_mac(mac) or mac for mac in macs).items()))
