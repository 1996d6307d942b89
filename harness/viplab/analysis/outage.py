"""How long nobody answered: by time stamp and by loss, loss run by loss run, and when it was over for good.

RFC 6414's timestamp-based and packet-loss-based methods side by side, on one stream: a request that was lost shows in
both, one that was held back and sent late, as while the sender looked for its neighbour, in the stamps only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from viplab.analysis.record import Record
from viplab.analysis.streams import LossRun, Trip
from viplab.analysis.summary import Fault, LossRunSummary

# What RFC 6412 calls the sustained convergence validation time, and its value there.
SUSTAINED_NS = 5_000_000_000
_NS = 1_000_000_000


def summaries(runs: Sequence[LossRun], fault: Fault) -> list[LossRunSummary]:
    """The loss runs one by one, as a summary keeps them."""
    return [
        LossRunSummary(
            start_s=(run.start_ns - fault.at_ns) / _NS,
            duration_s=None if run.end_ns is None else (run.end_ns - run.start_ns) / _NS,
            lost=run.lost,
        )
        for run in runs
    ]


def by_stamp_s(runs: Sequence[LossRun], trips: Sequence[Trip]) -> float | None:
    """Sum of the loss runs from the first lost request to the first answered one; one that did not end, to the last."""
    if not trips:
        return None
    return sum((run.end_ns or trips[-1].sent_ns) - run.start_ns for run in runs) / _NS


def lost(runs: Sequence[LossRun], trips: Sequence[Trip]) -> int | None:
    """Requests lost in the loss runs."""
    return sum(run.lost for run in runs) if trips else None


def by_loss_s(runs: Sequence[LossRun], trips: Sequence[Trip], interval_s: float) -> float | None:
    """Requests lost, times the time that each stands for."""
    count = lost(runs, trips)
    return None if count is None else round(count * interval_s, 9)


def recovered_s(runs: Sequence[LossRun], trips: Sequence[Trip], fault: Fault) -> float | None:
    """Fault to the first request from which on none is lost for five seconds; None where that was not seen."""
    if not trips:
        return None
    if not runs:
        return 0.0
    over_ns = recovered_ns(runs, trips[-1].sent_ns)
    return None if over_ns is None else (over_ns - fault.at_ns) / _NS


def recovered_ns(runs: Sequence[LossRun], last_ns: int) -> int | None:
    """The end of the first loss run after which none begins for five seconds, up to the last request that was sent."""
    following_ns = [*(run.start_ns for run in runs[1:]), last_ns]
    for run, next_ns in zip(runs, following_ns, strict=True):
        if run.end_ns is not None and next_ns - run.end_ns >= SUSTAINED_NS:
            return run.end_ns
    return None


def answers(record: Record, trips: Sequence[Trip]) -> dict[str, int]:
    """How many answers came from whom, so that two owners are seen as such."""
    macs = (mac for trip in trips for mac in (trip.mac, *trip.also) if mac)
    return dict(sorted(Counter(record.host_by_mac(mac) or mac for mac in macs).items()))
