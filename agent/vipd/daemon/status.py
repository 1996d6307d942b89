"""The report of `vipd status`: RFC 8347's state and statistics, RFC 6527's counters, and vipd's own.

Names are those of the YANG module ietf-vrrp where it has one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vipd import __version__
from vipd.daemon.latency import Latency
from vipd.daemon.runtime import NEVER_MASTER, Runtime
from vipd.kernel.process import own_pid
from vipd.protocol.effective_priority import Values
from vipd.protocol.packet import Origin
from vipd.protocol.router import Router
from vipd.protocol.table import Event, State
from vipd.protocol.validation import Discard

STATES = {
    State.INITIALIZE: "initialize",
    State.BACKUP: "backup",
    State.GOTO_MASTER: "backup",
    State.TRANSITION: "backup",
    State.MASTER: "master",
    State.FAULT: "initialize",  # RFC 8347 has no other word for a router whose interface is down
}
# Only events that change a state are reported; RFC 8347 has no words for the others.
_EVENTS: dict[Event | None, str] = {
    Event.STARTED: "vrrp-event-startup",
    Event.SHUT_DOWN: "vrrp-event-shutdown",
    Event.TIMER_EXPIRED: "vrrp-event-master-timeout",
    Event.LOWER_RECEIVED: "vrrp-event-lower-priority-master",
    Event.HIGHER_RECEIVED: "vrrp-event-higher-priority-backup",
    Event.TIE_LOST: "vrrp-event-higher-priority-backup",
    Event.LINKS_LOST: "vrrp-event-interface-down",
    Event.LINKS_RESTORED: "vrrp-event-interface-up",
    Event.ADDRESS_LOST: "vrrp-event-no-virtual-ip-addresses",
}
_CENTISECOND_NS = 10_000_000
_INTERVAL = (Discard.INTERVAL, Discard.NO_INTERVAL)
_LENGTH = (Discard.TOO_SHORT, Discard.LENGTH, Discard.CARP, Discard.AH_FORM)
_ADDRESSES = (Discard.ADDRESSES, Discard.NO_ADDRESS, Discard.FIRST_ADDRESS)
_AUTHENTICATION = (
    Discard.AUTH_TYPE, Discard.AUTH_DATA, Discard.AH_DIGEST, Discard.AH_SPI, Discard.AH_REPLAY,
)  # fmt: skip


def report(runtime: Runtime, unclaimed: Mapping[Discard, int], latency: Latency, tracked: Values) -> Iterator[str]:
    """Write the whole report as JSON in short parts: one for each instance, and few more.

    Args:
        runtime: what runs.
        unclaimed: packets that never got to a router, by reason.
        latency: how late deadlines were met.
        tracked: the values of what is tracked.
    """
    from json import dumps  # not before somebody asks: it takes 4 ms to import

    routers = list(runtime.routers.values())
    began_s, began_monotonic_s = runtime.began
    began = _date(began_s)
    own = {
        "version": __version__,
        "pid": own_pid(),
        "profile": runtime.behaviour.name,
        "uptime-s": round(time.monotonic() - began_monotonic_s, 3),
        "lateness": latency.buckets(),
        "worst-lateness-us": latency.worst_ns / 1000,
    }
    yield f'{{"vipd": {dumps(own)}, "vrrp-instance": ['
    refused = dict(unclaimed)
    for place, router in enumerate(routers):
        _, reason = runtime.since.get(router.config.name, (began_s, NEVER_MASTER))
        up_s = runtime.up.get(router.config.name)
        for discard, count in router.counters.discards.items():
            refused[discard] += count
        yield f"{', ' if place else ''}{dumps(instance(router, None if up_s is None else _date(up_s), reason, began))}"
    groups = [
        {
            "name": group.config.name,
            "members": group.config.members,
            "state": group.state.value if group.state else None,
        }
        for group in runtime.groups
    ]
    things = [{"kind": kind, "name": name, "value": value} for (kind, name), value in tracked.items()]
    yield f'], "vrrp": {dumps(totals(routers, refused, began))}, "vrrp-sync-group": {dumps(groups)}'
    yield f', "tracked": {dumps(things)}}}'


def instance(router: Router, up: str | None, reason: str, discontinuity: str) -> dict[str, Any]:
    """The state and the statistics of one virtual router.

    Args:
        router: which one.
        up: date and time at which it left the state initialize; None if it is in it.
        reason: why it last became master, in RFC 8347's words.
        discontinuity: date and time from which its counters count.
    """
    config, counters = router.config, router.counters
    interval_ns, skew_ns, down_ns = router.timers_ns
    return {
        "name": config.name,
        "interface": config.interface,
        "address-family": f"ipv{config.family}",
        "vrid": config.vrid,
        "version": f"vrrp-v{config.version}",
        "priority": config.priority,
        "effective-priority": router.priority,
        "accept-mode": config.accept is not False,
        "preempt": config.preempt,
        "advertise-interval-ms": config.advert_int_ns / 1e6,
        "state": STATES[router.state],
        "vipd-state": router.state.value,
        "is-owner": config.priority == 255,
        "last-adv-source": str(Origin(router.last_advert_source, config.family)) if router.last_advert_source else None,
        "up-datetime": up,
        "master-down-interval": down_ns // _CENTISECOND_NS,
        "skew-time": skew_ns // 1000,
        "master-adver-interval-ms": interval_ns / 1e6,
        "last-event": _EVENTS.get(router.last_event, "vrrp-event-none"),
        "new-master-reason": reason,
        "virtual-addresses": [f"{one.address}/{one.prefix_length} dev {one.device}" for one in config.served],
        "statistics": {
            "discontinuity-datetime": discontinuity,
            "master-transitions": counters.became_master,
            "advertisement-rcvd": counters.adverts_received,
            "advertisement-sent": counters.adverts_sent,
            "interval-errors": _sum(counters.discards, _INTERVAL),
            "priority-zero-pkts-rcvd": counters.zeros_received,
            "priority-zero-pkts-sent": counters.zeros_sent,
            "invalid-type-pkts-rcvd": counters.discards[Discard.TYPE],
            "address-list-errors": _sum(counters.discards, _ADDRESSES),
            "packet-length-errors": _sum(counters.discards, _LENGTH),
            "ip-ttl-errors": counters.discards[Discard.TTL],
            "checksum-errors": counters.discards[Discard.CHECKSUM],
            "version-errors": counters.discards[Discard.VERSION],
            "authentication-errors": _sum(counters.discards, _AUTHENTICATION),
            "carp-lookalikes": counters.discards[Discard.CARP],
        },
        "checksum-forms-seen": {form.value: count for form, count in counters.forms.items() if count},
        "remarks": {remark.value: count for remark, count in counters.remarks.items() if count},
        "discards": {discard.value: count for discard, count in counters.discards.items() if count},
    }


def totals(routers: Sequence[Router], refused: Mapping[Discard, int], discontinuity: str) -> dict[str, Any]:
    """RFC 8347's counters of the whole daemon; `refused` are all discarded packets, by reason."""
    return {
        "virtual-routers": len(routers),
        "interfaces": len({router.config.interface for router in routers}),
        "statistics": {
            "discontinuity-datetime": discontinuity,
            "checksum-errors": refused[Discard.CHECKSUM],
            "version-errors": refused[Discard.VERSION],
            "vrid-errors": refused[Discard.VRID],
            "ip-ttl-errors": refused[Discard.TTL],
            "carp-lookalikes": refused[Discard.CARP],
        },
    }


def lines(report: Mapping[str, Any]) -> Iterable[str]:
    """Write the report for people: one line for each instance."""
    own = report["vipd"]
    yield f"vipd {own['version']}, profile {own['profile']}, pid {own['pid']}, {own['uptime-s']:.0f} s up"
    yield "instance         state        prio vrid interface       sent     heard  refused"
    for one in report["vrrp-instance"]:
        counters = one["statistics"]
        yield (
            f"{one['name']:<16} {one['vipd-state'].upper():<12} {one['effective-priority']:>4} {one['vrid']:>4} "
            f"{one['interface']:<10} {counters['advertisement-sent']:>9} {counters['advertisement-rcvd']:>9} "
            f"{sum(one['discards'].values()):>8}"
        )
    late = ", ".join(f"{bucket['count']} within {bucket['up-to-us']} us" for bucket in own["lateness"])
    yield f"deadlines met: {late or 'none yet'}; worst {own['worst-lateness-us']:.0f} us"


def _date(moment_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment_s))


def _sum(counted: Mapping[Discard, int], discards: Iterable[Discard]) -> int:
    return sum(counted.get(discard, 0) for discard in discards)
