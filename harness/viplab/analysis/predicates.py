"""What claims and puzzles may ask about a trial: named values, each None where it was not measured.

They are the metrics of its faults (`viplab.metrics`) and what is defined here: each group of predicates is a table of
names with what they mean, and below it the function that gives the values.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from statistics import median

from viplab.analysis.comparison import Value
from viplab.analysis.frame_rows import Resolution, resolution
from viplab.analysis.record import Record
from viplab.analysis.timing_model import skew_ns
from viplab.analysis.views import FaultView, RoundTrip, TrialView
from viplab.metrics import SECOND, Shown, shown_in
from viplab.types import HostName

# So many replies on either side of the first one from the new master are its neighbours.
_NEIGHBOURS = 4
# Announcements that are further apart than this belong to two bursts.
_BURST_NS = 2_000_000_000


_CHECKS = {
    "P1": "the set-up check of that claim held (so P1 to P10)",
    "P1_detail": "what that check saw (so P1_detail to P10_detail)",
}


def _checks(record: Record) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for number in range(1, 11):
        found = [event for event in record.all("check") if event.get("claim") == f"P{number}"]
        held = [event.get("ok") for event in found]
        values[f"P{number}"] = all(held) if held and None not in held else None
        values[f"P{number}_detail"] = "; ".join(str(event.get("detail")) for event in found) or None
    return values


_PING = {
    "ping_sent": "requests of the ping each second, by its transcript",
    "ping_received": "replies, by its transcript",
    "ping_lost": "the difference",
    "ping_lost_run": "longest run of consecutive lost sequence numbers",
    "ping_lost_seqs": "the lost sequence numbers",
    "ping_rtt_ms": "min/avg/max/mdev as ping printed them",
}


def _ping(view: TrialView) -> dict[str, Value]:
    if view.ping is None:
        return _not_measured(_PING)
    ping, rtt = view.ping.summary, view.ping.summary.rtt_ms
    # Consecutive numbers share their distance to a count.
    runs = [len(list(run)) for _, run in groupby(enumerate(ping.lost_seqs), lambda pair: pair[1] - pair[0])]
    return {
        "ping_sent": ping.sent,
        "ping_received": ping.received,
        "ping_lost": ping.sent - ping.received,
        "ping_lost_run": max(runs, default=0),
        "ping_lost_seqs": ", ".join(map(str, ping.lost_seqs[:20])) or "none",
        "ping_rtt_ms": f"{rtt.min:g}/{rtt.avg:g}/{rtt.max:g}/{rtt.mdev:g}" if rtt else None,
    }


_CONFIGURED = {
    "lab": "what the hosts are: `libvirt` for guests, `netns` for namespaces",
    "subject": "what was tested, with its version",
    "priority_a": "configured priority of A",
    "priority_b": "configured priority of B",
    "priorities_equal": "whether they are equal",
    "skew_s": "skew time of the host that took over",
}


def _configured(record: Record, head: FaultView | None) -> dict[str, Value]:
    nodes = record.info.nodes
    priorities = [nodes[host].priority if host in nodes else None for host in ("A", "B")]
    timers = head.timers if head else None
    return {
        "lab": record.info.lab,
        "subject": f"{record.info.subject} {record.info.subject_version}",
        "priority_a": priorities[0],
        "priority_b": priorities[1],
        "priorities_equal": None if None in priorities else priorities[0] == priorities[1],
        "skew_s": skew_ns(timers, record.info.protocol) / 1e9 if timers else None,
    }


_FAULT = {
    "fault": "the fault",
    "old_master": "who advertised before the fault",
    "new_master": "who began to advertise after it; `none` where nobody else did",
    "outage_low_s": "lowest outage that the model predicts",
    "outage_high_s": "highest outage that the model predicts",
    "outage_error_s": "how far the outage lies outside that window; 0 within",
    "down_interval_measured_s": "`expected_down_interval_s` and `deadline_excess_s` together",
}


def _fault(view: FaultView | None) -> dict[str, Value]:
    metrics = shown_in(Shown.CLAIMS)
    if view is None:
        return _not_measured([*_FAULT, *metrics])
    summary = view.summary
    window, due_s, excess_s = summary.outage_window_s, summary.expected_down_interval_s, summary.deadline_excess_s
    return {
        "fault": str(summary.fault),
        "old_master": view.old_master or "none",
        "new_master": view.new_master or "none",
        "outage_low_s": window[0] if window else None,
        "outage_high_s": window[1] if window else None,
        "outage_error_s": _outside(summary.outage_s, window),
        "down_interval_measured_s": None if due_s is None or excess_s is None else due_s + excess_s,
        **{name: getattr(summary, name) for name in metrics},
    }


def _outside(value: float | None, window: tuple[float, float] | None) -> float | None:
    """How far a value lies outside a window: 0 within it, negative below, positive above."""
    if value is None or window is None:
        return None
    return min(0.0, value - window[0]) + max(0.0, value - window[1])


_CLIENT = {
    "client_before": "host in the client's neighbour table at the fault",
    "client_after": "the same when the headline fault's time is over",
    "arp_before": "host in `arp -an`, or `ip -6 neighbour`, before the steps",
    "arp_after": "the same after the steps",
    "ping_sent_first": "requests of the ping between the headline fault and the next one, by the capture",
    "ping_lost_first": "those of them that were not answered",
}


def _client(record: Record, view: TrialView, head: FaultView | None) -> dict[str, Value]:
    if head is None:
        return _not_measured(_CLIENT)
    fault, until_ns = next(record.windows())
    until_s = (until_ns - view.zero_ns) / 1e9
    first = [trip for trip in view.ping_trips if head.at_s <= trip.sent_s < until_s]
    return {
        "client_before": _named(record, record.client_entry(fault.earliest_ns)),
        "client_after": _named(record, record.client_entry(until_ns)),
        "arp_before": _named(record, record.family.entry(view.arp_before or "", record.info.vip)),
        "arp_after": _named(record, record.family.entry(view.arp_after or "", record.info.vip)),
        "ping_lost_first": sum(trip.rtt_ms is None for trip in first) if first else None,
        "ping_sent_first": len(first) if first else None,
    }


_ANNOUNCEMENT = {
    "garp_to": "MAC that the first announcement of the new master (gratuitous ARP, or ND) was sent to",
    "garp_burst": "announcements of the new master within 2 s of the first",
    "second_burst_s": "first announcement to the first one of the next burst",
}


def _announcement(record: Record, view: TrialView, head: FaultView | None) -> dict[str, Value]:
    first_ns = head.moments.first_garp_ns if head else None
    if first_ns is None:
        return _not_measured(_ANNOUNCEMENT)
    frames = [frame for frame in record.announcements if frame.time_ns >= first_ns]
    own = [frame for frame in frames if frame.src_mac == frames[0].src_mac]
    later = [frame.time_ns for frame in own if frame.time_ns - first_ns > _BURST_NS]
    return {
        "garp_to": own[0].dst_mac,
        "garp_burst": sum(frame.time_ns - first_ns <= _BURST_NS for frame in own),
        "second_burst_s": (later[0] - first_ns) / 1e9 if later else None,
    }


_NOISE = {
    "fault_interval_s": "how long the interval is to which the headline fault is dated",
    "probe_interval_s": "the interval of the requests that the outage is measured with, and so its resolution",
    "late_s": "how late this host ran what was due: the probe's requests, all but the latest one in a hundred",
}


def _noise(record: Record, head: FaultView | None) -> dict[str, Value]:
    """How far other values of this trial may be off."""
    late = sorted(record.lateness_ns)
    return {
        "fault_interval_s": head.summary.fault.width_ns / 1e9 if head else None,
        "probe_interval_s": record.interval_s,
        "late_s": late[len(late) * 99 // 100] / 1e9 if late else None,
    }


_FIRST_REPLY = {
    "first_reply_seq": "first request of the ping each second that the new master answered",
    "first_reply_ms": "its round-trip time, by the capture",
    "neighbours_ms": "median round-trip time of up to four replies before and four after it",
    "neighbours_scatter_ms": "the slowest of those less the fastest; not measured where there are fewer than four",
    "others_max_ms": "slowest of all other replies",
    "resolution_seen": "the new master asked by ARP or ND for the client before that reply",
    "resolution_ms": "its request to the client's answer",
    "resolution_in_trip": "both of these lie within that round trip",
    "client_asked": "the client had sent the new master such a request of its own before",
}


def _first_reply(record: Record, view: TrialView, head: FaultView | None) -> dict[str, Value]:
    """The first reply of the 1 Hz ping that came from the new master, and whether it asked for the client within it."""
    trip = _first_trip(record, view, head)
    if head is None or trip is None or trip.rtt_ms is None:
        return _not_measured(_FIRST_REPLY)
    answered = [other for other in view.ping_trips if other.rtt_ms is not None]
    at = answered.index(trip)
    neighbours = answered[max(0, at - _NEIGHBOURS) : at] + answered[at + 1 : at + 1 + _NEIGHBOURS]
    around = [other.rtt_ms for other in neighbours if other.rtt_ms is not None]
    others = [other.rtt_ms for other in answered if other is not trip and other.rtt_ms is not None]
    sent_ns = view.zero_ns + round(trip.sent_s * 1e9)
    answered_ns = sent_ns + round(trip.rtt_ms * 1e6)
    exchange = resolution(record, head)
    return {
        "first_reply_seq": trip.seq,
        "first_reply_ms": trip.rtt_ms,
        "neighbours_ms": median(around) if around else None,
        "neighbours_scatter_ms": max(around) - min(around) if len(around) >= _NEIGHBOURS else None,
        "others_max_ms": max(others, default=None),
        "resolution_seen": exchange is not None and exchange.request.time_ns <= answered_ns,
        "resolution_ms": _took_ms(exchange),
        "resolution_in_trip": exchange is not None
        and exchange.reply is not None
        and sent_ns <= exchange.request.time_ns <= exchange.reply.time_ns <= answered_ns,
        "client_asked": _client_asked(record, head, sent_ns),
    }


def _first_trip(record: Record, view: TrialView, head: FaultView | None) -> RoundTrip | None:
    if head is None or head.new_master is None:
        return None
    trips = (trip for trip in view.ping_trips if trip.sent_s >= head.at_s)
    return next((trip for trip in trips if record.host_by_mac(trip.mac) == head.new_master), None)


def _took_ms(exchange: Resolution | None) -> float | None:
    return (exchange.reply.time_ns - exchange.request.time_ns) / 1e6 if exchange and exchange.reply else None


def _client_asked(record: Record, head: FaultView, before_ns: int) -> bool:
    """Whether the client asked the new master alone who has the VIP: who is asked learns the sender's address."""
    client, host = record.station("client"), record.station(head.new_master) if head.new_master else None
    return any(
        frame.request
        and client is not None
        and host is not None
        and frame.sender_ip == client.public_ip
        and frame.target_ip == record.info.vip
        and frame.dst_mac == host.public_mac.lower()
        and head.summary.fault.at_ns <= frame.time_ns <= before_ns
        for frame in record.resolutions
    )


def _named(record: Record, mac: str | None) -> HostName | str | None:
    return record.host_by_mac(mac) or mac


def _not_measured(names: Iterable[str]) -> dict[str, Value]:
    return dict.fromkeys(names)


PREDICATES: dict[str, str] = {
    **_CHECKS,
    **_PING,
    **_CONFIGURED,
    **_FAULT,
    **{name: metric.meaning for name, metric in shown_in(Shown.CLAIMS).items()},
    **_CLIENT,
    **_ANNOUNCEMENT,
    **_FIRST_REPLY,
    **_NOISE,
}
"""Every name with its meaning, as docs/claims.md lists them."""


def named_values(record: Record, view: TrialView) -> dict[str, Value]:
    """All named values of one trial; those of its second fault have `second_` before their names."""
    head = view.faults[0] if view.faults else None
    second = _fault(view.faults[1] if len(view.faults) > 1 else None)
    return {
        **_checks(record),
        **_ping(view),
        **_configured(record, head),
        **_fault(head),
        **{SECOND + name: value for name, value in second.items()},
        **_client(record, view, head),
        **_announcement(record, view, head),
        **_first_reply(record, view, head),
        **_noise(record, head),
    }
