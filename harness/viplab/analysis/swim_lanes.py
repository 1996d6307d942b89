"""The swim lanes of a trial: what each host was at, who owned the VIP, whom the client would have sent to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, chain, pairwise

from viplab.analysis.record import Record
from viplab.analysis.views import Interval, SwimLane
from viplab.faults import Manner, fault_kind
from viplab.types import HostName

# Until adverts of one host are this many intervals apart it is held to be advertising throughout.
_SILENT_AFTER = 2.5

Span = tuple[int, int, str]


def swim_lanes(record: Record, zero_ns: int) -> list[SwimLane]:
    """A swim lane a host, the owners' and the client's, in the order in which a plot shows them."""
    spans: list[tuple[str, str, Iterable[Span]]] = [
        *((host, f"host {host}", _host(record, host)) for host in record.info.hosts),
        ("owners", f"answers {record.family.resolution} for {record.info.vip}", _owners(record)),
        ("client", f"the client's {record.family.resolution} entry", _client(record)),
    ]
    return [
        SwimLane.model_validate({"name": name, "label": label, "intervals": _relative(_merged(parts), zero_ns)})
        for name, label, parts in spans
    ]


def _host(record: Record, host: HostName) -> list[Span]:
    """Silent is what is left between the times when the daemon was off and those when it was heard."""
    idle = "silent" if host in record.info.nodes else "no daemon"
    claims = _advertising(record, host) if record.info.advertises else _answering(record, host)
    edges = sorted({record.start_ns, record.end_ns, *_edges(claims), *_edges(off := _off(record, host))})
    # What was heard outranks what was ordered: a daemon that is told to stop goes on until it does.
    heard, ordered = _covered(claims), _covered(off)
    return [
        (start_ns, end_ns, heard(start_ns) or ordered(start_ns) or idle)
        for start_ns, end_ns in pairwise(edges)
        if start_ns < end_ns
    ]


def _covered(spans: list[Span]) -> Callable[[int], str | None]:
    """Gives the label at a moment, of spans of one label in the order in which they start; they may overlap."""
    starts = [start_ns for start_ns, _, _ in spans]
    ends = list(accumulate((end_ns for _, end_ns, _ in spans), max))

    def label(at_ns: int) -> str | None:
        begun = bisect_right(starts, at_ns)
        return spans[0][2] if begun and at_ns < ends[begun - 1] else None

    return label


def _edges(spans: list[Span]) -> list[int]:
    return [moment for start_ns, end_ns, _ in spans for moment in (start_ns, end_ns)]


def _advertising(record: Record, host: HostName) -> list[Span]:
    """Runs of adverts; each lasts an interval beyond its last advert unless the host gave up or was cut off before."""
    faults = [(fault, fault_kind(fault.kind)) for fault in (*record.setup_faults, *record.faults) if fault.host == host]
    nodes = record.info.nodes
    # A host without the daemon may send adverts all the same; it is measured by the others' interval.
    interval_ns = round(nodes.get(host, next(iter(nodes.values()))).advert_int_s * 1_000_000_000)
    gave_up = (advert for advert in record.adverts if not advert.priority and record.advertiser(advert) == host)
    others = (advert for advert in record.adverts if advert.priority and record.advertiser(advert) != host)
    # Told to stop or to shut down, a daemon goes on for a while; of these it knows nothing.
    cut_off = (fault.at_ns for fault, kind in faults if kind.ends_daemon and kind.manner is Manner.AT_ONCE)
    ends = sorted([*cut_off, *(advert.time_ns for advert in chain(gave_up, others)), record.end_ns])
    spans: list[Span] = []
    for advert in record.adverts_of(host):
        lasts_ns = _next(ends, advert.time_ns, record.end_ns)
        until_ns = min(advert.time_ns + interval_ns, lasts_ns)
        if record.end_ns - advert.time_ns < _SILENT_AFTER * interval_ns:
            # The captures end a little before the trial does.
            until_ns = lasts_ns
        if (
            spans
            and advert.time_ns - spans[-1][1] < (_SILENT_AFTER - 1) * interval_ns
            and _next(ends, spans[-1][0], advert.time_ns + 1) > advert.time_ns
        ):
            spans[-1] = (spans[-1][0], until_ns, "advertising")
        else:
            spans.append((advert.time_ns, until_ns, "advertising"))
    return spans


def _answering(record: Record, host: HostName) -> list[Span]:
    """While the owner census has it answer for the VIP, which is all that is seen of one that does not advertise."""
    return [
        (start_ns, end_ns, "answering")
        for start_ns, end_ns, owners in record.owners(record.start_ns, record.end_ns)
        if host in owners
    ]


def _off(record: Record, host: HostName) -> list[Span]:
    """From the start of the trial, or the end of a daemon, to its next start; none where no start was noted."""
    faults = [(fault, fault_kind(fault.kind)) for fault in (*record.setup_faults, *record.faults) if fault.host == host]
    started = [event.t_ns for event in record.all("daemon_started") if event.get("host") == host]
    started += [fault.at_ns for fault, kind in faults if kind.begins_daemon]
    stopped = [fault.at_ns for fault, kind in faults if kind.ends_daemon]
    # One that came from memory runs from the beginning.
    restored = any(host in event["hosts"] for event in record.all("restored"))
    stopped += [record.start_ns] if started and not restored else []
    started.sort()
    return [(stop, _next(started, stop, record.end_ns), "off") for stop in sorted(stopped)]


def _next(moments: list[int], after_ns: int, otherwise_ns: int) -> int:
    """The first of the sorted moments that is later."""
    index = bisect_right(moments, after_ns)
    return moments[index] if index < len(moments) else otherwise_ns


def _owners(record: Record) -> list[Span]:
    return [
        (start_ns, end_ns, "+".join(sorted(owners)) or "none")
        for start_ns, end_ns, owners in record.owners(record.start_ns, record.end_ns)
    ]


def _client(record: Record) -> list[Span]:
    edges = [moment_ns for moment_ns, _ in record.client_entries] + [record.end_ns]
    return [
        (start_ns, end_ns, _name(record, mac) if (mac := record.client_entry(start_ns)) else "none")
        for start_ns, end_ns in pairwise(edges)
    ]


def _name(record: Record, mac: str) -> str:
    return record.host_by_mac(mac) or mac


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start_ns, end_ns, label in spans:
        if merged and merged[-1][2] == label and merged[-1][1] == start_ns:
            merged[-1] = (merged[-1][0], end_ns, label)
        else:
            merged.append((start_ns, end_ns, label))
    return merged


def _relative(spans: list[Span], zero_ns: int) -> list[Interval]:
    return [
        Interval(start_s=(start_ns - zero_ns) / 1e9, end_s=(end_ns - zero_ns) / 1e9, label=label)
        for start_ns, end_ns, label in spans
    ]
