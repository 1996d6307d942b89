"""Every rule, in one table, and the warnings that they make of the files of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from viplab.lint import cluster_rules, instance_rules
from viplab.lint.finding import Found, Rule
from viplab.lint.read import Cluster

RULES = (
    Rule(
        name="equal-priorities",
        title="Two nodes have the same priority.",
        danger="A router takes over from a living master only with a priority that is strictly greater, so that the "
        "address stays wherever the last accident has put it. Between two that start together the address decides.",
        scenario="both-masters",
        shown="both have 101, and who has the address is whoever came last, or first: as the daemon's version has it",
        find=cluster_rules.equal_priorities,
    ),
    Rule(
        name="master-on-both",
        title="Two nodes have `state MASTER`.",
        danger="keepalived 1.2 calls for an election as it starts, which takes the address from a master of the same "
        "priority; keepalived 2 waits, and leaves out `nopreempt` and `preempt_delay` beside `state MASTER`.",
        scenario="both-masters",
        shown="the second host starts, and with keepalived 1.2's behaviour takes the address from one that serves it",
        find=cluster_rules.master_on_both,
    ),
    Rule(
        name="untracked-interface",
        title="An address is on another interface than the adverts, and nothing is tracked.",
        danger="The interface of the address fails, adverts go on by the other, and nobody takes over. keepalived 2 "
        "tracks interfaces of addresses by itself unless an address has `no_track`; keepalived 1.2 does not.",
        scenario="interface-untracked",
        shown="with keepalived 1.2's behaviour the master stays master of an address that nobody can reach",
        find=instance_rules.untracked_interface,
    ),
    Rule(
        name="nopreempt-with-master",
        title="`nopreempt` stands beside `state MASTER`.",
        danger="`nopreempt` has its effect with `state BACKUP` only, so that the address moves back all the same, and "
        "each move costs an outage.",
        scenario="stop-and-return",
        shown="a host that comes back takes the address: two moves for one maintenance",
        find=instance_rules.nopreempt_with_master,
    ),
    Rule(
        name="unequal-addresses",
        title="The nodes do not have the same virtual addresses.",
        danger="An address that the new master lacks is served by nobody after a takeover; and in version 2 a backup "
        "discards adverts with another list, unless `skip_check_adv_addr` is set: a second master.",
        scenario="vip-removed",
        shown="a master that advertises without holding the address: nobody answers for it",
        find=cluster_rules.unequal_addresses,
    ),
    Rule(
        name="unicast-peers",
        title="Unicast peers do not name each other.",
        danger="Adverts reach one node and not the other, which takes over beside a living master: two owners.",
        scenario="one-way",
        shown="the master is heard by nobody, and both own the address",
        find=cluster_rules.unicast_peers,
    ),
    Rule(
        name="script-without-timeout",
        title="A script has no `timeout`.",
        danger="It is then ended after its interval and counts as failed: a host that is busy for a moment fails its "
        "check, and the address moves although the service is well.",
        scenario="busy-master",
        shown="everything on a busy host is late, by more than a short interval",
        find=instance_rules.script_without_timeout,
    ),
    Rule(
        name="idle-weights",
        title="Weights can never change the order of the nodes.",
        danger="Whatever is tracked may fail: the address stays where it is, with a host that cannot serve it.",
        scenario="port-silent",
        shown="nothing that the master tracks moves the address, and the client is cut off",
        find=cluster_rules.idle_weights,
    ),
    Rule(
        name="unequal-intervals",
        title="The nodes have different advert intervals.",
        danger="Version 2 discards an advert of another interval, so that both nodes are masters; in version 3 a "
        "takeover takes longer or shorter with whoever is master.",
        scenario="multicast-withheld",
        shown="adverts do not count at the backup, which takes over beside a healthy master",
        find=cluster_rules.unequal_intervals,
    ),
    Rule(
        name="long-password",
        title="`auth_pass` has more than 8 characters.",
        danger="Eight are sent, in every advert and readable by all; passwords that differ after them are the same. "
        "It keeps a mistake out, and no attacker.",
        scenario="stranger-outranks",
        shown="whoever can send on the interconnect takes the address from both hosts",
        find=instance_rules.long_password,
    ),
)


@dataclass(frozen=True)
class Warned:
    """A warning: what was found, and by which rule."""

    rule: Rule
    found: Found


def warnings(cluster: Cluster) -> list[Warned]:
    """Everything that the rules find, by the order of files and lines in which it stands."""
    order = {one.file: at for at, one in reversed(list(enumerate(cluster.instances)))}
    found = [Warned(rule, one) for rule in RULES for one in rule.find(cluster)]
    return sorted(found, key=lambda one: (order.get(one.found.place.file, len(order)), one.found.place.line))
