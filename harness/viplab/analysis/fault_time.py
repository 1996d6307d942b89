"""When a fault struck: not a point but an interval, which the packets narrow where they say more than the clocks.

The bench reads its clock before and after it lets a fault go, and a fault inside a guest sends a marker the moment
before it acts. On a busy host a third of a second may lie between that and the fault itself. An advert of the host that
was struck, sent meanwhile, says that it had not struck yet: what was really sent outranks what was ordered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from viplab.analysis.summary import Fault
from viplab.capture.frames import Datagram
from viplab.faults import Effect, Manner, fault_kind
from viplab.types import Event


def dated(event: Event, markers: Iterable[Datagram]) -> Fault:
    """The fault of a `fault_injected`, dated by its marker or else by the clock reads around it."""
    before, after = int(event.get("before_ns", event.t_ns)), int(event.get("after_ns", event.t_ns))
    token = event.get("marker")
    for marker in markers if token else ():
        if str(token).encode() in marker.payload:
            return Fault(
                kind=event["kind"],
                host=event.get("host"),
                at_ns=marker.time_ns,
                uncertainty_ns=max(0, after - marker.time_ns),
                dated_by="marker",
            )
    half = (after - before) // 2
    return Fault(kind=event["kind"], host=event.get("host"), at_ns=before + half, uncertainty_ns=half)


def narrowed(fault: Fault, own_ns: Sequence[int], others_ns: Sequence[int]) -> Fault:
    """The same fault, not before the last advert that the host which it silences still sent within its interval.

    Args:
        fault: as it was dated.
        own_ns: when the host that it struck claimed to be master.
        others_ns: when other hosts did; an advert after one of theirs is no part of the story.
    """
    kind = fault_kind(fault.kind)
    silences = kind.effect in (Effect.DAEMON_LOST, Effect.GIVES_UP, Effect.HOST_LOST)
    # One that may go on until it has cleaned up is not dated by what it sends on its way.
    if not silences or kind.manner is Manner.LATER:
        return fault
    taken_ns = min((at_ns for at_ns in others_ns if at_ns > fault.earliest_ns), default=fault.latest_ns + 1)
    sent = [at_ns for at_ns in own_ns if fault.earliest_ns < at_ns <= fault.latest_ns and at_ns < taken_ns]
    if not sent:
        return fault
    last_ns = max(sent)
    return fault.model_copy(
        update={"at_ns": last_ns, "uncertainty_ns": fault.latest_ns - last_ns, "dated_by": "advert"}
    )
