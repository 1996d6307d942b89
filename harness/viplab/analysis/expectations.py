"""What a scenario expects of a healthy pair (its `expect`), held against what the client saw.

An outage is a sum over all measured steps, as a service level agreement counts it, and fails a trial only where it is
longer than allowed by more than the stream resolves. What is not asked for is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from viplab.address_family import family_of
from viplab.analysis.application import tried
from viplab.analysis.record import Record
from viplab.analysis.streams import Trip, loss_runs
from viplab.analysis.timing_model import OUTAGE_SLACK_S
from viplab.types import HostName

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Miss:
    """An expectation that was not met; where it is one of seconds, by how many and when they were, in order."""

    reason: str
    by_s: float | None = None
    spells: tuple[tuple[int, int], ...] = ()


def owner_at_end(record: Record) -> HostName | None:
    """Whom the client reaches under the VIP at the end.

    The owner census knows when it has one owner. Where it has two, the client's neighbour entry decides; without a
    census, and where that entry is a virtual MAC, the last answer does.
    """
    until_ns = _until_ns(record)
    census = record.owners(record.start_ns, until_ns)
    if until_ns < record.end_ns and len(census) > 1:
        del census[-1]  # the look that the healing cut short
    if census:
        owners = census[-1][2]
        entry = record.client_entry(until_ns)
        reached = owners[0] if len(owners) == 1 else record.host_by_mac(entry) or entry
        if not owners or reached in owners:
            return reached if owners and reached in record.info.hosts else None
    answers = [echo for echo in record.echoes if not echo.request and echo.src_ip == record.info.vip]
    return record.host_by_mac(answers[-1].src_mac) if answers else None


def _wrong_owner(record: Record) -> Miss | None:
    expected, owner = _host(record, "owner"), owner_at_end(record)
    if expected in (None, owner):
        return None
    return Miss(f"{expected} should own {record.info.vip} at the end, {owner or 'nobody'} does")


def _wrong_instance(record: Record) -> Miss | None:
    """Where a further virtual router's address is at the end: by the client's entry, once it was asked."""
    asked, wanted = record.all("unanswered"), _expected(record).get("vrrp_instance")
    if not asked or not isinstance(wanted, dict):
        return None
    for name, vip in record.info.further.items():
        expected, entry = wanted.get(name), family_of(vip).entry(str(asked[-1].get("table", "")), vip)
        found = None if vip in asked[-1]["addresses"] else record.host_by_mac(entry) or entry
        if expected in record.info.hosts and found != expected:
            return Miss(f"{expected} should own {vip} of {name} at the end, {found or 'nobody'} does")
    return None


def _wrong_client(record: Record) -> Miss | None:
    expected = _host(record, "client")
    entry = record.client_entry(_until_ns(record))
    if expected is None or entry == record.info.virtual_mac:
        return None
    found = record.host_by_mac(entry) or entry
    return None if found == expected else Miss(f"the client should send to {expected} at the end, it sends to {found}")


def _not_serving(record: Record) -> Miss | None:
    expected = _expected(record).get("serving")
    if not isinstance(expected, list):
        return None
    last = {(event.get("service"), event.get("host")): event for event in record.all("service_started")}
    for (_, host), event in last.items():
        # A card with a virtual MAC has the address on a backup as well: nothing keeps a service from binding to it.
        if event["listens"] and record.info.virtual_mac:
            continue
        if event["listens"] != (host in expected):
            said = "" if event["listens"] else f": {event.get('said') or 'it said nothing'}"
            does, should = ("listens", "should not") if event["listens"] else ("does not listen", "should")
            return Miss(f"{event.get('service')} {does} on {host}, and {should}{said}")
    return None


def _broken(record: Record) -> Miss | None:
    allowed = _expected(record).get("broken")
    if not isinstance(allowed, int) or isinstance(allowed, bool):
        return None
    kept = [one for one in record.http if one.connection == "kept" and one.end_ns >= _since_ns(record)]
    broken = {one.line for one in kept if one.error not in (None, "unanswered")}
    return Miss(f"{len(broken)} connections kept open broke, allowed are {allowed}") if len(broken) > allowed else None


def _ping_outage(record: Record) -> Miss | None:
    return _outage(record, "ping_outage_s", "answers to the probe", record.trips, record.interval_s)


def _service_outage(record: Record) -> Miss | None:
    return _outage(
        record, "service_outage_s", "answers over HTTP", _service_trips(record), record.info.http_interval_s or 0.0
    )


def _service_trips(record: Record) -> list[Trip]:
    requests = tried(record.http, _since_ns(record), record.end_ns)
    return [Trip(one.n, one.sent_ns, None if one.error else one.total_ns, None) for one in requests]


def nothing_shows(record: Record) -> str | None:
    """Why an expectation cannot be held against what was seen: there is nothing that it would show in."""
    streams = {"ping_outage_s": record.trips, "service_outage_s": _service_trips(record)}
    for name, trips in streams.items():
        if _seconds(record, name) is not None and not trips:
            return f"nobody asked for answers, so that {name} cannot be held"
    if _host(record, "client") is not None and record.client_entry(_until_ns(record)) is None:
        return "where the client sends to at the end is not known, so that client cannot be held"
    return None


def _outage(record: Record, name: str, what: str, trips: Sequence[Trip], interval_s: float) -> Miss | None:
    allowed_s = _seconds(record, name)
    if allowed_s is None or not trips:
        return None
    last_ns = trips[-1].sent_ns
    runs = [run for run in loss_runs(trips) if (run.end_ns or last_ns) > _since_ns(record)]
    spells = tuple((max(run.start_ns, _since_ns(record)), run.end_ns or last_ns) for run in runs)
    outage_s = sum(until_ns - since_ns for since_ns, until_ns in spells) / _NS
    by_s = outage_s - allowed_s - OUTAGE_SLACK_S - 2 * interval_s
    return Miss(f"no {what} for {outage_s:.3f} s, allowed are {allowed_s:g} s", by_s, spells) if by_s > 0 else None


def _two_owners(record: Record) -> Miss | None:
    allowed_s = _seconds(record, "two_owners_s")
    if allowed_s is None:
        return None
    spells = []
    census = record.owners(_since_ns(record), _until_ns(record))
    for several, spell in groupby(census, key=lambda one: len(one[2]) > 1):
        if several:
            # From the first census that found two to the last: for so long it was for certain.
            begun_ns = [since_ns for since_ns, _, _ in spell]
            spells.append((begun_ns[0], begun_ns[-1]))
    seen_s = sum(until_ns - since_ns for since_ns, until_ns in spells) / _NS
    if seen_s <= allowed_s:
        return None
    said = f"two hosts owned {record.info.vip} for {seen_s:.2f} s, allowed are {allowed_s:g} s"
    return Miss(said, seen_s - allowed_s, tuple(spells))


def _since_ns(record: Record) -> int:
    """The beginning of the first measured step; what happens from there on counts."""
    return record.measured_span_ns[0]


def _until_ns(record: Record) -> int:
    """The trial's end, or when the bench healed what still lasted after the last step: what follows is none of it."""
    last_ns = record.measured_span_ns[1]
    return min((event.t_ns for event in record.all("fault_healed") if event.t_ns >= last_ns), default=record.end_ns)


def _host(record: Record, name: str) -> HostName | None:
    host = _expected(record).get(name)
    return host if isinstance(host, str) and host in record.info.hosts else None


def _seconds(record: Record, name: str) -> float | None:
    given = _expected(record).get(name)
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None


def _expected(record: Record) -> dict[object, object]:
    expected = record.asked.get("expect")
    return expected if isinstance(expected, dict) else {}


_EXPECTED: tuple[Callable[[Record], Miss | None], ...] = (
    _wrong_owner,
    _wrong_instance,
    _wrong_client,
    _not_serving,
    _broken,
    _ping_outage,
    _service_outage,
    _two_owners,
)


def misses(record: Record) -> list[Miss]:
    """The expectations of a trial's scenario that were not met."""
    return [miss for expected in _EXPECTED if (miss := expected(record))]
