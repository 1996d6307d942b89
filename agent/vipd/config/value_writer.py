"""Writes values in the form of keepalived.conf: the inverse of `values` and of what reads lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vipd.config.address_lines import FLAGS
from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Command, Hop, Route, Rule, Track, VirtualAddress
from vipd.config.route_lines import CONGESTION_CONTROL, FEATURES, KINDS, LOCK, METRICS, PREFERENCES
from vipd.config.rule_lines import ACTIONS

_ADDRESS = (("brd", "broadcast"), ("dev", "device"), ("label", "label"), ("peer", "peer"))
_ROUTE = (("src", "source"), ("table", "table"), ("metric", "metric"), ("scope", "scope"), ("protocol", "protocol"),
          ("tos", "tos"), ("from", "from_network"), ("expires", "expires"))  # fmt: skip
_RULE = (("from", "source"), ("to", "destination"), ("iif", "iif"), ("oif", "oif"), ("tos", "tos"),
         ("preference", "preference"), ("protocol", "protocol"), ("ipproto", "ip_proto"), ("sport", "sport"),
         ("dport", "dport"), ("uidrange", "uidrange"), ("suppress_prefixlength", "suppress_prefixlength"),
         ("suppress_ifgroup", "suppress_ifgroup"), ("tunnel-id", "tunnel_id"), ("goto", "goto"))  # fmt: skip


def word(text: str) -> str:
    """A word, quoted where the file would read it as anything else."""
    if text and not set(text) & set(" \t\"'\\{}#!$") and text.isprintable():
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def seconds(value_ns: int) -> str:
    """A time, to the nanosecond if need be."""
    whole, rest = divmod(value_ns, SECOND_NS)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def command(value: Command) -> str:
    """A command, with the user and group that it runs as."""
    words = " ".join(f"'{one}'" if not one or any(map(str.isspace, one)) else one for one in value.argv)
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return " ".join([f'"{escaped}"', *(name for name in (value.user, value.group) if name)])


def mac(octets: bytes) -> str:
    """A MAC address."""
    return octets.hex(":")


def virtual_address(one: VirtualAddress) -> str:
    """A line of `virtual_ipaddress`."""
    words = [one.address if one.peer else f"{one.address}/{one.prefix_length}", *_options(one, _ADDRESS)]
    if one.scope:
        words += ["scope", str(one.scope)]
    if one.preferred_lft is not None:
        words += ["preferred_lft", str(one.preferred_lft)]
    words += [name for name, bit in FLAGS.items() if one.flags & bit]
    words += [name for name, given in (("use_vmac", one.use_vmac), ("no_track", not one.tracked)) if given]
    return " ".join(words)


def route(one: Route) -> str:
    """A line of `virtual_routes`."""
    words = ["inet6"] if one.family == 6 else []
    words += [name for name, number in KINDS.items() if number == one.kind and name != "unicast"]
    words.append(one.destination)
    words += _options(one, _ROUTE)
    if one.preference is not None:
        words += [
            "pref",
            {number: name for name, number in PREFERENCES.items()}.get(one.preference, str(one.preference)),
        ]
    if one.realms is not None:
        words += ["realms", _realms(one.realms)]
    words += _metrics(one)
    if one.ttl_propagate is not None:
        words += ["ttl-propagate", "enabled" if one.ttl_propagate else "disabled"]
    words += [name for name, given in (("append", one.append), ("no_track", not one.tracked)) if given]
    for hop in one.hops:
        words += ["nexthop"] if len(one.hops) > 1 else []
        words += _hop(hop, one.family)
    return " ".join(words)


def rule(one: Rule) -> str:
    """A line of `virtual_rules`."""
    words = ["inet6"] if one.family == 6 else []
    words += ["not"] if one.invert else []
    words += _options(one, _RULE)
    if one.fwmark is not None:
        words += ["fwmark", f"{one.fwmark}" + ("" if one.fwmask is None else f"/{one.fwmask}")]
    if one.realms is not None:
        words += ["realms", _realms(one.realms)]
    words += [name for name, number in ACTIONS.items() if number == one.action and name != "goto"]
    if one.l3mdev:
        words.append("l3mdev")
    elif one.action == 1:
        words += ["table", str(one.table)]
    return " ".join(words if one.tracked else [*words, "no_track"])


def track(one: Track) -> str:
    """A line of a track block, with its weight whatever the default of what is tracked."""
    return f"{word(one.name)} weight {one.weight} {'reverse' if one.reverse else 'noreverse'}"


def _realms(value: int) -> str:
    return f"{value >> 16}/{value & 0xFFFF}" if value >> 16 else str(value)


def _hop(hop: Hop, family: int) -> Iterator[str]:
    if hop.via is not None:
        other = (":" in hop.via) != (family == 6)
        yield from ("via", *(["inet6" if ":" in hop.via else "inet"] if other else []), hop.via)
    yield from _options(hop, (("dev", "device"), ("weight", "weight")))
    if hop.onlink:
        yield "onlink"
    if hop.realms is not None:
        yield from ("realms", _realms(hop.realms))
    if hop.encap is not None:
        yield f"encap {hop.encap.text}"


def _options(one: Any, names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The words for those fields that differ from their defaults."""
    for name, field in names:
        value = getattr(one, field)
        if value != one._field_defaults.get(field) and value != "":
            yield name
            yield "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _metrics(one: Route) -> Iterator[str]:
    values = dict(one.metrics)
    locks = values.pop(LOCK, 0)
    if values.pop(FEATURES, None):
        yield from ("features", "ecn")
    for name, number in METRICS.items():
        if number in values:
            yield from (name, *(["lock"] if locks >> number & 1 else []), str(values[number]))
    if one.congestion_control is not None:
        lock = ["lock"] if locks >> CONGESTION_CONTROL & 1 else []
        yield from ("congctl", *lock, one.congestion_control)
