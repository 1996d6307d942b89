"""What a host can explain that waited for a processor: of a daemon that had none, nothing is decided.

Each rule looks at what would fail a trial, and at how long the hosts waited at that time (`run_delay`, twice a second).
A wait is counted for all of a host's threads together, and from the look before to the look after: it is the most that
the daemon may have waited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from viplab.analysis.broken_off import missed_words
from viplab.analysis.calibration import cuts
from viplab.analysis.expectations import misses
from viplab.analysis.record import Record
from viplab.analysis.summary import CutSummary
from viplab.analysis.timing_model import (
    OUTAGE_SLACK_S,
    allowed_excess_s,
    allowed_outage_s,
    beyond_s,
    down_interval_ns,
)
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.witness import Rule
from viplab.subjects.family import Family
from viplab.types import HostName

_NS = 1_000_000_000
# A host that waits for this share of a Master_Down_Interval may lose what it holds, or take what it should not.
_STANDS_STILL_SHARE = 0.5
# The census looks for an owner for so long at the end, and may not see one that waits for so much of it.
_LAST_LOOKS_NS, _LAST_LOOKS_WAITED_NS = 1_500_000_000, 250_000_000
# Set-up checks that an answer in time decides.
_TIMED_CHECKS = ("P5", "P9", "P10")


def _off_its_time(record: Record, views: Sequence[FaultView]) -> str | None:
    """An outage or a first advert that is off its window by no more than both masters waited."""
    for view in views:
        off_s = max(_off_s(record, view))
        hosts = [host for host in (view.new_master, view.old_master) if host is not None]
        if not off_s or not hosts:
            continue
        # A timer that ends too early began too early, with an advert that was not heard: look as far back.
        since_ns = view.summary.fault.earliest_ns - _down_ns(record)
        until_ns = view.moments.first_answer_ns or record.end_ns
        waits = {host: record.run_delays.waited_ns(host, since_ns, until_ns) for host in hosts}
        if off_s * _NS <= sum(waits.values()):
            said = _waited(max(hosts, key=waits.__getitem__), max(waits.values()))
        elif off_s * _NS <= (stalled_ns := _uncounted_ns(record, since_ns, until_ns)):
            said = _stalled(stalled_ns)
        else:
            continue
        return f"{said} around the {view.summary.fault}, after which something was {off_s:.2f} s off its time"
    return None


def _off_s(record: Record, view: FaultView) -> Iterator[float]:
    """By how much an outage and a deadline are off what a trial may show that passes; 0 where they are not."""
    measured, window, excess = (
        view.summary.outage_s,
        view.summary.outage_window_s,
        view.summary.deadline_excess_s,
    )
    yield 0.0
    if measured is not None and window is not None:
        yield beyond_s(measured, allowed_outage_s(window, record.interval_s))
    if excess is not None:
        yield beyond_s(excess, allowed_excess_s(record.held_back_s))


def _expectation(record: Record, views: Sequence[FaultView]) -> str | None:
    """An expectation missed while hosts stood still, or by no more than they waited around it and faults took."""
    since_ns = record.measured_span_ns[0] - _down_ns(record)
    looked_ns = max((event.t_ns for event in record.all("owners")), default=record.end_ns)
    for miss in misses(record):
        if miss.by_s is not None:
            around = _around(record, miss.spells)
            waits = {host: _in(around, partial(record.run_delays.waited_ns, host)) for host in record.info.nodes}
            if miss.by_s * _NS <= sum(waits.values()) + _commands_ns(record):
                host = max(waits, key=waits.__getitem__)
                return f"{_waited(host, waits[host])}: {miss.reason}"
            if miss.by_s * _NS <= (stalled_ns := _in(around, partial(_uncounted_ns, record))):
                return f"{_stalled(stalled_ns)}: {miss.reason}"
        # What is written after the last look, as logs are collected, is none of the end.
        elif still := _stood_still(record, since_ns, record.end_ns) or _silent_at(record, looked_ns):
            return f"{still}: {miss.reason}"
    return None


def _around(record: Record, spells: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """These spells and a Master_Down_Interval before each, none of it twice."""
    found, counted_ns = [], record.start_ns
    for since_ns, until_ns in spells:
        found.append((max(counted_ns, since_ns - _down_ns(record)), until_ns))
        counted_ns = until_ns
    return found


def _in(spells: Sequence[tuple[int, int]], waited_ns: Callable[[int, int], int]) -> int:
    return sum(waited_ns(since_ns, until_ns) for since_ns, until_ns in spells)


def _uncounted_ns(record: Record, since_ns: int, until_ns: int) -> int:
    """The most that processes waited which a daemon starts to move the address: as long as anybody on the machine."""
    starts = (isinstance(family, Family) and family.starts_processes for family in record.families.values())
    return record.run_delays.stalled_ns(since_ns, until_ns) if any(starts) else 0


def _lasted(record: Record, views: Sequence[FaultView]) -> str | None:
    """An expectation of a fault that was to last so long, and was put right later than that."""
    missed = misses(record)
    for begin, end, kind in record.injected if missed else ():
        asked_ns = begin.get("duration_ns")
        if end is None or asked_ns is None:
            continue
        lasted_ns = int(end.get("after_ns") or end.t_ns) - int(begin.get("before_ns") or begin.t_ns)
        if lasted_ns - asked_ns > OUTAGE_SLACK_S * _NS:
            said = kind.said(begin.get("host"))
            return f"{said} for {lasted_ns / _NS:.2f} s, {asked_ns / _NS:g} s were asked for: {missed[0].reason}"
    return None


def _commands_ns(record: Record) -> int:
    """How long the faults' own commands took: what they start and what ends with them waits uncounted."""
    return sum(fault.width_ns for fault in record.faults)


