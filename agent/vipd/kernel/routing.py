"""Sets and removes routes and rules (rtnetlink(7)), and looks which are there."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Mapping

from vipd.config.model import Hop, Route, Rule, packed
from vipd.kernel import rtnetlink
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Link

NEWROUTE, DELROUTE, NEWRULE, DELRULE = 24, 25, 32, 33
_GETROUTE, _GETRULE = 26, 34
_CREATE, _EXCL, _APPEND = 0x400, 0x200, 0x800
_HEADER = struct.Struct("=BBBBBBBBI")
_NEXT_HOP = struct.Struct("=HBBi")
_ATTRIBUTE = struct.Struct("=HH")
_U32, _U8, _PORTS, _UIDS = struct.Struct("=I"), struct.Struct("=B"), struct.Struct("=HH"), struct.Struct("=II")
_ONLINK = 4
_UNIVERSE = 0  # keepalived's, where ip(8) has link for a route without a gateway
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_METRICS, _RTA_MULTIPATH, _RTA_TABLE = (
    1, 4, 5, 6, 7, 8, 9, 15,
)  # fmt: skip
_RTA_SRC, _RTA_FLOW, _RTA_VIA, _RTA_PREF, _RTA_ENCAP_TYPE, _RTA_ENCAP, _RTA_EXPIRES, _RTA_TTL_PROPAGATE = (
    2, 11, 18, 20, 21, 22, 23, 26,
)  # fmt: skip
_RTAX_CC_ALGO = 16
_U16, _BE64 = struct.Struct("=H"), struct.Struct("!Q")
_ANY, _PROTOCOL_KEEPALIVED, _METRIC_6 = 0, 18, 1024  # the metric that an IPv6 route gets which has none
_FINE_GONE = (errno.ESRCH, errno.ENOENT, errno.ENODEV)


def route(netlink: Netlink, route: Route, present: bool) -> None:
    """Set or remove a route; one that is there, or gone, already is fine.

    Raises:
        OSError: the kernel refuses it, or an interface is not there.
    """
    if present:
        flags = _CREATE | (_APPEND if route.append else 0)
        netlink.change(_route(route, netlink.links), NEWROUTE, flags, (errno.EEXIST,))
    elif all(hop.device is None or hop.device in netlink.links for hop in route.hops):
        netlink.change(_route(route, netlink.links), DELROUTE, 0, _FINE_GONE)


def rule(netlink: Netlink, rule: Rule, present: bool) -> None:
    """Set or remove a rule; one that is there, or gone, already is fine.

    Raises:
        OSError: the kernel refuses it.
    """
    if present:
        netlink.change(_rule(rule), NEWRULE, _CREATE | _EXCL, (errno.EEXIST,))
    else:
        netlink.change(_rule(rule), DELRULE, 0, _FINE_GONE)


def missing(netlink: Netlink, routes: Iterable[Route], rules: Iterable[Rule]) -> set[Route | Rule]:
    """Those of these routes and rules that the kernel lacks, or that lack an interface.

    A router of the internet has a million routes. All of them are listed only where one is not among those of its own
    protocol: somebody else may have set it before, with another one.

    Raises:
        OSError: the kernel does not say.
    """
    routes, rules = tuple(routes), tuple(rules)
    lost: set[Route | Rule] = {
        one for one in routes for hop in one.hops if hop.device is not None and hop.device not in netlink.links
    }
    for family in sorted({one.family for one in rules}):
        there = {_rule_key(body) for body in netlink.listed(_dumped(family), _GETRULE)}
        lost.update(one for one in rules if one.family == family and _rule_key(_rule(one)) not in there)
    for family in sorted({one.family for one in routes}):
        left = {
            one: _route_key(_route(one, netlink.links)) for one in routes if one.family == family and one not in lost
        }
        for protocol in (*sorted({one.protocol for one in left}), _ANY):
            if left:
                there = {_route_key(body) for body in netlink.listed(_dumped(family, protocol), _GETROUTE)}
                left = {one: key for one, key in left.items() if key not in there}
        lost.update(left)
    return lost


def _dumped(family: int, protocol: int = 0) -> bytes:
    return _HEADER.pack(_family(family), 0, 0, 0, 0, protocol, 0, 0, 0)


def own(report: rtnetlink.Message) -> bool:
    """Whether a report of a route or rule is about one of keepalived's protocol."""
    if report.kind in (NEWROUTE, DELROUTE):
        return bool(_HEADER.unpack_from(report.body)[5] == _PROTOCOL_KEEPALIVED)
    protocol = rtnetlink.attributes(report.body, _HEADER.size).get(_FRA_PROTOCOL)
    return protocol is None or protocol[0] == _PROTOCOL_KEEPALIVED


