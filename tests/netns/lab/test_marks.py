"""In a network namespace that others use too, what the bench puts there is found by its mark alone, and removed."""

from __future__ import annotations

import re
from pathlib import Path

from viplab.address_family import IPV6
from viplab.inject.nftables import DropRules
from viplab.inject.stranger import Stranger
from viplab.lab.bridge_ipv6 import SETTINGS
from viplab.lab.command import run
from viplab.lab.ipv6 import client_has_ipv6
from viplab.lab.libvirt.label import new_label
from viplab.lab.marks import address_words, link_words, mark_with, marked
from viplab.lab.owner import this_process
from viplab.lab.sandbox import LAB, contained
from viplab.lab.topology import CLIENTS
from viplab.observe.census import _forgetting, table


def links() -> list[str]:
    """The names of all links, and all addresses."""
    named = [line.split()[0] for line in run(["ip", "-br", "link", "show"]).splitlines()]
    return [*named, *run(["ip", "-br", "-4", "address", "show"]).split()[2:]]


def ipv6() -> tuple[list[str], set[str]]:
    """The settings that the bench changes on the bridge, and the addresses that it has."""
    conf = Path("/proc/sys/net/ipv6/conf/virbr0")
    addresses = run(["ip", "-6", "-oneline", "address", "show", "dev", "virbr0", "scope", "global"])
    return [(conf / key).read_text() for key in SETTINGS], set(re.findall(r"inet6 (\S+)", addresses))


def test_ports_rules_and_addresses_of_the_bench_are_found_by_their_mark_and_nobody_else_s_are_touched() -> None:
    def check() -> None:
        bridge = "link add virbr0 type bridge\nlink set virbr0 up\naddress add 192.168.122.1/24 dev virbr0\n"
        theirs = "link add viplab-from9 type bridge\nlink set viplab-from9 alias viplab-of-mine\n"
        run(["ip", "-batch", "-"], stdin=bridge + theirs)
        run(["nft", "-f", "-"], stdin="add table bridge viplab-7\n")
        before = links(), run(["nft", "list", "ruleset"])
        label = new_label(this_process())
        assert list(marked(label)) == []
        assert link_words() == address_words("virbr0") == []

        mark_with(label)
        Stranger("virbr0", [bytes(60)], 10)
        DropRules("bridge", {"forward": "ether type arp"})
        run(["nft", "-f", "-"], stdin=_forgetting(table("census")))
        run(["ip", "address", "replace", "192.168.122.2/32", "dev", "virbr0", *address_words("virbr0")])
        found = list(marked(label))
        assert [what.partition(" ")[0] for what, _, _ in found] == ["link", "table", "table", "address"]
        assert {whose for _, whose, _ in found} == {label}
        for _, _, remove in found:
            remove()
        assert (links(), run(["nft", "list", "ruleset"])) == before

    contained(check, LAB)


def test_a_bridge_that_a_killed_trial_left_with_ipv6_gets_back_what_it_had() -> None:
    def check() -> None:
        theirs, killed = "2001:db8::1/64", []  # kept, or they would come to their ends
        for had, kept in (("1", []), ("0", [theirs]), ("0", [theirs, CLIENTS[IPV6].ip])):
            run(["ip", "link", "add", "virbr0", "type", "bridge"])
            (Path("/proc/sys/net/ipv6/conf/virbr0") / "disable_ipv6").write_text(had)
            for address in kept:
                run(["ip", "address", "add", address, "dev", "virbr0"])
            before = links(), ipv6()
            label = new_label(this_process())
            mark_with(label)
            killed.append(client_has_ipv6("virbr0"))
            killed[-1].__enter__()
            run(["ip", "address", "replace", f"{CLIENTS[IPV6].probe}/128", "dev", "virbr0"])
            assert ipv6() != before[1]
            ((what, whose, put_back),) = marked(label)
            assert (what, whose) == ("IPv6 on virbr0", label)
            put_back()
            assert (links(), ipv6()) == before
            run(["ip", "link", "del", "virbr0"])

    contained(check, LAB)


def test_a_trial_that_ends_leaves_no_mark_and_a_bridge_that_is_gone_is_not_missed() -> None:
    def check() -> None:
        run(["ip", "link", "add", "virbr0", "type", "bridge"])
        before, label = links(), new_label(this_process())
        mark_with(label)
        with client_has_ipv6("virbr0"):
            assert len(list(marked(label))) == 1
        assert list(marked(label)) == []
        assert links() == before
        killed = client_has_ipv6("virbr0")
        killed.__enter__()
        run(["ip", "link", "del", "virbr0"])
        ((_, _, put_back),) = marked(label)
        put_back()
        assert list(marked(label)) == []

    contained(check, LAB)
