"""Writes values in the form of keepalived.conf: the inverse of `values` and `ip_lines`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vipd.config.behaviour import SECOND_NS
from vipd.config.ip_lines import ACTIONS, FLAGS, KINDS, METRICS
from vipd.config.model import Command, Hop, Route, Rule, Track, VirtualAddress

_LOCK = 1  # RTAX_LOCK: the metrics whose bits are set in its value are locked
_ADDRESS = (("brd", "broadcast"), ("dev", "device"), ("label", "label"), ("peer", "peer"))
_ROUTE = (("src", "source"), ("table", "table"), ("metric", "metric"), ("scope", "scope"), ("protocol", "protocol"),
          ("tos", "tos"))  # fmt: skip
_RULE = (("from", "source"), ("to", "destination"), ("iif", "iif"), ("oif", "oif"), ("tos", "tos"),
         ("preference", "preference"), ("protocol", "protocol"), ("ip_proto", "ip_proto"), ("sport", "sport"),
         ("dport", "dport"), ("uidrange", "uidrange"), ("suppress_prefixlength", "suppress_prefixlength"),
         ("goto", "goto"))  # fmt: skip


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
    words = [f"{one.address}/{one.prefix_length}", *_options(one, _ADDRESS)]
    if one.scope:
        words += ["scope", str(one.scope)]
    if one.preferred_lft is not None:
        words += ["preferred_lft", str(one.preferred_lft)]
    words += [name for name, bit in FLAGS.items() if one.flags & bit]
    words += [name for name, given in (("use_vmac", one.use_vmac), ("no_track", not one.tracked)) if given]
    return " ".join(words)


def route(one: Route) -> str:
    """A line of `virtual_routes`."""
    words = [name for name, number in KINDS.items() if number == one.kind and name != "unicast"]
    words.append(one.destination)
    for hop in one.hops:
        words += ["nexthop"] if len(one.hops) > 1 else []
        words += _hop(hop)
    words += _options(one, _ROUTE)
    words += _metrics(one.metrics)
    words += [name for name, given in (("append", one.append), ("no_track", not one.tracked)) if given]
    return " ".join(words)


def rule(one: Rule) -> str:
    """A line of `virtual_rules`."""
    words = ["inet6"] if one.family == 6 else []
    words += ["not"] if one.invert else []
    words += _options(one, _RULE)
    if one.fwmark is not None:
        words += ["fwmark", f"{one.fwmark}" + ("" if one.fwmask is None else f"/{one.fwmask}")]
    named = [name for name, number in ACTIONS.items() if number == one.action and name != "goto"]
    words += named
    if one.action == 1 or one.table != Rule._field_defaults["table"]:
        words += ["table", str(one.table)]
    return " ".join(words if one.tracked else [*words, "no_track"])


def track(one: Track) -> str:
    """A line of a track block, with its weight whatever the default of what is tracked."""
    return f"{word(one.name)} weight {one.weight} {'reverse' if one.reverse else 'noreverse'}"


def _hop(hop: Hop) -> Iterator[str]:
    yield from _options(hop, (("via", "via"), ("dev", "device"), ("weight", "weight")))
    if hop.onlink:
        yield "onlink"


def _options(one: Any, names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The words for those fields that differ from their defaults."""
    for name, field in names:
        value = getattr(one, field)
        if value != one._field_defaults.get(field) and value != "":
            yield name
            yield "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _metrics(metrics: tuple[tuple[int, int], ...]) -> Iterator[str]:
    names = {number: name for name, number in METRICS.items()}
    locked: list[str] = []
    for number, value in metrics:
        if number == _LOCK:
            locked = ["lock"]
        else:
            yield from (names[number], *locked, str(value))
            locked = []
