"""In a network namespace that others use too, what the bench puts there is found by its mark alone, and removed."""

from __future__ import annotations

from viplab.inject.nftables import DropRules
from viplab.inject.stranger import Stranger
from viplab.lab.command import run
from viplab.lab.libvirt.label import new_label
from viplab.lab.marks import address_words, link_words, mark_with, marked
from viplab.lab.owner import this_process
from viplab.lab.sandbox import LAB, contained
from viplab.observe.census import _forgetting, table


def links() -> list[str]:
    """The names of all links, and all addresses."""
    named = [line.split()[0] for line in run(["ip", "-br", "link", "show"]).splitlines()]
    return [*named, *run(["ip", "-br", "-4", "address", "show"]).split()[2:]]


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
