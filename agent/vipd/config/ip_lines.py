"""Reads lines in the form of `ip address`, `ip route` and `ip rule`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vipd.config.blocks import Statement
from vipd.config.model import Hop, Route, Rule, VirtualAddress
from vipd.config.values import (
    NAME_LIMIT,
    WrongError,
    instead,
    interface_name,
    ip_address,
    ipv4,
    ipv6,
    prefix,
    whole,
)

_SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
_TABLES = {"main": 254, "local": 255, "default": 253}
_PROTOCOLS = {"kernel": 2, "boot": 3, "static": 4, "zebra": 11, "bird": 12, "dhcp": 16, "keepalived": 18, "bgp": 186}
KINDS = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
METRICS = {
    "mtu": 2, "window": 3, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9,
    "hoplimit": 10, "initcwnd": 11, "rto_min": 13, "initrwnd": 14, "quickack": 15, "fastopen_no_cookie": 17,
}  # fmt: skip
_IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "sctp": 132}
FLAGS = {"-nodad": 0x02, "home": 0x10, "mngtmpaddr": 0x100, "noprefixroute": 0x200, "autojoin": 0x400}

Options = dict[str, tuple[str, Callable[[str], Any]]]


def _named(what: str, names: dict[str, int], high: int) -> Callable[[str], int]:
    def read(word: str) -> int:
        if word.lower() in names:
            return names[word.lower()]
        try:
            return whole(str(int(word, 0)), 0, high)
        except (ValueError, WrongError):
            raise WrongError(
                f"{what} {word!r} is neither a number up to {high} nor one of {', '.join(names)}"
            ) from None

    return read


def _number(low: int, high: int) -> Callable[[str], int]:
    return lambda word: whole(word, low, high)


def _range(high: int) -> Callable[[str], tuple[int, int]]:
    def read(word: str) -> tuple[int, int]:
        first, dash, last = word.partition("-")
        return whole(first, 0, high), whole(last if dash else first, 0, high)

    return read


def _label(word: str) -> str:
    if not 1 <= len(word) <= NAME_LIMIT:
        raise WrongError(f"label {word!r} is longer than {NAME_LIMIT} characters")
    return word


def _broadcast(word: str) -> str:
    return word if word in ("+", "-") else ipv4(word)


_ADDRESS: Options = {
    "brd": ("broadcast", _broadcast),
    "broadcast": ("broadcast", _broadcast),
    "dev": ("device", interface_name),
    "label": ("label", _label),
    "scope": ("scope", _named("scope", _SCOPES, 255)),
    "peer": ("peer", lambda word: ip_address(word.partition("/")[0])),
    "preferred_lft": ("preferred_lft", lambda word: None if word == "forever" else whole(word, 0, 0xFFFFFFFF)),
}
_ADDRESS_ALONE = {*FLAGS, "no_track", "use_vmac"}


def virtual_address(line: Statement) -> VirtualAddress:
    """The same for a line of an instance, which is tracked as a whole."""
    return static_address(_without_group(line))


def static_address(line: Statement) -> VirtualAddress:
    """`ADDRESS[/MASK] [brd ADDRESS] [dev IFACE] [label LABEL] [scope SCOPE] [peer ADDRESS] ...`."""
    text, slash, length = line.keyword.partition("/")
    address = ip_address(text)
    bits = 128 if ":" in address else 32
    length_bits = prefix(length, bits) if slash else bits
    fields: dict[str, Any] = {"flags": 0}
    rest = iter(line.values)
    for word in rest:
        if word in FLAGS:
            fields["flags"] |= FLAGS[word]
        elif word == "use_vmac":
            fields["use_vmac"] = True
        elif word == "no_track":
            fields["tracked"] = False
        elif word == "track_group":
            next(rest, None)
        elif word in _ADDRESS:
            field, read = _ADDRESS[word]
            fields[field] = read(_after(word, rest, line.keyword))
        elif word not in _ADDRESS_ALONE:
            raise WrongError(f"{word!r} is not known here; {instead(word, [*_ADDRESS, *sorted(_ADDRESS_ALONE)])}")
    broadcast = fields.get("broadcast")
    if broadcast in ("+", "-"):
        fields["broadcast"] = _host_bits(address, length_bits) if broadcast == "+" else None
    if bits == 128 and broadcast:
        raise WrongError(f"brd: IPv6 has no broadcast; remove it from {address}")
    return VirtualAddress(address, length_bits, fields.pop("device", ""), **fields)


def _host_bits(address: str, length: int) -> str:
    value = int.from_bytes(bytes(int(part) for part in address.split(".")), "big") | (1 << (32 - length)) - 1
    return ".".join(str(octet) for octet in value.to_bytes(4, "big"))


def _after(word: str, rest: Iterator[str], of: str) -> str:
    value = next(rest, None)
    if value is None:
        raise WrongError(f"{word!r} of {of} has no value")
    return value


def _network(word: str, family: int) -> str:
    if word == "default":
        return "::/0" if family == 6 else "0.0.0.0/0"
    text, slash, length = word.partition("/")
    address = ipv6(text) if ":" in text else ipv4(text)
    bits = 128 if ":" in address else 32
    return f"{address}/{prefix(length, bits) if slash else bits}"


_HOP: Options = {
    "via": ("via", ip_address),
    "gw": ("via", ip_address),
    "dev": ("device", interface_name),
    "oif": ("device", interface_name),
    "weight": ("weight", _number(1, 256)),
}
_ROUTE: Options = {
    "src": ("source", ip_address),
    "table": ("table", _named("table", _TABLES, 0xFFFFFFFF)),
    "metric": ("metric", _number(0, 0x7FFFFFFF)),
    "priority": ("metric", _number(0, 0x7FFFFFFF)),
    "preference": ("metric", _number(0, 0x7FFFFFFF)),
    "scope": ("scope", _named("scope", _SCOPES, 255)),
    "protocol": ("protocol", _named("protocol", _PROTOCOLS, 255)),
    "tos": ("tos", _named("tos", {}, 255)),
    "dsfield": ("tos", _named("tos", {}, 255)),
}
_ROUTE_ALONE = {"append": True, "prepend": False, "add": False}
_PASSED = ("inet", "inet6", "unicast")


def route(line: Statement) -> Route:
    """The same for a line of an instance."""
    return static_route(_without_group(line))


def static_route(line: Statement) -> Route:
    """`[blackhole|...] [to] NETWORK [via ADDRESS] [dev IFACE] [src ADDRESS] [table TABLE] [nexthop ...] ...`."""
    words = iter(line.words)
    fields: dict[str, Any] = {"metrics": ()}
    hops: list[dict[str, Any]] = [{}]
    family = 6 if any(":" in word for word in line.words) or "inet6" in line.words else 4
    for word in words:
        if word in _HOP:
            field, read = _HOP[word]
            hops[-1][field] = read(_after(word, words, "the route"))
        elif word in ("nexthop", "or"):
            hops.append({})
            if word == "or":
                hops[-1]["via"] = ip_address(_after(word, words, "the route"))
        elif word == "onlink":
            hops[-1]["onlink"] = True
        elif word in _ROUTE:
            field, read = _ROUTE[word]
            fields[field] = read(_after(word, words, "the route"))
        elif word in METRICS:
            value = _after(word, words, "the route")
            if value == "lock":
                value = _after(word, words, "the route")
                fields["metrics"] += ((1, 1 << METRICS[word]),)
            fields["metrics"] += ((METRICS[word], whole(value.rstrip("ms"), 0, 0xFFFFFFFF)),)
        elif word in KINDS and word != "unicast":
            fields["kind"] = KINDS[word]
        elif word in _ROUTE_ALONE:
            fields["append"] = _ROUTE_ALONE[word]
        elif word == "track_group":
            next(words, None)
        elif word == "no_track":
            fields["tracked"] = False
        elif word == "to":
            fields["destination"] = _network(_after(word, words, "the route"), family)
        elif word not in _PASSED:
            if "destination" in fields or not (word[:1].isdigit() or ":" in word or word == "default"):
                raise WrongError(f"{word!r} is not known in a route; {instead(word, [*_ROUTE, *_HOP, *METRICS])}")
            fields["destination"] = _network(word, family)
    if "destination" not in fields:
        raise WrongError("this route has no destination; write one, such as 10.1.0.0/16 or default")
    made = tuple(Hop(**hop) for hop in hops if hop)
    if any(hop.via is None and hop.device is None for hop in made):
        raise WrongError(f"a next hop of {fields['destination']} has neither via nor dev")
    return Route(hops=made, **fields)


def _without_group(line: Statement) -> Statement:
    if "track_group" in line.words:
        raise WrongError("'track_group' is for static addresses, routes and rules alone; remove it")
    return line


def _marked(word: str) -> tuple[int, int | None]:
    mark, slash, mask = word.partition("/")
    try:
        return int(mark, 0), int(mask, 0) if slash else None
    except ValueError:
        raise WrongError(f"fwmark {word!r} is not MARK[/MASK]") from None


_RULE: Options = {
    "table": ("table", _named("table", _TABLES, 0xFFFFFFFF)),
    "lookup": ("table", _named("table", _TABLES, 0xFFFFFFFF)),
    "preference": ("preference", _number(0, 0x7FFFFFFF)),
    "priority": ("preference", _number(0, 0x7FFFFFFF)),
    "order": ("preference", _number(0, 0x7FFFFFFF)),
    "iif": ("iif", interface_name),
    "dev": ("iif", interface_name),
    "oif": ("oif", interface_name),
    "tos": ("tos", _named("tos", {}, 255)),
    "dsfield": ("tos", _named("tos", {}, 255)),
    "fwmark": ("fwmark", _marked),
    "goto": ("goto", _number(0, 0x7FFFFFFF)),
    "protocol": ("protocol", _named("protocol", _PROTOCOLS, 255)),
    "ip_proto": ("ip_proto", _named("protocol", _IP_PROTOCOLS, 255)),
    "sport": ("sport", _range(65535)),
    "dport": ("dport", _range(65535)),
    "uidrange": ("uidrange", _range(0xFFFFFFFE)),
    "suppress_prefixlength": ("suppress_prefixlength", _number(0, 128)),
}
ACTIONS = {"goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
FIRST_PREFERENCE = 16384  # keepalived's, counted down for each rule that has none


def rule(line: Statement) -> Rule:
    """The same for a line of an instance."""
    return static_rule(_without_group(line))


def static_rule(line: Statement) -> Rule:
    """`[from NETWORK] [to NETWORK] [iif IFACE] [oif IFACE] [fwmark M] ... table TABLE preference N`."""
    words = iter(line.words)
    family = 6 if any(":" in word for word in line.words) or "inet6" in line.words else 4
    fields: dict[str, Any] = {"preference": -1}
    for word in words:
        if word in ("from", "to"):
            value = _after(word, words, "the rule")
            fields["source" if word == "from" else "destination"] = (
                None if value in ("all", "any") else _network(value, family)
            )
        elif word in _RULE:
            field, read = _RULE[word]
            fields[field] = read(_after(word, words, "the rule"))
            if word == "goto":
                fields["action"] = ACTIONS["goto"]
        elif word in ACTIONS:
            fields["action"] = ACTIONS[word]
        elif word == "not":
            fields["invert"] = True
        elif word == "track_group":
            next(words, None)
        elif word == "no_track":
            fields["tracked"] = False
        elif word not in ("inet", "inet6"):
            raise WrongError(f"{word!r} is not known in a rule; {instead(word, ['from', 'to', *_RULE, *ACTIONS])}")
    if "fwmark" in fields:
        fields["fwmark"], fields["fwmask"] = fields["fwmark"]
    if not fields.keys() & {"table", "action", "goto"}:
        raise WrongError("this rule has no table to look in; add: table TABLE")
    return Rule(family=family, **fields)


def ttl_range(line: Statement) -> tuple[str, int, int]:
    """`ADDRESS [min_ttl N] [max_ttl N]`, a line of `unicast_peer`."""
    bounds = {"min_ttl": 0, "max_ttl": 255}
    rest = iter(line.values)
    for word in rest:
        if word not in bounds:
            raise WrongError(f"{word!r} is not known here; {instead(word, bounds)}")
        bounds[word] = whole(_after(word, rest, line.keyword), 0, 255)
    return ip_address(line.keyword), bounds["min_ttl"], bounds["max_ttl"]


def tracked(kind: str, limit: int) -> Callable[[Statement], tuple[str, str, int | None, bool | None, Statement]]:
    """`NAME [weight N [reverse|noreverse]]` in a track block: what, which, weight and direction if given, where."""

    def read(line: Statement) -> tuple[str, str, int | None, bool | None, Statement]:
        name = interface_name(line.keyword) if kind == "interface" else line.keyword
        weight, reverse = weighted(line.values, limit)
        return kind, name, weight, reverse, line._replace(words=(f"track_{kind}",))

    return read


def weighted(values: tuple[str, ...], limit: int) -> tuple[int | None, bool | None]:
    """`[weight N] [reverse|noreverse]`; None for what is left out."""
    weight: int | None = None
    reverse: bool | None = None
    rest = iter(values)
    for word in rest:
        if word == "weight":
            weight = whole(_after(word, rest, "what is tracked"), -limit, limit)
        elif word in ("reverse", "noreverse", "no_reverse"):
            reverse = word == "reverse"
        else:
            raise WrongError(f"{word!r} is not known here; {instead(word, ['weight', 'reverse', 'noreverse'])}")
    return weight, reverse
