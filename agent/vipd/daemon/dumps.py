"""Writes the files that keepalived writes on SIGUSR1, SIGUSR2 and its JSON signal, with keepalived's field names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vipd.config.behaviour import SECOND_NS, Behaviour
from vipd.config.model import VirtualAddress
from vipd.daemon.runtime import Runtime
from vipd.kernel.files import replace
from vipd.kernel.signals import DUMP_DATA, DUMP_JSON, DUMP_STATS
from vipd.protocol.router import Router
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

SIGNALS = (DUMP_DATA, DUMP_STATS, DUMP_JSON)
STATES = {
    State.INITIALIZE: (0, "INIT"),
    State.BACKUP: (1, "BACKUP"),
    State.GOTO_MASTER: (1, "BACKUP"),
    State.TRANSITION: (1, "BACKUP"),
    State.MASTER: (2, "MASTER"),
    State.FAULT: (3, "FAULT"),
}


def dump(number: int, runtime: Runtime) -> None:
    """Write the file that one of `SIGNALS` asks for.

    Raises:
        OSError: it cannot be written.
    """
    settings, routers = runtime.config.globals, list(runtime.routers.values())
    since = {name: moment for name, (moment, _) in runtime.since.items()}
    if number == DUMP_DATA:
        replace(settings.data_file, "".join(f"{line}\n" for line in data(routers, runtime.behaviour, since)))
    elif number == DUMP_STATS:
        replace(settings.stats_file, "".join(f"{line}\n" for line in stats(routers)))
    else:
        import json  # not before somebody asks: it takes 4 ms to import

        replace(settings.json_file, json.dumps(as_json(routers, since)))


def stats(routers: list[Router]) -> Iterator[str]:
    """The lines of keepalived.stats."""
    for router in routers:
        found = _counts(router)
        yield f"VRRP Instance: {router.config.name}"
        for heading, names in (
            ("Advertisements", (("Received", "advert_rcvd"), ("Sent", "advert_sent"))),
            ("Became master", "become_master"),
            ("Released master", "release_master"),
            (
                "Packet Errors",
                (
                    ("Length", "packet_len_err"),
                    ("TTL", "ip_ttl_err"),
                    ("Invalid Type", "invalid_type_rcvd"),
                    ("Advertisement Interval", "advert_interval_err"),
                    ("Address List", "addr_list_err"),
                ),
            ),
            (
                "Authentication Errors",
                (
                    ("Invalid Type", "invalid_authtype"),
                    ("Type Mismatch", "authtype_mismatch"),
                    ("Failure", "auth_failure"),
                ),
            ),
            ("Priority Zero", (("Received", "pri_zero_rcvd"), ("Sent", "pri_zero_sent"))),
        ):
            if isinstance(names, str):
                yield f"  {heading}: {found[names]}"
            else:
                yield f"  {heading}:"
                yield from (f"    {label}: {found[name]}" for label, name in names)


def as_json(routers: list[Router], since: dict[str, float]) -> list[dict[str, Any]]:
    """The content of keepalived.json; `since` is when each router last changed its state, in seconds of real time."""
    return [{"data": _data(router, since.get(router.config.name, 0.0)), "stats": _counts(router)} for router in routers]


def data(routers: list[Router], behaviour: Behaviour, since: dict[str, float]) -> Iterator[str]:
    """The lines of keepalived.data, as far as they concern instances."""
    yield "------< VRRP Topology >------"
    for router in routers:
        config = router.config
        yield f" VRRP Instance = {config.name}"
        yield f"   VRRP Version = {config.version}"
        yield f"   State = {STATES[router.state][1]}"
        yield f"   Last transition = {since.get(config.name, 0.0):.6f}"
        yield f"   Master down timer = {router.timers_ns[2] // 1000} usecs"
        yield f"   Interface = {config.interface}"
        yield f"   Gratuitous ARP delay = {_chosen(config.garp_delay_ns, behaviour.garp_delay_ns) // SECOND_NS}"
        yield f"   Gratuitous ARP repeat = {_chosen(config.garp_repeat, behaviour.garp_repeat)}"
        yield f"   Virtual Router ID = {config.vrid}"
        yield f"   Priority = {config.priority}"
        yield f"   Effective priority = {router.priority}"
        yield f"   Advert interval = {config.advert_int_ns / SECOND_NS:g} sec"
        yield f"   Accept = {'disabled' if config.accept is False else 'enabled'}"
        yield f"   Preempt = {'enabled' if config.preempt else 'disabled'}"
        yield f"   Virtual IP ({len(config.addresses)}):"
        yield from (f"     {_address(one, router)}" for one in config.addresses)
        if config.excluded:
            yield "   Virtual IP Excluded :"
            yield from (f"     {_address(one, router)}" for one in config.excluded)


def _data(router: Router, since: float) -> dict[str, Any]:
    config, behaviour = router.config, router.behaviour
    number = STATES[router.state][0]
    delay_ns = _chosen(config.garp_delay_ns, behaviour.garp_delay_ns)
    repeat = _chosen(config.garp_repeat, behaviour.garp_repeat)
    return {
        "iname": config.name,
        "dont_track_primary": int(not config.track_primary),
        "skip_check_adv_addr": int(config.skip_address_check),
        "strict_mode": int(config.strict),
        "vmac_ifname": config.vmac_name if config.use_vmac else "",
        "ifp_ifname": config.interface,
        "master_priority": 0,
        "last_transition": round(since, 6),
        "garp_delay": delay_ns // SECOND_NS,
        "garp_refresh": config.garp_refresh_ns // SECOND_NS,
        "garp_rep": repeat,
        "garp_refresh_rep": config.garp_refresh_repeat,
        "garp_lower_prio_delay": _chosen(config.garp_lower_prio_delay_ns, behaviour.garp_delay_ns) // SECOND_NS,
        "garp_lower_prio_rep": _chosen(config.garp_lower_prio_repeat, behaviour.garp_repeat),
        "lower_prio_no_advert": int(bool(config.lower_prio_no_advert)),
        "higher_prio_send_advert": int(config.higher_prio_send_advert),
        "vrid": config.vrid,
        "base_priority": config.priority,
        "effective_priority": router.priority,
        "vipset": router.state is State.MASTER,
        "promote_secondaries": config.promote_secondaries,
        "adver_int": config.advert_int_ns / SECOND_NS,
        "master_adver_int": router.timers_ns[0] / SECOND_NS,
        "accept": int(config.accept is not False),
        "nopreempt": not config.preempt,
        "preempt_delay": config.preempt_delay_ns / SECOND_NS,
        "state": number,
        "wantstate": number,
        "version": config.version,
        "smtp_alert": False,
        "notify_deleted": False,
        "vips": [_address(one, router) for one in config.addresses],
        "evips": [_address(one, router) for one in config.excluded],
        "vroutes": [route.destination for route in config.routes],
        "vrules": [f"priority {rule.preference}" for rule in config.rules],
        "track_script": [track.name for track in config.tracks if track.kind == "script"],
        "auth_type": config.auth_type,
    }


def _counts(router: Router) -> dict[str, int]:
    counters, refused = router.counters, router.counters.discards
    return {
        "advert_rcvd": counters.adverts_received,
        "advert_sent": counters.adverts_sent,
        "become_master": counters.became_master,
        "release_master": counters.became_master - (router.state is State.MASTER),
        "packet_len_err": refused[Discard.LENGTH] + refused[Discard.TOO_SHORT] + refused[Discard.CARP],
        "advert_interval_err": refused[Discard.INTERVAL] + refused[Discard.NO_INTERVAL],
        "ip_ttl_err": refused[Discard.TTL],
        "invalid_type_rcvd": refused[Discard.TYPE],
        "addr_list_err": refused[Discard.ADDRESSES],
        "invalid_authtype": 0,
        "authtype_mismatch": refused[Discard.AUTH_TYPE],
        "auth_failure": refused[Discard.AUTH_DATA] + refused[Discard.AH_DIGEST] + refused[Discard.AH_REPLAY],
        "pri_zero_rcvd": counters.zeros_received,
        "pri_zero_sent": counters.zeros_sent,
    }


def _address(one: VirtualAddress, router: Router) -> str:
    broadcast = f" brd {one.broadcast}" if one.broadcast else ""
    label = f" label {one.label}" if one.label else ""
    is_set = " set" if router.state is State.MASTER else ""
    length = "" if one.prefix_length == (32 if one.family == 4 else 128) else f"/{one.prefix_length}"
    scope = {0: "global", 200: "site", 253: "link", 254: "host"}.get(one.scope, str(one.scope))
    return f"{one.address}{length}{broadcast} dev {one.device} scope {scope}{label}{is_set}"


def _chosen(value: int | None, default: int) -> int:
    return default if value is None else value
