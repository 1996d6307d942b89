"""Writes a configuration as `vipd --explain` prints it: as it will run, with its defaults and timers.

What is printed is itself a keepalived.conf, and means the same, but for passwords, which it does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from vipd.config import value_writer
from vipd.config.behaviour import Behaviour
from vipd.config.blocks import Statement
from vipd.config.keywords import BLOCKS, Keyword
from vipd.config.model import Command, Config, Hooks, RouterConfig, Script, SyncGroup
from vipd.config.values import EachLine, WrongError

_INDENT = "    "
# What is printed apart from the other fields, since it takes a block or several fields together.
_APART = {"addresses", "excluded", "routes", "rules", "tracks", "hooks", "unicast_peers", "members", "no_addresses"}
# These mean something with the other one only.
_ONLY_WITH = {
    "unicast_ttl": "unicast_peers", "check_unicast_src": "unicast_peers", "vmac_xmit_base": "use_vmac",
    "garp_refresh_repeat": "garp_refresh_ns",
}  # fmt: skip
_WORDS: dict[str, Callable[[Any], str]] = {
    "initial_master": lambda value: f"state {'MASTER' if value else 'BACKUP'}",
    "preempt": lambda value: "preempt" if value else "nopreempt",
    "accept": lambda value: "accept" if value else "no_accept",
    "params": lambda value: "param_match" if value == "exact" else f"param_match {value}",
    "track_primary": lambda value: "" if value else "dont_track_primary",
}


def explain(config: Config, behaviour: Behaviour) -> Iterator[str]:
    """Write the lines in keepalived's own form, with the origin of each value and each timer as comments."""
    yield f"# profile {behaviour.name}"
    if config.globals.net_namespace:
        yield f"net_namespace {value_writer.word(config.globals.net_namespace)}"
    dynamic = ["dynamic_interfaces"] if config.waits_for_interfaces else []
    yield from _block("global_defs", "", [*_fields("global_defs", config.globals), *dynamic])
    for script in config.scripts:
        yield from _block("vrrp_script", script.name, _script(script))
    for file in config.files:
        initial = [] if file.initial is None else [f"init_file {file.initial}{' overwrite' if file.overwrite else ''}"]
        yield from _block("track_file", file.name, [*_fields("track_file", file), _weight(file), *initial])
    for process in config.processes:
        lines = [*_fields("vrrp_track_process", process), _weight(process)]
        yield from _block("vrrp_track_process", process.name, lines)
    for interface, lines in _garp_groups(config.routers).items():
        yield from _block("garp_group", "", [f"interface {interface}", *lines])
    delays = (f"{name} {value_writer.seconds(down)} {value_writer.seconds(up)}" for name, down, up in config.delays)
    yield from _block("interface_up_down_delays", "", delays)
    for group in config.groups:
        yield from _block("vrrp_sync_group", group.name, _group(group))
    for router in config.routers:
        yield from _block("vrrp_instance", router.name, _router(router, behaviour))
    yield from _block("static_ipaddress", "", map(value_writer.virtual_address, config.addresses))
    yield from _block("static_routes", "", map(value_writer.route, config.routes))
    yield from _block("static_rules", "", map(value_writer.rule, config.rules))


def _router(router: RouterConfig, behaviour: Behaviour) -> Iterator[str]:
    yield f"# VRRP version {router.version}, IPv{router.family}"
    yield f"# Skew_Time            {_exact(router.skew_ns)} s"
    yield f"# Master_Down_Interval {_exact(router.master_down_ns)} s"
    yield from _fields("vrrp_instance", router, _of_profile(router, behaviour))
    if router.use_vmac:
        words = [router.vmac, value_writer.mac(router.vmac_mac) if router.vmac_mac else ""]
        yield " ".join(["use_vmac", *filter(None, words)])
    if router.auth_type:
        password = ("auth_type " + ("", "PASS", "AH")[router.auth_type], "auth_pass ********  # not shown")
        yield from _inner("authentication", password)
    ranges = router.unicast_ttl_ranges or ((0, 255),) * len(router.unicast_peers)
    bounds = ("" if both == (0, 255) else f" min_ttl {both[0]} max_ttl {both[1]}" for both in ranges)
    yield from _inner("unicast_peer", (f"{peer}{bound}" for peer, bound in zip(router.unicast_peers, bounds)))
    for kind in ("interface", "script", "file", "process"):
        plain = router.tracked if kind == "interface" else ()
        weighted = (value_writer.track(one) for one in router.tracks if one.kind == kind)
        yield from _inner(f"track_{kind}", [*plain, *weighted])
    yield from _inner("virtual_ipaddress", map(value_writer.virtual_address, router.addresses))
    if not router.addresses:
        yield "no_virtual_ipaddress"
    yield from _inner("virtual_ipaddress_excluded", map(value_writer.virtual_address, router.excluded))
    yield from _inner("virtual_routes", map(value_writer.route, router.routes))
    yield from _inner("virtual_rules", map(value_writer.rule, router.rules))
    yield from _hooks(router.hooks)


