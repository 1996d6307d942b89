"""The instrument itself: cuts of known length against what was measured, and what is measured where nothing happens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from viplab.analysis.record import Record
from viplab.analysis.statistics import spread
from viplab.analysis.streams import loss_runs
from viplab.analysis.summary import Calibration, CutSummary, Jitter
from viplab.types import Event

CALIBRATION = "calibration"
_NS = 1_000_000_000


def cuts(record: Record) -> list[CutSummary]:
    """Each healed cut of the client's traffic with what the stream shows of it."""
    return [_cut(record, begin, end) for begin, end in record.client_cuts if end is not None]


def _cut(record: Record, begin: Event, end: Event) -> CutSummary:
    (begin_ns, begin_sure_ns), (end_ns, end_sure_ns) = _middle(begin), _middle(end)
    first_ns, last_ns = begin_ns - begin_sure_ns, end_ns + end_sure_ns
    true_s, uncertainty_s = (end_ns - begin_ns) / _NS, (begin_sure_ns + end_sure_ns) / _NS
    runs = [run for run in loss_runs(record.trips) if first_ns <= run.start_ns <= last_ns and run.end_ns is not None]
    by_stamp_s = by_loss_s = None
    if record.trips:
        by_stamp_s = sum((run.end_ns or 0) - run.start_ns for run in runs) / _NS
        by_loss_s = round(sum(run.lost for run in runs) * record.interval_s, 9)
    off = [abs(value - true_s) for value in (by_stamp_s, by_loss_s) if value is not None]
    asked_ns = begin.get("duration_ns")
    return CutSummary(
        asked_s=None if asked_ns is None else asked_ns / _NS,
        true_s=true_s,
        uncertainty_s=uncertainty_s,
        interval_s=record.interval_s,
        measured_s=by_stamp_s,
        measured_loss_s=by_loss_s,
        within=max(off) <= record.interval_s + uncertainty_s if off else None,
    )


def _middle(event: Event) -> tuple[int, int]:
    """When it was, and how far that may be off."""
    before, after = int(event.get("before_ns", event.t_ns)), int(event.get("after_ns", event.t_ns))
    return (before + after) // 2, (after - before + 1) // 2


def calibration(record: Record) -> Calibration | None:
    """The noise floor, from the measured steps of a calibration trial; None for any other."""
    begin_ns, end_ns = record.measured_span_ns
    trips = [trip for trip in record.trips if begin_ns <= trip.sent_ns <= end_ns]
    if record.info.scenario != CALIBRATION or len(trips) < 2:
        return None
    runs = loss_runs(trips)
    return Calibration(
        duration_s=(end_ns - begin_ns) / _NS,
        requests=len(trips),
        requests_per_s=round((len(trips) - 1) * _NS / (trips[-1].sent_ns - trips[0].sent_ns), 3),
        lost=sum(run.lost for run in runs),
        false_outages=len(runs),
        false_outage_s=sum((run.end_ns or trips[-1].sent_ns) - run.start_ns for run in runs) / _NS,
        advert_jitter=jitter(_advert_jitter_ns(record, begin_ns, end_ns)),
        probe_jitter=jitter(record.lateness_ns),
        round_trip=jitter([trip.rtt_ns for trip in trips if trip.rtt_ns is not None]),
        dropped=record.capture.dropped,
    )


def _advert_jitter_ns(record: Record, begin_ns: int, end_ns: int) -> list[int]:
    off: list[int] = []
    for host, node in record.info.nodes.items():
        interval_ns = round(node.advert_int_s * _NS)
        times = [advert.time_ns for advert in record.adverts_of(host) if begin_ns <= advert.time_ns <= end_ns]
        off += [abs(after - before - interval_ns) for before, after in pairwise(times)]
    return off


def jitter(values_ns: Sequence[int]) -> Jitter | None:
    """So many durations in a few numbers, None where there are none."""
    if not values_ns:
        return None
    seen = spread([value / _NS for value in values_ns], interval=False)
    return Jitter(n=seen.n, median_s=seen.median, p95_s=seen.p95, max_s=seen.max)