def _route_key(body: bytes) -> tuple[object, ...]:
    """What tells a route from all others of the kernel."""
    family, length, _, tos, table, _, _, kind, _ = _HEADER.unpack_from(body)
    found = rtnetlink.attributes(body, _HEADER.size)
    default = _METRIC_6 if family == socket.AF_INET6 else 0
    metric = _value(found.get(_RTA_PRIORITY)) or default
    return (
        family,
        _value(found.get(_RTA_TABLE)) or table,
        _masked(found.get(_RTA_DST), length),
        length,
        tos,
        kind,
        metric,
    )


def _rule_key(body: bytes) -> tuple[object, ...]:
    """What tells a rule from others, all but its finer conditions."""
    family, length, source_length, tos, _, _, _, action, flags = _HEADER.unpack_from(body)
    found = rtnetlink.attributes(body, _HEADER.size)
    networks = _masked(found.get(_FRA_DST), length), length, _masked(found.get(_FRA_SRC), source_length), source_length
    numbers = tuple(_value(found.get(kind)) for kind in (_FRA_PRIORITY, _FRA_TABLE, _FRA_GOTO, _FRA_FWMARK))
    return family, networks, tos, action, flags & _INVERT, numbers, found.get(_FRA_IIFNAME), found.get(_FRA_OIFNAME)


def _masked(octets: bytes | None, length: int) -> int:
    return int.from_bytes(octets, "big") >> 8 * len(octets) - length if octets else 0


def _value(octets: bytes | None) -> int:
    return int(_U32.unpack(octets)[0]) if octets else 0


def _family(family: int) -> int:
    return socket.AF_INET if family == 4 else socket.AF_INET6


