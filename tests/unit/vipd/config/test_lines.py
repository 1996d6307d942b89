"""Lines like those of ip(8): what is taken is taken whole, and what keepalived corrects is corrected."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from support.keepalived_conf import instance, problems, router
from vipd.config.model import Encap, VirtualAddress
from vipd.config.parser import parse


def addresses(lines: str) -> tuple[VirtualAddress, ...]:
    return router(instance(f"virtual_ipaddress_excluded {{\n{lines}\n}}")).excluded


def corrected(lines: str) -> list[str]:
    found = parse(instance(lines), "f").diagnostics
    assert found.repaired
    return [line.partition(": ")[2] for line in found.warnings]


def test_plus_sets_the_host_bits_of_a_broadcast_address_and_minus_clears_them() -> None:
    found = addresses("10.1.1.77/24 brd +\n10.1.1.77/24 brd -\n10.1.1.77/24 brd 10.1.1.5\n10.1.1.77/24")
    assert [one.broadcast for one in found] == ["10.1.1.255", "10.1.1.0", "10.1.1.5", None]


@pytest.mark.parametrize("sign", ["+", "-", "10.1.1.255"])
def test_ipv6_has_no_broadcast_address(sign: str) -> None:
    found = problems(instance(f"virtual_ipaddress_excluded {{\nfe80::1/64 brd {sign}\n}}"))
    assert found == ["f:3: virtual_ipaddress_excluded: fe80::1/64: brd: IPv6 has no broadcast; remove it from fe80::1"]


def test_an_ipv6_address_without_a_prefix_is_deprecated_unless_it_says_otherwise() -> None:
    found = addresses(
        "2001:db8::1\n2001:db8::2/64\n2001:db8::3 preferred_lft forever\n2001:db8::4/64 preferred_lft 0\n10.1.1.7"
    )
    assert [one.preferred_lft for one in found] == [0, None, 0xFFFFFFFF, 0, None]


def test_what_ipv6_addresses_have_not_is_left_out() -> None:
    assert corrected("virtual_ipaddress_excluded {\nfe80::1/64 label eth0:1\n}") == [
        "virtual_ipaddress_excluded: fe80::1/64: fe80::1: IPv6 has no label here; remove it"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("10.1.1.2/24 peer 10.1.1.9", "an address with a peer takes no mask; remove it"),
        ("10.1.1.2 peer 10.1.1.9/24", "'10.1.1.9/24' is not an IPv4 address"),
        ("fe80::7 peer 10.1.1.9", "peer 10.1.1.9 is not of the family of fe80::7"),
    ],
)
def test_an_address_and_its_peer_are_of_one_family_and_have_no_mask(line: str, said: str) -> None:
    (found,) = problems(instance(f"virtual_ipaddress_excluded {{\n{line}\n}}"))
    assert found.endswith(said)
    assert addresses("10.1.1.2 peer 10.1.1.9")[0].peer == "10.1.1.9"


def test_an_address_has_no_macvlan_of_its_own_where_the_instance_has_one() -> None:
    excluded = "virtual_ipaddress_excluded {\n10.1.1.3 use_vmac\n}"
    assert parse(instance(excluded), "f").config.routers[0].excluded[0].use_vmac
    assert problems(instance(f"use_vmac\n{excluded}")) == [
        "f:3: virtual_ipaddress_excluded: use_vmac of 10.1.1.3: the instance has a macvlan already; remove it"
    ]


def test_what_follows_reverse_or_the_seconds_of_garp_extra_if_is_read_over() -> None:
    track = "track_interface {\neth9 weight 5 reverse more\n}"
    assert [one.reverse for one in router(instance(track)).tracks] == [True]
    assert router(instance("garp_extra_if all all 1 5")).garp_extra_ns == 1_000_000_000
    assert router(instance("garp_extra_if 1 5")).garp_extra_ns == 1_000_000_000
    assert problems(instance("garp_extra_if all"))


def test_the_first_of_two_scripts_for_one_state_is_kept() -> None:
    assert corrected("notify_master /bin/a\nnotify_master /bin/b\nnotify_backup /bin/c") == [
        "notify_master: there is one already, and the first is kept; remove one"
    ]
    hooks = router(instance("notify_master /bin/a\nnotify_master /bin/b\nnotify_backup /bin/c")).hooks.commands
    assert [command.argv for _, command in hooks] == [("/bin/a",), ("/bin/c",)]


def test_names_of_routing_tables_are_those_of_iproute2() -> None:
    files = {
        "/etc/iproute2/rt_tables": "255 local\n77\tblue # a comment\nnonsense\n",
        "/etc/iproute2/rt_tables.d/x.conf": "78 red\n",
    }

    def find(pattern: str, folder: str) -> list[tuple[str, str | None]]:
        return [(path, text) for path, text in files.items() if fnmatch(path, pattern)]

    lines = "virtual_routes {\n10.9.0.0/16 dev eth0 table blue\n10.8.0.0/16 dev eth0 table red\n}\n"
    (found,) = parse(instance(lines), "f", find=find).config.routers
    assert [route.table for route in found.routes] == [77, 78]
    assert problems(instance(lines))[0].startswith("f:3: virtual_routes: 10.9.0.0/16: 'blue' is no routing table:")


def test_a_route_leads_into_a_tunnel() -> None:
    into_ip = "10.9.0.0/16 dev eth0 encap ip id 5 dst 10.1.1.9 mtu 1400"
    lines = f"virtual_routes {{\n{into_ip}\n10.8.0.0/16 dev eth0 encap mpls 16/17\n}}"
    one, other = router(instance(lines)).routes
    assert one.hops[0].encap == Encap(2, ((1, bytes(7) + b"\5"), (2, bytes((10, 1, 1, 9)))), "ip id 5 dst 10.1.1.9")
    assert one.metrics == ((2, 1400),)
    assert other.hops[0].encap == Encap(1, ((1, bytes.fromhex("0001000000011100")),), "mpls 16/17")


def test_a_route_has_one_family_but_for_a_gateway_that_says_its_own() -> None:
    found = router(
        instance("virtual_routes {\n10.9.0.0/16 via inet6 fe80::1 dev eth0\ndefault6 via fe80::1 dev eth0\n}")
    ).routes
    assert [(route.destination, route.hops[0].via) for route in found] == [
        ("10.9.0.0/16", "fe80::1"),
        ("::/0", "fe80::1"),
    ]
    assert "a route has one family" in problems(instance("virtual_routes {\n10.9.0.0/16 via fe80::1 dev eth0\n}"))[0]


def test_a_rule_says_one_thing_to_do() -> None:
    assert "says two things" in problems(instance("virtual_rules {\nfrom all table 5 nop preference 9\n}"))[0]
    assert "says nothing" in problems(instance("virtual_rules {\nfrom all preference 9\n}"))[0]
    (found,) = router(instance("virtual_rules {\nfrom all type blackhole ipproto tcp preference 9\n}")).rules
    assert (found.action, found.ip_proto) == (6, 6)


def test_in_a_sync_group_a_script_with_a_weight_is_not_tracked_and_an_interface_keeps_its_own() -> None:
    text = "vrrp_script s {\nscript /bin/false\nweight -20\n}\nvrrp_sync_group G {\ngroup {\nV\n}\n}\n"
    found = router(text + instance("track_script {\ns\n}\ntrack_interface {\neth1 weight -5\n}"))
    assert [(track.kind, track.weight) for track in found.tracks] == [("interface", -5)]
    assert found.needs == ()