def _script(script: Script) -> Iterator[str]:
    yield from _fields("vrrp_script", script._replace(command=Command(script.command.argv)))
    yield _weight(script)
    who = [name for name in (script.command.user, script.command.group) if name]
    if who:
        yield f"user {' '.join(who)}"


def _group(group: SyncGroup) -> Iterator[str]:
    yield from _inner("group", map(value_writer.word, group.members))
    if group.tracking_weight:
        yield "sync_group_tracking_weight"
    yield from _hooks(group.hooks)


def _hooks(hooks: Hooks) -> Iterator[str]:
    if hooks.priority_changes is not None:
        yield f"notify_priority_changes {'on' if hooks.priority_changes else 'off'}"
    for state, command in hooks.commands:
        yield f"notify{'_' + state.lower() if state else ''} {value_writer.command(command)}"


def _of_profile(router: RouterConfig, behaviour: Behaviour) -> dict[str, Any]:
    """The values that the profile decides where the configuration does not."""
    return {
        "garp_repeat": behaviour.garp_repeat,
        "garp_delay_ns": behaviour.garp_delay_ns,
        "garp_lower_prio_repeat": behaviour.garp_repeat,
        "garp_lower_prio_delay_ns": behaviour.garp_delay_ns,
        "accept": behaviour.accepts,
        "message_only_checksum": behaviour.message_only_checksum,
        "link_local_first": behaviour.link_local_first,
        "lower_prio_no_advert": False,
        "owner_ignore_adverts": not (behaviour.owner_listens or router.wire_version == 3),
    }


def _garp_groups(routers: Iterable[RouterConfig]) -> dict[str, list[str]]:
    """By interface, the spacing of announcements, for which an instance has no words of its own."""
    fields = ("garp_interval_ns", "gna_interval_ns")
    spaced = {router.interface: router for router in routers if any(getattr(router, field) for field in fields)}
    return {
        interface: [f"{field[:-3]} {value_writer.seconds(getattr(router, field))}" for field in fields]
        for interface, router in spaced.items()
    }


def _fields(block: str, values: Any, of_profile: dict[str, Any] | None = None) -> Iterator[str]:
    """A line for each keyword of a block that fills one field."""
    for field, keyword in _keywords(block).items():
        if field in _APART or not hasattr(values, field):
            continue
        if field in _ONLY_WITH and not getattr(values, _ONLY_WITH[field]):
            continue
        value, origin = getattr(values, field), ""
        if value is None and of_profile and field in of_profile:
            value, origin = of_profile[field], "  # profile"
        elif values._field_defaults.get(field, ...) == value:
            origin = "  # default"
        shown = _shown(field, keyword, value)
        if shown:
            yield shown + origin


def _keywords(block: str) -> dict[str, Keyword]:
    """The keyword of each field, in the order of the table; the first that fills a field is it."""
    found: dict[str, Keyword] = {}
    for keyword in BLOCKS[block].values():
        if keyword.to not in ("", "*", "block") and not keyword.to.startswith("hook."):
            found.setdefault(keyword.to, keyword)
    return found


def _shown(field: str, keyword: Keyword, value: Any) -> str:
    """The value in the form of the file; nothing where there is none, or none that can be written."""
    name = keyword.name
    if value is None or value in ("", (), b""):
        return ""
    if field in _WORDS:
        return _WORDS[field](value)
    if isinstance(value, bool) and not keyword.form.text:
        return name if value else ""
    if isinstance(value, bool):
        return f"{name} {'on' if value else 'off'}"
    if not value and field.endswith("_ns") and not _takes_zero(keyword):
        return ""
    if isinstance(value, Command):
        return f"{name} {value_writer.command(value)}"
    if isinstance(value, tuple):
        return f"{name} {' '.join(value_writer.word(str(one)) for one in value)}"
    return f"{name} {value_writer.seconds(value) if field.endswith('_ns') else value_writer.word(str(value))}"


def _takes_zero(keyword: Keyword) -> bool:
    if isinstance(keyword.form.read, EachLine):
        return False
    try:
        return bool(keyword.form.read(Statement((keyword.name, "0"), "", 0)) == 0)
    except WrongError:
        return False


def _weight(target: Any) -> str:
    return f"weight {target.weight}{' reverse' if target.reverse else ''}"


def _block(keyword: str, name: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(_inner(f"{keyword} {value_writer.word(name)}" if name else keyword, lines))
    yield from ["", *found] if found else []


def _inner(head: str, lines: Iterable[str]) -> Iterator[str]:
    """A block, unless it is empty."""
    found = list(lines)
    if found:
        yield f"{head} {{"
        yield from (_INDENT + line for line in found)
        yield "}"


def _exact(value_ns: int) -> str:
    return f"{value_ns // 10**9}.{value_ns % 10**9:09d}"
