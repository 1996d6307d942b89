"""One fault as a report shows it: its summary, who was master before and after, and where the time went."""

from __future__ import annotations

from viplab.analysis import outage
from viplab.analysis.fault_metrics import OneFault
from viplab.analysis.record import Record
from viplab.analysis.summary import Fault, FaultSummary
from viplab.analysis.views import FaultView
from viplab.analysis.waterfall import waterfall


def fault_view(record: Record, fault: Fault, until_ns: int, zero_ns: int) -> FaultView:
    """Work out one fault.

    Args:
        record: the trial's evidence.
        fault: what was done.
        until_ns: the moment up to which what happens is this fault's doing.
        zero_ns: the trial's zero.
    """
    one = OneFault(record, fault, until_ns)
    metrics = one.metrics()
    return FaultView(
        summary=FaultSummary(
            fault=fault,
            loss_runs=outage.summaries(one.loss_runs, fault),
            answers=outage.answers(record, one.trips),
            http=one.http(),
            **metrics.model_dump(),
        ),
        at_s=(fault.at_ns - zero_ns) / 1e9,
        old_master=one.old_master,
        new_master=one.new_master,
        timers=one.taker,
        outage=one.predicted[0] if isinstance(one.predicted, tuple) else None,
        unpredicted=one.predicted if isinstance(one.predicted, str) else None,
        moments=one.moments,
        waterfall=waterfall(one, metrics.outage_window_s, zero_ns),
    )
