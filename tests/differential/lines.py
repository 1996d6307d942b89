"""Lines of the blocks that hold addresses, routes, rules, tracked things and names, right and wrong."""

from __future__ import annotations

from random import Random

from differential.values import ADDRESSES_4, ADDRESSES_6, INTERFACES, NUMBERS, WEIGHTS, Make

_NETWORKS = ("10.9.0.0/16", "10.9.0.1", "default", "0.0.0.0/0", "192.168.9.0/24", "10.9.0.0/33", "any", "all", "10.9.0")
_NETWORKS_6 = ("2001:db8:9::/48", "inet6 default", "default6", "::/0", "2001:db8:9::1", "inet6 2001:db8:9::/48")
_GATEWAYS = ("10.1.1.254", "fe80::1", "inet 10.1.1.254", "inet6 fe80::1", "10.1.1", "10.1.1.254/24", "inet")
_KINDS = (
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "local",
    "broadcast",
    "multicast",
    "unicast",
    "anycast",
    "nat",
    "7",
    "xresolve",
)
_TABLES = (
    "main",
    "local",
    "default",
    "100",
    "254",
    "0",
    "nosuch",
    "0x10",
    "vrrptable",
    "4294967295",
    "4294967296",
    "-1",
)
_TOS = ("0x10", "8", "AF11", "EF", "CS6", "256", "x", "lowdelay")
_REALMS = ("5", "1/2", "cosmos", "x", "256", "/2", "1/")
_PROTOCOLS = ("static", "keepalived", "18", "kernel", "boot", "bgp", "ospf", "x", "256", "zebra")
_SCOPES = ("link", "global", "host", "site", "nowhere", "0", "253", "256", "x", "-1", "universe")
_ENCAPS = (
    "ip id 5 dst 10.1.1.9",
    "ip6 dst 2001:db8::9",
    "mpls 100",
    "mpls 100/200",
    "ila 1:2:3:4",
    "x",
    "ip",
    "mpls x",
    "ip id 1 tos 3 ttl 9",
    "ip dst 10.1.1.9 src 10.1.1.8",
    "ip6 id 3 hoplimit 9 tc 3",
)
_RTT = ("100", "100ms", "1s", "1.5s", "5x", "-1", "lock 100", "0", "1.5")
_METRICS = (*NUMBERS, "lock 1400", "1400", "9000")


def _some(random: Random, options: dict[str, tuple[str, ...]], most: int) -> list[str]:
    chosen = random.sample(sorted(options), random.randint(0, most))
    return [f"{name} {random.choice(options[name])}".strip() for name in chosen]


_ADDRESS: dict[str, tuple[str, ...]] = {
    "brd": ("+", "-", "10.1.1.255", "10.1.1", "x"),
    "broadcast": ("10.1.1.255", "+"),
    "dev": INTERFACES,
    "label": ("eth0:1", "averyveryverylonglabel", "x"),
    "scope": _SCOPES,
    "peer": ("10.1.1.9", "10.1.1.9/24", "fe80::9", "x"),
    "preferred_lft": ("0", "forever", "100", "x", "-1", "4294967295", "4294967296"),
    "use_vmac": ("",),
    "home": ("",),
    "-nodad": ("",),
    "mngtmpaddr": ("",),
    "noprefixroute": ("",),
    "autojoin": ("",),
    "no_track": ("",),
    "track_group": ("G",),
    "nosuchoption": ("",),
    "metric": ("5",),
    "label ": ("",),
    "dev ": ("",),
}
_ROUTE: dict[str, tuple[str, ...]] = {
    "via": _GATEWAYS,
    "gw": _GATEWAYS,
    "dev": INTERFACES,
    "oif": INTERFACES,
    "src": ("10.1.1.1", "fe80::1", "x"),
    "from": ("2001:db8::/32", "10.0.0.0/8", "x"),
    "table": _TABLES,
    "metric": NUMBERS,
    "priority": NUMBERS,
    "preference": NUMBERS,
    "scope": _SCOPES,
    "protocol": _PROTOCOLS,
    "tos": _TOS,
    "dsfield": _TOS,
    "onlink": ("",),
    "no_track": ("",),
    "realms": _REALMS,
    "pref": ("low", "medium", "high", "x", "3"),
    "features": ("ecn", "x"),
    "congctl": ("cubic", "lock reno", "nosuch", ""),
    "encap": _ENCAPS,
    "ttl-propagate": ("enabled", "disabled", "x", ""),
    "expires": ("100", "x"),
    "as": ("to 5", "5"),
    "mtu": _METRICS,
    "window": _METRICS,
    "rtt": _RTT,
    "rttvar": _RTT,
    "ssthresh": _METRICS,
    "cwnd": _METRICS,
    "advmss": _METRICS,
    "reordering": _METRICS,
    "hoplimit": _METRICS,
    "initcwnd": _METRICS,
    "rto_min": _RTT,
    "initrwnd": _METRICS,
    "quickack": ("0", "1", "2", "x"),
    "fastopen_no_cookie": ("0", "1", "2"),
    "or": ("10.1.1.253", "x"),
    "track_group": ("G",),
    "inet": ("",),
    "inet6": ("",),
    "append": ("",),
    "prepend": ("",),
    "nosuch": ("",),
    "weight": ("3",),
}
_RULE: dict[str, tuple[str, ...]] = {
    "to": (*_NETWORKS, *_NETWORKS_6),
    "iif": INTERFACES,
    "dev": INTERFACES,
    "oif": INTERFACES,
    "tos": _TOS,
    "dsfield": _TOS,
    "fwmark": ("5", "5/7", "0x5/0xff", "x", "-1", "5/", "4294967296"),
    "realms": _REALMS,
    "protocol": _PROTOCOLS,
    "suppress_prefixlength": ("0", "8", "x", "200"),
    "sup_pl": ("0",),
    "suppress_ifgroup": ("5", "default", "x", "-1"),
    "sup_group": ("5",),
    "ipproto": ("tcp", "udp", "6", "x", "256", "icmp", "ipv6-icmp"),
    "ip_proto": ("tcp",),
    "sport": ("5", "5-9", "x", "65536"),
    "dport": ("5", "5-9", "9-5"),
    "uidrange": ("5-9", "5", "x-y"),
    "tunnel-id": ("5", "x"),
    "not": ("",),
    "no_track": ("",),
    "inet": ("",),
    "inet6": ("",),
    "track_group": ("G",),
    "nosuch": ("",),
    "type": ("blackhole", "unreachable", "unicast", "x"),
}
_ACTIONS = (
    *(f"table {table}" for table in _TABLES),
    "table 100",
    "lookup 100",
    "blackhole",
    "unreachable",
    "prohibit",
    "goto 99",
    "goto 5",
    "nop",
    "l3mdev",
    "type blackhole",
    "table 100 nop",
    "",
    "throw",
)


