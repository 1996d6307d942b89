"""One fault told in sentences, each of them made of measured moments; what was not measured is said, not skipped."""

from __future__ import annotations

from collections.abc import Iterator

from viplab.address_family import AddressFamily, family_of
from viplab.analysis.views import FaultView, TrialView
from viplab.metrics import METRICS
from viplab.report import application, units
from viplab.report.timeline import fault_words


def tell(trial: TrialView, fault: FaultView) -> list[str]:
    """What happened at and after one fault, in order."""
    family = family_of(trial.info.vip)
    return [
        *_fault(fault),
        *(_advertised(fault, family) if trial.info.advertises else _announced(fault, family)),
        *_client(trial, fault),
        *application.sentences(fault.summary),
    ]


def _fault(fault: FaultView) -> Iterator[str]:
    summary, struck = fault.summary, fault.summary.fault
    earliest_s = fault.at_s - (struck.at_ns - struck.earliest_ns) / 1e9
    since = units.within_fault(summary.x_s, METRICS["x_s"], struck)
    after = f", {since} after the last advert of {fault.old_master}" if since and fault.old_master else ""
    later = units.seconds(struck.width_ns / 1e9)
    yield f"At {units.moment(earliest_s)} s, or up to {later} later: {fault_words(fault)}{after}."
    if fault.summary.priority_zero:
        number = units.count(fault.summary.priority_zero, "advert")
        yield f"{fault.old_master or 'The old master'} gave up its role with {number} of priority 0."


def _advertised(fault: FaultView, family: AddressFamily) -> Iterator[str]:
    yield from _takeover(fault)
    yield from _announcement(fault, family)


def _takeover(fault: FaultView) -> Iterator[str]:
    old, new, summary = fault.old_master, fault.new_master, fault.summary
    if new is None or new == old:
        yield _nobody(old)
        return
    if summary.detection_s is None:
        yield f"{new} became master; when it sent its first advert was not measured."
        return
    detected = units.within_fault(summary.detection_s, METRICS["detection_s"], summary.fault)
    sentence = f"{new} sent its first advert {detected} after the fault"
    if summary.deadline_excess_s is not None:
        late = "late" if summary.deadline_excess_s >= 0 else "early"
        size = units.seconds(abs(summary.deadline_excess_s))
        sentence += f", {size} {late} by its own timers"
        if summary.expected_down_interval_s is not None and not summary.priority_zero:
            sentence += f" (down interval {units.seconds(summary.expected_down_interval_s)})"
    yield sentence + "."


def _announcement(fault: FaultView, family: AddressFamily) -> Iterator[str]:
    if fault.new_master is None or fault.new_master == fault.old_master:
        return
    announce, switch = units.seconds(fault.summary.announce_s), units.seconds(fault.summary.client_switch_s)
    advert_ns, announced_ns = fault.moments.first_advert_ns, fault.moments.first_garp_ns
    if announce is None and advert_ns and announced_ns and announced_ns < advert_ns:
        early = units.seconds((advert_ns - announced_ns) / 1e9)
        yield f"Its first {family.announcement} was {early} ahead of that advert."
        return
    if announce is None:
        yield f"When it announced the address by {family.announcement} was not measured."
        return
    then = f", and the client’s {family.resolution} entry changed {switch} after that" if switch else ""
    yield f"Its first {family.announcement} followed {announce} after that advert{then}."


def _announced(fault: FaultView, family: AddressFamily) -> Iterator[str]:
    """Takeover and announcement where nobody advertises, and the one is known by the other."""
    new, announced_ns = fault.new_master, fault.moments.first_garp_ns
    if new is None or announced_ns is None:
        yield _nobody(fault.old_master)
        return
    after_s = (announced_ns - fault.summary.fault.at_ns) / 1e9
    switch = units.seconds(fault.summary.client_switch_s)
    then = f", and the client’s {family.resolution} entry changed {switch} after that" if switch else ""
    yield f"{new} announced the address by {family.announcement} {units.seconds(after_s)} after the fault{then}."


def _nobody(old: str | None) -> str:
    return f"Nobody took over; {old} stayed master." if old else "No takeover was seen."


def _client(trial: TrialView, fault: FaultView) -> Iterator[str]:
    outage, both = fault.summary.outage_s, fault.summary.dual_owner_s
    if outage is None:
        yield "Whether the client went without an answer was not measured."
    elif outage == 0:
        yield "The client was never without an answer."
    else:
        yield f"The client was without an answer for {units.seconds(outage)}{_expected(fault)}."
    if both:
        yield f"For {units.seconds(both)} more than one host answered for the address."


def _expected(fault: FaultView) -> str:
    window = units.span(fault.summary.outage_window_s)
    return f"; the timers predict {window}" if window else ""
