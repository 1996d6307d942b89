"""The HTTP probe's own record against its account, its schedule, and what the echo requests saw meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from viplab.analysis.record import Record
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.requests import around
from viplab.analysis.witnesses.witness import Witness

# The program says that it starts as its first request is due.
_STARTED_NS = 100_000_000
_GRID_NS = 1_000
_FEW = 3
_NEAR_NS = 1_000_000_000
# Without a word from the other end.
_SILENT = frozenset({"timeout", "refused", "unreachable"})


def _account(record: Record, views: Sequence[FaultView]) -> str | None:
    started, stopped = record.all("http_started"), record.all("http_stopped")
    if not started:
        return (
            "HTTP requests were asked for, and the timeline says nothing of them"
            if record.info.http_interval_s
            else None
        )
    if not stopped:
        return "the HTTP probe does not say how many requests it sent"
    sent = stopped[-1].get("sent")
    if sent != len(record.http):
        return f"http.jsonl has {len(record.http)} of the {sent} requests that the HTTP probe sent"
    if not record.http:
        return None
    interval_ns = round((record.info.http_interval_s or 0) * 1e9)
    first = min(record.http, key=lambda request: request.n)
    start_ns = first.due_ns - first.n * interval_ns
    if abs(start_ns - started[0].t_ns) > _STARTED_NS:
        return f"the HTTP probe began {(start_ns - started[0].t_ns) / 1e9:+.3f} s from where the timeline says"
    for request in record.http:
        if (
            abs(request.due_ns - start_ns - request.n * interval_ns) > _GRID_NS
            or request.sent_ns < request.due_ns - _GRID_NS
        ):
            return f"HTTP request {request.n} was due or sent off the schedule"
        if request.error is None and request.host is None:
            return f"HTTP request {request.n} was answered by nobody"
    return None


def _same_outage(record: Record, views: Sequence[FaultView]) -> str | None:
    probe = record.streams["probe"]
    if record.info.probe_kind != "icmp" or not probe:
        return None
    times = [trip.sent_ns for trip in probe]
    changes = [event.t_ns for event in record.all("neighbour")]
    # The way from the host that has the address to the one that serves may be out while the first answers.
    behind = any(request.host not in (None, *record.info.nodes) for request in record.http)
    for request in record.http:
        if request.connection != "new":
            continue
        near = around(probe, times, request.sent_ns, request.end_ns)
        if len(near) < _FEW:
            continue
        if request.error is None and all(trip.rtt_ns is None for trip in near):
            return f"HTTP request {request.n} was answered while all requests of the probe were lost"
        if request.error == "refused" and _serves_nothing(record, {trip.mac for trip in near}):
            continue
        if request.error not in _SILENT or behind or any(trip.rtt_ns is None for trip in near):
            continue
        # A connection dies with the host that took it, and a host that is shut down ends its services first; a client
        # that knows a virtual MAC changes no entry then.
        since_ns, until_ns = request.sent_ns - _NEAR_NS, request.end_ns + _NEAR_NS
        answering = {trip.mac for trip in around(probe, times, since_ns, until_ns) if trip.mac}
        if len(answering) < 2 and not any(since_ns < at_ns < until_ns for at_ns in changes):
            return f"HTTP request {request.n} failed while all requests of the probe were answered"
    return None


def _serves_nothing(record: Record, macs: Collection[str | None]) -> bool:
    """Whether what should be served on the host that answers the probe did not start: its kernel refuses then."""
    hosts = {record.host_by_mac(mac) for mac in macs}
    return any(event.get("host") in hosts and not event["listens"] for event in record.all("service_started"))


def _same_host(record: Record, views: Sequence[FaultView]) -> str | None:
    probe = record.streams["probe"]
    times = [trip.sent_ns for trip in probe]
    for request in record.http:
        # A host behind a balancer that speaks no HTTP does not say which of them had the address.
        if request.connection != "new" or request.host not in record.info.nodes:
            continue
        near = around(probe, times, request.sent_ns - _NEAR_NS, request.end_ns + _NEAR_NS)
        macs = {mac for trip in near for mac in (trip.mac, *trip.also) if mac}
        hosts = {record.host_by_mac(mac) for mac in macs}
        if len(near) >= _FEW and None not in hosts and hosts and request.host not in hosts:
            return f"HTTP request {request.n} was answered by {request.host}, and no request of the probe around it"
    return None


WITNESSES = (
    Witness(
        name="HTTP requests",
        compares="`http.jsonl` with the number of requests sent, their schedule and its beginning",
        needs="`http_started` and `http_stopped`, where HTTP was asked for",
        tolerance="100 ms from the start",
        rule=_account,
    ),
    Witness(
        name="HTTP and probe",
        compares="the fate of each HTTP request with that of the probe's requests around it",
        needs="-",
        tolerance="150 ms either side; excused is a failure within 1 s of a change of the client's entry or of who"
        " answers, and where hosts behind those with the address serve",
        rule=_same_outage,
    ),
    Witness(
        name="HTTP and hosts",
        compares="which host says that it answered with who answered the probe",
        needs="-",
        tolerance="1 s",
        rule=_same_host,
    ),
)