def address(random: Random) -> str:
    """A line of `virtual_ipaddress`."""
    first = random.choice(ADDRESSES_6 if random.random() < 0.25 else ADDRESSES_4)
    return " ".join([first, *_some(random, _ADDRESS, 2)])


def route(random: Random) -> str:
    """A line of `virtual_routes`."""
    six = random.random() < 0.25
    words = [random.choice(_NETWORKS_6 if six else _NETWORKS)]
    if random.random() < 0.2:
        words.insert(0, random.choice(_KINDS))
    if random.random() < 0.5:
        words += [f"via {'fe80::1' if six else '10.1.1.254'}", "dev eth0"]
    words += _some(random, _ROUTE, 2)
    if random.random() < 0.1:
        for _ in range(random.randint(1, 2)):
            hop = {
                "dev": INTERFACES,
                "weight": ("1", "5", "256", "257", "0"),
                "onlink": ("",),
                "realms": _REALMS,
                "encap": _ENCAPS,
            }
            words.append(" ".join(["nexthop", f"via {random.choice(_GATEWAYS)}", *_some(random, hop, 2)]))
    return " ".join(words)


def rule(random: Random) -> str:
    """A line of `virtual_rules`."""
    words = [f"from {random.choice((*_NETWORKS, *_NETWORKS_6))}"] if random.random() < 0.8 else []
    words += _some(random, _RULE, 2)
    words.append(random.choice(_ACTIONS))
    if random.random() < 0.8:
        words.append(
            f"{random.choice(('preference', 'priority', 'order'))} {random.choice(('9', '97', '0', 'x', '4294967295'))}"
        )
    return " ".join(words)


def _named(*names: str) -> Make:
    return lambda random: f"{random.choice(names)} {random.choice(('', '', *WEIGHTS))}".strip()


BLOCKS: dict[str, Make] = {
    "ADDRESS[/MASK] ...": address,
    "ADDRESS": address,
    "ROUTE": route,
    "RULE": rule,
    "IFACE [weight N [reverse]]": _named(*INTERFACES),
    "NAME [weight N [reverse]]": _named("known", "known", "known", "nosuch"),
    "ADDRESS [min_ttl N] [max_ttl N]": lambda random: random.choice(
        (
            "10.1.1.8",
            "10.1.1.8/24",
            "fe80::8",
            "10.1.1.8 min_ttl 250",
            "10.1.1.8 max_ttl 255",
            "10.1.1.8 min_ttl x",
            "10.1.1.8 x",
            "x",
            "10.1.1.8 min_ttl 255 max_ttl 3",
        )
    ),
    "IFACE DOWN [UP]": lambda random: random.choice(
        ("eth0 2", "eth0 2 3.5", "eth1", "eth0 x", "nosuch0 2", "eth0 256", "eth0 1 2 3", "eth0 0.1 0.000001")
    ),
    "NAME": lambda random: random.choice(("V", "W", "X", "V W")),
    "IFACE": lambda random: random.choice(INTERFACES),
}
"""What makes a line of a block, by the form of its lines."""
