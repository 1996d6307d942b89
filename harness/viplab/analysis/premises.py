"""What a trial takes for granted when its faults strike: who is master, and whom the client is with.

A pair that a busy machine has moved beforehand does not show what the scenario is about, however well it behaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from viplab.analysis.asked import steps, strikes
from viplab.analysis.broken_off import missed_words
from viplab.analysis.record import Record
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.witness import Rule
from viplab.faults import Effect, FaultKind, known
from viplab.types import LAST_BURST, TO_BE_MASTER, HostName

_STILL_ADVERTISES_INTERVALS = 1.5
_BURST_GAP_NS = 1_000_000_000
_SILENCES = (Effect.DAEMON_LOST, Effect.GIVES_UP, Effect.HOST_LOST)


def _two_masters_before(record: Record, views: Sequence[FaultView]) -> str | None:
    for view in views[:1]:
        masters, as_what = _masters(record, view.summary.fault.earliest_ns)
        if len(masters) > 1:
            return f"{' and '.join(sorted(masters))} were {as_what} just before the fault"
        if not masters:
            return f"no host was {as_what} just before the fault"
    return None


def _masters(record: Record, at_ns: int) -> tuple[set[str], str]:
    """Who is master at a moment, and in which words; where nobody advertises, the last one to announce the VIP."""
    if not record.info.advertises:
        claim = record.last_claim(at_ns)
        return {claim[1]} if claim else set(), "known by its announcement as master"
    heard = {
        host
        for host, node in record.info.nodes.items()
        for advert in record.adverts_of(host)
        if 0 <= at_ns - advert.time_ns < _STILL_ADVERTISES_INTERVALS * 1e9 * node.advert_int_s
    }
    return heard, "advertising as master"


def _client_elsewhere(record: Record, views: Sequence[FaultView]) -> str | None:
    """A client that was not with the master before the fault sees another outage than the master's."""
    for view in views[:1]:
        entry = record.client_entry(view.summary.fault.earliest_ns)
        if entry is None or entry == record.info.virtual_mac or view.old_master is None:
            continue
        host = record.host_by_mac(entry)
        if host != view.old_master:
            return f"before the fault the client sent to {host or entry}, and {view.old_master} was master"
    return None


def _another_master(record: Record, views: Sequence[FaultView]) -> str | None:
    """Where the steps had waited for a host to be master, and another one was when the fault struck."""
    for (kind, meant), view in zip(_meant(record), views, strict=False):
        if kind.name != view.summary.fault.kind:
            return None  # `as asked`, a witness, says how they differ
        if meant in record.info.nodes and view.old_master not in (None, meant):
            return f"{meant} was to be master at the {view.summary.fault}, and {view.old_master} was"
    return None


def _meant(record: Record) -> Iterator[tuple[FaultKind, HostName | None]]:
    """Each strike of the measured steps, with the host that was waited for to be master since the strike before it."""
    master = None
    for name, given in steps(record.asked, "setup"):
        master = _awaited(name, given) or master
    for name, given in steps(record.asked, "steps"):
        master = _awaited(name, given) or master
        kind = known().get(name)
        if kind is None or kind.effect is Effect.CLIENT_CUT:
            continue
        for _ in range(strikes(given)):
            yield kind, master
            master = None


def _awaited(name: str, given: Any) -> HostName | None:
    """The host that a wait wants to be master."""
    wanted = given.get("master") or given.get("announced") if name == "wait" and isinstance(given, dict) else None
    return wanted if isinstance(wanted, str) else None


def _struck_no_master(record: Record, views: Sequence[FaultView]) -> str | None:
    """A wait that was in vain says nothing where the host that should have been lost was not master."""
    for event in record.all("missed"):
        before = [view for view in views if view.summary.fault.at_ns < event.t_ns]
        if not before:
            continue
        fault, old = before[-1].summary.fault, before[-1].old_master
        if known()[fault.kind].effect in _SILENCES and old not in (None, fault.host):
            return f"{missed_words(event)}; but {old} was master when {fault} struck"
    return None


def _seen_after_all(record: Record, views: Sequence[FaultView]) -> str | None:
    """A wait in vain for what the captures have: the bench's own watch of the wire lost a frame of it."""
    for event in record.all("missed"):
        announced = [frame for frame in record.announcements if frame.time_ns < event.t_ns]
        claim = record.last_claim(event.t_ns)
        if not announced or claim is None or record.sender(announced[-1]) != claim[1]:
            continue
        host = claim[1]
        apart = pairwise(frame.time_ns for frame in announced if record.sender(frame) == host)
        bursts = 1 + sum(after - before > _BURST_GAP_NS for before, after in apart)
        if event["what"] == TO_BE_MASTER.format(host) or (
            event["what"] == LAST_BURST.format(host) and bursts >= (event.get("bursts") or record.garp_bursts(host))
        ):
            return f"{missed_words(event)}, although the captures have it"
    return None


PREMISES: tuple[Rule, ...] = (
    _two_masters_before,
    _another_master,
    _client_elsewhere,
    _struck_no_master,
    _seen_after_all,
)
