"""What an application saw of one fault: its requests over new connections, and the connection that it had open.

A request belongs to the fault after which its fate was known. The metrics and their uncertainty are in docs/method.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from viplab.analysis.calibration import jitter
from viplab.analysis.outage import recovered_ns
from viplab.analysis.streams import IN_FLIGHT_NS, Trip, loss_runs
from viplab.analysis.summary import Application, Fault, KeptConnection, KeptConnections
from viplab.types import HttpRequest

# TCP on Linux sends nothing again sooner than this: an answer that took longer had lost a segment on the way.
SLOW_NS = 200_000_000
_NS = 1_000_000_000


def tried(requests: Sequence[HttpRequest], since_ns: int, until_ns: int) -> list[HttpRequest]:
    """The requests over new connections whose fate was known between two moments, in the order in which they began."""
    mine = (r for r in requests if r.connection == "new" and since_ns <= r.end_ns < until_ns)
    return sorted((r for r in mine if r.error != "unanswered"), key=lambda request: request.sent_ns)


def application(mine: Sequence[HttpRequest], fates: Sequence[KeptConnection | None], interval_s: float) -> Application:
    """What it saw of one fault, from the requests that `tried` gives and what became of each kept connection."""
    answered = [request for request in mine if request.error is None]
    return Application(
        interval_s=interval_s,
        requests=len(mine),
        failed=len(mine) - len(answered),
        errors=_counted(request.error for request in mine),
        slow=sum(request.total_ns > SLOW_NS for request in answered),
        answers=_counted(request.host for request in answered),
        connect=jitter([request.connect_ns for request in answered if request.connect_ns is not None]),
        total=jitter([request.total_ns for request in answered]),
        kept=fates[0] if fates else None,
        several=_several([fate for fate in fates if fate]) if len(fates) > 1 else None,
    )


def _several(fates: Sequence[KeptConnection]) -> KeptConnections:
    return KeptConnections(
        connections=len(fates),
        fates=_counted(one.error or one.fate for one in fates),
        noticed=jitter([round(one.after_s * _NS) for one in fates if one.after_s is not None]),
    )


def outage_s(requests: Sequence[HttpRequest]) -> float | None:
    """First failed request to the first answered one from which on none fails for five seconds, by when each began.

    Args:
        requests: as `tried` gives them.

    Returns:
        0 where none failed; None where it was not seen to end, and where there were no requests.
    """
    trips = [Trip(r.n, r.sent_ns, None if r.error else r.total_ns, None) for r in requests]
    runs = loss_runs(trips)
    if not runs:
        return 0.0 if trips else None
    over_ns = recovered_ns(runs, trips[-1].sent_ns)
    return None if over_ns is None else (over_ns - runs[0].start_ns) / _NS


def kept(requests: Sequence[HttpRequest], fault: Fault, until_ns: int) -> list[KeptConnection | None]:
    """What became of each connection that was kept open, by its number; None of one that was broken before."""
    lines = sorted({request.line for request in requests if request.connection == "kept"})
    return [_fate([one for one in requests if one.line == line], fault, until_ns) for line in lines]


def _fate(requests: Sequence[HttpRequest], fault: Fault, until_ns: int) -> KeptConnection | None:
    mine = [r for r in requests if r.connection == "kept" and r.end_ns >= fault.earliest_ns and r.sent_ns < until_ns]
    if not mine:
        return None
    last = mine[-1]
    ended = last.error != "unanswered" and last.end_ns < until_ns
    broke = ended and last.error is not None
    hung = not ended and last.error is not None and last.total_ns >= IN_FLIGHT_NS
    return KeptConnection(
        fate="broken" if broke else "hung" if hung else "kept",
        error=last.error if broke else None,
        after_s=(last.end_ns - fault.at_ns) / _NS if broke else None,
        waited_s=max(min(request.end_ns, until_ns) - request.sent_ns for request in mine) / _NS,
        answers=_counted(request.host for request in mine),
    )


def _counted(words: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(word for word in words if word).items()))