def _attribute(kind: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _network(text: str | None) -> tuple[bytes, int]:
    address, _, length = (text or "").partition("/")
    return (packed(address), int(length)) if length and int(length) else (b"", 0)


def _route(route: Route, links: Mapping[str, Link]) -> bytes:
    destination, length = _network(route.destination)
    source, source_length = _network(route.from_network)
    scope = _UNIVERSE if route.scope is None or route.family == 6 else route.scope
    flags = _ONLINK if len(route.hops) == 1 and route.hops[0].onlink else 0
    table = route.table if route.table < 256 else 0
    body = _HEADER.pack(
        _family(route.family), length, source_length, route.tos, table, route.protocol, scope, route.kind, flags
    ) + _attribute(_RTA_TABLE, _U32.pack(route.table))
    if destination:
        body += _attribute(_RTA_DST, destination)
    if source:
        body += _attribute(_RTA_SRC, source)
    if route.metric is not None:
        body += _attribute(_RTA_PRIORITY, _U32.pack(route.metric))
    if route.source:
        body += _attribute(_RTA_PREFSRC, packed(route.source))
    values: tuple[tuple[int, bytes | None], ...] = (
        (_RTA_METRICS, _metrics(route) or None),
        (_RTA_FLOW, _number(route.realms)),
        (_RTA_PREF, None if route.preference is None else _U8.pack(route.preference)),
        (_RTA_EXPIRES, _number(route.expires)),
        (_RTA_TTL_PROPAGATE, None if route.ttl_propagate is None else _U8.pack(route.ttl_propagate)),
    )
    body += b"".join(_attribute(kind, data) for kind, data in values if data is not None)
    if len(route.hops) == 1:
        hop = route.hops[0]
        body += _gateway(hop, route.family)
        if hop.device:
            body += _attribute(_RTA_OIF, _U32.pack(_index(hop, links)))
    elif route.hops:
        body += _attribute(_RTA_MULTIPATH, b"".join(_next_hop(hop, route.family, links) for hop in route.hops))
    return body


def _metrics(route: Route) -> bytes:
    inner = b"".join(_attribute(number, _U32.pack(value)) for number, value in route.metrics)
    if route.congestion_control is not None:
        inner += _attribute(_RTAX_CC_ALGO, rtnetlink.name_octets(route.congestion_control))
    return inner


def _index(hop: Hop, links: Mapping[str, Link]) -> int:
    if hop.device is None:
        return 0
    link = links.get(hop.device)
    if link is None:
        raise OSError(errno.ENODEV, f"there is no interface {hop.device}")
    return link.ifindex


def _gateway(hop: Hop, family: int) -> bytes:
    body = b""
    if hop.via is not None:
        octets = packed(hop.via)
        if (len(octets) == 16) == (family == 6):
            body += _attribute(_RTA_GATEWAY, octets)
        else:
            body += _attribute(_RTA_VIA, _U16.pack(_family(6 if len(octets) == 16 else 4)) + octets)
    if hop.realms is not None:
        body += _attribute(_RTA_FLOW, _U32.pack(hop.realms))
    if hop.encap is not None:
        inner = b"".join(_attribute(number, octets) for number, octets in hop.encap.attributes)
        body += _attribute(_RTA_ENCAP_TYPE, _U16.pack(hop.encap.kind)) + _attribute(_RTA_ENCAP, inner)
    return body


def _next_hop(hop: Hop, family: int, links: Mapping[str, Link]) -> bytes:
    gateway = _gateway(hop, family)
    flags = _ONLINK if hop.onlink else 0
    return _NEXT_HOP.pack(_NEXT_HOP.size + len(gateway), flags, hop.weight - 1, _index(hop, links)) + gateway


_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_GOTO, _FRA_PRIORITY, _FRA_FWMARK, _FRA_SUPPRESS, _FRA_TABLE = (
    1, 2, 3, 4, 6, 10, 14, 15,
)  # fmt: skip
_FRA_FLOW, _FRA_TUN_ID, _FRA_SUPPRESS_IFGROUP, _FRA_L3MDEV = 11, 12, 13, 19
_FRA_FWMASK, _FRA_OIFNAME, _FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT, _FRA_DPORT = (
    16, 17, 20, 21, 22, 23, 24,
)  # fmt: skip
_INVERT = 2
_TO_TABLE = 1


def _rule(rule: Rule) -> bytes:
    source, source_length = _network(rule.source)
    destination, length = _network(rule.destination)
    table = rule.table if rule.action == _TO_TABLE and not rule.l3mdev else 0
    body = _HEADER.pack(
        _family(rule.family), length, source_length, rule.tos, table if table < 256 else 0, 0, 0, rule.action,
        _INVERT if rule.invert else 0,
    )  # fmt: skip
    values: list[tuple[int, bytes | None]] = [
        (_FRA_PRIORITY, _U32.pack(rule.preference)),
        (_FRA_TABLE, _U32.pack(table) if table else None),
        (_FRA_SRC, source or None),
        (_FRA_DST, destination or None),
        (_FRA_IIFNAME, _name(rule.iif)),
        (_FRA_OIFNAME, _name(rule.oif)),
        (_FRA_GOTO, _number(rule.goto)),
        (_FRA_FWMARK, _number(rule.fwmark)),
        (_FRA_FWMASK, _number(rule.fwmask)),
        (_FRA_SUPPRESS, _number(rule.suppress_prefixlength)),
        (_FRA_SUPPRESS_IFGROUP, _number(rule.suppress_ifgroup)),
        (_FRA_FLOW, _number(rule.realms)),
        (_FRA_TUN_ID, None if rule.tunnel_id is None else _BE64.pack(rule.tunnel_id)),
        (_FRA_L3MDEV, _U8.pack(1) if rule.l3mdev else None),
        (_FRA_PROTOCOL, _U8.pack(rule.protocol)),
        (_FRA_IP_PROTO, None if rule.ip_proto is None else _U8.pack(rule.ip_proto)),
        (_FRA_SPORT, None if rule.sport is None else _PORTS.pack(*rule.sport)),
        (_FRA_DPORT, None if rule.dport is None else _PORTS.pack(*rule.dport)),
        (_FRA_UID_RANGE, None if rule.uidrange is None else _UIDS.pack(*rule.uidrange)),
    ]
    return body + b"".join(_attribute(kind, data) for kind, data in values if data is not None)


def _name(name: str | None) -> bytes | None:
    return None if name is None else rtnetlink.name_octets(name)


def _number(value: int | None) -> bytes | None:
    return None if value is None else _U32.pack(value)
