"""Faults for real in namespaces: done when they should be, healed when they should be, and nothing of them left."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from support.scenarios import InNamespaces, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.faults import FaultKind, Sign
from viplab.faults.hostile import STRANGER_MAC
from viplab.lab.command import run
from viplab.lab.lab import Lab


def test_a_fault_of_another_package_ends_when_its_time_is_over_or_else_with_the_steps(
    doze: FaultKind, in_namespaces: InNamespaces
) -> None:
    steps = ("doze: {host: A, duration_ms: 300}", "observe: 0.5", "doze: {host: B}", "observe: 0.5")
    record = read_trial(in_namespaces.run(scenario(*steps)))
    assert record.all("error") == []
    (first, thawed, _), (second, last, _) = record.injected
    assert (first["host"], second["host"]) == ("A", "B")
    assert thawed is not None and last is not None
    assert thawed["before_ns"] - first["after_ns"] >= 300_000_000
    observed = [event.t_ns for event in record.all("step_finished")][-1]
    assert last["before_ns"] > observed
    assert [fault.dated_by for fault in record.faults] == ["marker", "marker"]
    view = view_trial(record)
    assert [fault.summary.outage_window_s for fault in view.faults] == [None, None]


LASTING = (
    "partition: {duration_ms: 1200}",
    "one_way: {host: A, duration_ms: 1200}",
    "adverts_lost: {host: A, share: 0.5, duration_ms: 1200, repeat: 2, interval_ms: 1500}",
    "port_silent: {host: B, duration_ms: 1200, interface: eth0}",
    "multicast_withheld: {host: B, duration_ms: 300, interface: eth0}",
    "port_locked: {host: A, duration_ms: 300}",
    "firewall: {host: B, interface: eth0, duration_ms: 1200}",
    "freeze: {host: B, duration_ms: 300}",
    "carrier_lost: {host: B, duration_ms: 300}",
    "link_flap: {host: B, duration_ms: 300}",
    "descriptors_out: {host: B, duration_ms: 300}",
    "address_removed: {host: B, interface: eth2, duration_ms: 300}",
    "foreign_adverts: {priority: 1, rate: 20, duration_ms: 300}",
    "foreign_adverts: {ttl: 64, duration_ms: 300}",
    "foreign_carp: {priority: 1, duration_ms: 300}",
    "arp_spoofed: {duration_ms: 300}",
    "announcements_limited: {rate: 1, duration_ms: 300}",
)


def test_every_fault_that_lasts_takes_is_healed_and_leaves_nothing(in_namespaces: InNamespaces) -> None:
    left: list[str] = []

    def listen(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "fault_healed":
            left.append(run(["nft", "list", "tables"]) + run(["bridge", "-details", "link", "show"]))

    record = read_trial(in_namespaces.run(scenario(*LASTING), listen=listen))
    assert record.all("error") == []
    assert len(record.injected) == len(LASTING) + 1
    for begin, end, kind in record.injected:
        assert end is not None, kind.name
        assert begin["duration_ns"] / 1e9 <= (end["after_ns"] - begin["before_ns"]) / 1e9, kind.name
        if Sign.FRAMES_SENT in kind.signs or kind.name in ("partition", "one_way", "port_silent"):
            assert end["frames"] > 0, kind.name
    of_the_bench = ("viplab-to", "mcast_flood off", "locked on", "bridge viplab", "arp viplab")
    assert [words for words in of_the_bench if any(words in text for text in left)] == []


OVER_IPV6 = (
    "foreign_adverts: {priority: 1, rate: 20, duration_ms: 300}",
    "foreign_adverts: {ttl: 64, duration_ms: 300}",
    "nd_spoofed: {duration_ms: 300}",
    "announcements_lost: {duration_ms: 300}",
    "announcements_limited: {rate: 1, duration_ms: 300}",
)


def test_strangers_and_withheld_announcements_are_the_same_over_ipv6(in_namespaces: InNamespaces) -> None:
    vrrp = "{version: 3, virtual_ipaddress: [fe80::50/64 dev eth1, 'fd00:122::50/64 dev eth1']}"
    record = read_trial(in_namespaces.run(scenario(*OVER_IPV6).replace("hosts:", f"vrrp: {vrrp}\nhosts:")))
    assert record.all("error") == []
    assert len(record.injected) == len(OVER_IPV6)
    for begin, end, kind in record.injected:
        assert end is not None, kind.name
        assert begin["duration_ns"] / 1e9 <= (end["after_ns"] - begin["before_ns"]) / 1e9, kind.name
        if Sign.FRAMES_SENT in kind.signs:
            assert end["frames"] > 0, kind.name
    # What a stranger announces is what the client believes.
    told = [event["mac"] for event in record.all("neighbour")]
    assert STRANGER_MAC in told


def test_a_firewall_without_vrrp_makes_two_masters_until_it_lets_vrrp_pass(in_namespaces: InNamespaces) -> None:
    walls = tuple(f"firewall: {{host: {host}, interface: eth0}}" for host in "AB")
    steps = (*walls, "wait: {master: B}", "observe: 1.5", "heal: firewall", "observe: 3")
    record = read_trial(in_namespaces.run(scenario(*steps)))
    assert (record.issues, record.all("error")) == ([], [])
    (_, healed, _) = record.injected[-1]
    assert healed is not None
    second = 1_000_000_000
    adverts = [(advert.time_ns, record.advertiser(advert)) for advert in record.adverts]
    # The last of B's may be on its way while the rule is added.
    assert {host for at_ns, host in adverts if at_ns < healed.t_ns} == {"A", "B"}
    assert {host for at_ns, host in adverts if at_ns > healed["after_ns"] + second} == {"A"}


def test_strangers_may_be_two_at_once_and_one_that_falls_silent_is_noticed(in_namespaces: InNamespaces) -> None:
    def listen(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "step_started" and event["step"].startswith("observe"):
            ports = [name for _, name in socket.if_nameindex() if name.startswith("viplab-from")]
            assert len(ports) == 2
            run(["ip", "link", "set", max(ports), "down"])

    steps = ("foreign_adverts: {ttl: 64, rate: 50}", "arp_spoofed: {rate: 50}", "observe: 0.5")
    record = read_trial(in_namespaces.run(scenario(*steps), listen=listen))
    assert record.all("error") == []
    failed = {kind.name: end["failed"] for _, end, kind in record.injected if end is not None}
    assert failed["foreign_adverts"] is None
    assert failed["arp_spoofed"] == "Network is down"


def test_a_fault_that_was_given_no_end_lasts_until_its_step_heals_it(in_namespaces: InNamespaces) -> None:
    steps = ("partition: {}", "wait: {master: B}", "heal: partition", "observe: 1")
    record = read_trial(in_namespaces.run(scenario(*steps)))
    assert record.all("error") == []
    ((begin, end, _),) = record.injected
    assert end is not None and end["frames"] > 0
    both = [advert for advert in record.adverts if begin.t_ns < advert.time_ns < end.t_ns]
    assert {record.advertiser(advert) for advert in both} == {"A", "B"}
    # The backup's timer ran from the last advert that it heard, not from the last that was sent.
    (view,) = view_trial(record).faults
    assert view.summary.deadline_excess_s is not None
    assert abs(view.summary.deadline_excess_s) < 0.5


def test_a_fault_is_healed_where_the_steps_break_off(doze: FaultKind, in_namespaces: InNamespaces) -> None:
    record = read_trial(in_namespaces.run(scenario("doze: {host: B}", "wait: {master: B, within: 1}")))
    assert len(record.all("error")) == 1
    ((_, healed, _),) = record.injected
    assert healed is not None


def test_a_cut_counts_what_it_drops_and_leaves_no_rule(in_namespaces: InNamespaces, tmp_path: Path) -> None:
    left = tmp_path / "left"

    def listen(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "fault_healed":
            left.write_text(run(["nft", "list", "tables"]))

    record = read_trial(in_namespaces.run(scenario("cut: {duration_ms: 1000}", "observe: 0.3"), listen=listen))
    ((_, healed),) = record.client_cuts
    assert healed is not None
    # Requests of the probe, or nothing but ARP once a second where the client looks for its neighbour just then.
    assert healed["frames"] >= 1
    assert left.read_text() == ""