def _silent_at(record: Record, at_ns: int) -> str | None:
    """A host that may not have answered at the end, which was then, since it waited for a processor."""
    since_ns = at_ns - _LAST_LOOKS_NS
    waits = {host: record.run_delays.waited_ns(host, since_ns, at_ns) for host in record.info.nodes}
    host = max(waits, key=waits.__getitem__)
    return f"{_waited(host, waits[host])} at the end" if waits[host] > _LAST_LOOKS_WAITED_NS else None


def _unanswered(record: Record, views: Sequence[FaultView]) -> str | None:
    """Addresses that did not answer at the end, of hosts that could not."""
    for event in record.all("unanswered"):
        if event["addresses"] and (busy := _silent_at(record, event.t_ns)):
            return f"{busy}: not every virtual address answered then"
    return None


def _wait_in_vain(record: Record, views: Sequence[FaultView]) -> str | None:
    """A host that did not do what was waited for, or that others did not hear, since one of them had no processor."""
    for event in record.all("missed"):
        since_ns = event.t_ns - round(event["within_s"] * _NS)
        if still := _stood_still(record, since_ns - _down_ns(record), event.t_ns):
            return f"{still}: {missed_words(event)}"
    return None


def _set_up_check(record: Record, views: Sequence[FaultView]) -> str | None:
    for event in record.all("check"):
        failed = event.get("ok") is False and event.get("claim") in _TIMED_CHECKS
        if failed and (still := _stood_still(record, record.start_ns, record.end_ns)):
            return f"{still}: the set-up check {event.get('claim')} failed"
    return None


def _cut(record: Record, views: Sequence[FaultView]) -> str | None:
    """A cut whose measured length is off by no more than requests were late or hosts waited."""
    late_ns = max(record.lateness_ns, default=0)
    whole = [(begin.t_ns, end.t_ns) for begin, end in record.client_cuts if end is not None]
    for cut, (since_ns, until_ns) in zip(cuts(record), whole, strict=True):
        if cut.within is not False:
            continue
        off_s = _off_by_s(cut)
        waits = [record.run_delays.waited_ns(host, since_ns, until_ns) for host in record.info.nodes]
        if off_s * _NS <= late_ns + max(waits):
            return (
                f"the host was overloaded: requests were up to {late_ns / 1e6:.0f} ms late, and a cut of "
                f"{cut.true_s:.3f} s was measured {off_s:.3f} s off"
            )
    return None


def _off_by_s(cut: CutSummary) -> float:
    return max(abs(value - cut.true_s) for value in (cut.measured_s, cut.measured_loss_s) if value is not None)


def _stood_still(record: Record, since_ns: int, until_ns: int) -> str | None:
    """The host that waited longest within one Master_Down_Interval, where that was too long for it to keep time."""
    down_ns = _down_ns(record)
    longest_ns, host = max(
        (record.run_delays.longest_ns(host, since_ns, until_ns, down_ns), host) for host in record.info.nodes
    )
    return _waited(host, longest_ns) if longest_ns > _STANDS_STILL_SHARE * down_ns else None


def _down_ns(record: Record) -> int:
    """The shortest Master_Down_Interval of the trial's hosts."""
    return min(down_interval_ns(node, record.info.protocol) for node in record.info.nodes.values())


def _stalled(stalled_ns: int) -> str:
    return f"the host was overloaded: what moves the address may have waited {stalled_ns / _NS:.2f} s for a processor"


def _waited(host: HostName, waited_ns: int) -> str:
    return f"the host was overloaded: {host} waited {waited_ns / _NS:.2f} s for a processor"


BUSY: tuple[Rule, ...] = (_off_its_time, _wait_in_vain, _expectation, _lasted, _unanswered, _set_up_check, _cut)
