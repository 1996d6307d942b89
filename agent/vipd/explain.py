"""`vipd --explain`: the configuration as it will run, defaults filled in and timers worked out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vipd.behaviour import SECOND_NS, Behaviour
from vipd.config import Command, Config, RouterConfig, VirtualAddress
from vipd.keywords import BLOCKS

_SHOWN_APART = {"name", "addresses", "excluded", "routes", "rules", "tracks", "tracked", "hooks"}
_PROFILE = {"garp_repeat": "garp_repeat", "garp_delay_ns": "garp_delay_ns"}


def explained(config: Config, behaviour: Behaviour) -> Iterator[str]:
    """The lines, in keepalived's own form, each value with where it comes from and each timer as a comment."""
    yield f"# profile {behaviour.name}"
    yield from _tuple_block("global_defs", "", config.globals)
    for script in config.scripts:
        yield from _tuple_block("vrrp_script", script.name, script)
    for file in config.files:
        yield from _tuple_block("track_file", file.name, file)
    for process in config.processes:
        yield from _tuple_block("vrrp_track_process", process.name, process)
    for group in config.groups:
        yield ""
        yield f"vrrp_sync_group {group.name} {{"
        yield f"    group {{ {' '.join(group.members)} }}"
        yield "}"
    for router in config.routers:
        yield from _router(router, behaviour)
    for keyword, shown in (("static_ipaddress", config.addresses), ("static_routes", config.routes),
                           ("static_rules", config.rules)):  # fmt: skip
        if shown:
            yield ""
            yield f"{keyword} {{"
            yield from (f"    {_line(item)}" for item in shown)
            yield "}"


def _router(router: RouterConfig, behaviour: Behaviour) -> Iterator[str]:
    yield ""
    yield f"vrrp_instance {router.name} {{"
    yield f"    # VRRP version {router.version}, IPv{router.family}"
    yield f"    # Skew_Time            {_seconds(router.skew_ns)} s"
    yield f"    # Master_Down_Interval {_seconds(router.master_down_ns)} s"
    defaults = router._field_defaults
    for field, keyword in _keywords("vrrp_instance").items():
        if field in _SHOWN_APART or not hasattr(router, field):
            continue
        value, origin = getattr(router, field), ""
        if value is None and field in _PROFILE:
            value, origin = getattr(behaviour, _PROFILE[field]), "profile"
        elif field in defaults and value == defaults[field]:
            origin = "default"
        shown = _shown(field, keyword, value)
        if shown:
            yield f"    {shown}{'  # ' + origin if origin else ''}"
    for keyword, items in (
        ("track_interface", router.tracked),
        *((f"track_{kind}", [track for track in router.tracks if track.kind == kind])
          for kind in ("interface", "script", "file", "process")),
        ("virtual_ipaddress", router.addresses),
        ("virtual_ipaddress_excluded", router.excluded),
        ("virtual_routes", router.routes),
        ("virtual_rules", router.rules),
    ):  # fmt: skip
        if items:
            yield f"    {keyword} {{"
            yield from (f"        {_line(item)}" for item in items)
            yield "    }"
    for state, command in router.hooks.commands:
        yield f"    notify{'_' + state.lower() if state else ''} {_command(command)}"
    yield "}"


def _tuple_block(keyword: str, name: str, values: Any) -> Iterator[str]:
    yield ""
    yield f"{keyword}{' ' + name if name else ''} {{"
    for field, field_keyword in _keywords(keyword).items():
        if hasattr(values, field):
            value = getattr(values, field)
            origin = "  # default" if values._field_defaults.get(field, ...) == value else ""
            shown = _shown(field, field_keyword, value)
            if shown:
                yield f"    {shown}{origin}"
    yield "}"


def _keywords(block: str) -> dict[str, str]:
    """The keyword of each field, in the order of the table; the first that fills a field names it."""
    found: dict[str, str] = {}
    for keyword in BLOCKS[block].values():
        if keyword.to not in ("", "*", "block"):
            found.setdefault(keyword.to, keyword.name)
    extra = {"vrrp_instance": {"auth_type": "auth_type"}, "vrrp_script": {"weight": "weight"},
             "track_file": {"weight": "weight"}, "vrrp_track_process": {"weight": "weight"}}  # fmt: skip
    return {**found, **extra.get(block, {})}


def _shown(field: str, keyword: str, value: Any) -> str:
    """The value in the form of the file; nothing where there is none."""
    if field == "initial_master":
        return f"{keyword} {'MASTER' if value else 'BACKUP'}"
    if field == "preempt":
        return "preempt" if value else "nopreempt"
    if field == "accept":
        return {True: "accept", False: "no_accept"}.get(value, "")
    if field == "auth_type":
        return f"authentication {{ auth_type {('none', 'PASS', 'AH')[value]} }}" if value else ""
    if field == "track_primary":
        return "" if value else "dont_track_primary"
    if value is None or value in ("", (), b""):
        return ""
    if isinstance(value, bool):
        return f"{keyword} {'on' if value else 'off'}"
    if field.endswith("_ns"):
        return f"{keyword} {value / SECOND_NS:g}"
    if isinstance(value, Command):
        return f"{keyword} {_command(value)}"
    if isinstance(value, tuple):
        if field == "unicast_peers":
            return f"{keyword} {{ {' '.join(value)} }}"
        return f"{keyword} {' '.join(str(word) for word in value)}"
    return f"{keyword} {value}"


def _command(command: Command) -> str:
    words = " ".join(f"'{word}'" if not word or any(map(str.isspace, word)) else word for word in command.argv)
    return f'"{words}"' + "".join(f" {name}" for name in (command.user, command.group) if name)


def _line(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, VirtualAddress):
        head = f"{item.address}/{item.prefix_length}"
        options = {"brd": item.broadcast, "dev": item.device, "label": item.label, "peer": item.peer}
        scope = f" scope {item.scope}" if item.scope else ""
        return head + "".join(f" {word} {value}" for word, value in options.items() if value) + scope
    fields = {field: value for field, value in item._asdict().items() if value != item._field_defaults.get(field)}
    head = str(fields.pop("destination", fields.pop("name", "")))
    fields.pop("kind", None)
    hops = fields.pop("hops", ())
    text = "".join(
        f" {word} {value}" for hop in hops for word, value in (("via", hop.via), ("dev", hop.device)) if value
    )
    return (head + text + "".join(f" {_word(field)} {value}" for field, value in fields.items())).strip()


def _word(field: str) -> str:
    return {"source": "from"}.get(field, field)


def _seconds(value_ns: int) -> str:
    return f"{value_ns / SECOND_NS:.9f}"
