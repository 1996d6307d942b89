"""The set-up checks, by the claim that each decides: what else is taken care of by hand, looked at on the guests."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from viplab.lab.lab import Fact, Lab
from viplab.lab.topology import CLIENTS
from viplab.observe.neighbours import neighbour_table
from viplab.observe.watch import Watch
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.types import HostName


@dataclass(frozen=True)
class SetUp:
    """What the checks look at."""

    lab: Lab
    assignment: Assignment
    scenario: Scenario
    watch: Watch
    transcript: Path


def _as_the_lab_says(name: str) -> Callable[[SetUp], Fact]:
    return lambda on: on.lab.describe()[name]


def _daemon(on: SetUp) -> Fact:
    versions = {name: on.assignment.on(name).version(guest) for name, guest in on.lab.hosts.items()}
    return len(set(versions.values())) == 1, "; ".join(f"{name}: {version}" for name, version in versions.items())


def _nonlocal_bind(on: SetUp) -> Fact:
    values = {name: g.run("cat /proc/sys/net/ipv4/ip_nonlocal_bind").stdout.strip() for name, g in on.lab.hosts.items()}
    said = ", ".join(f"{name}: net.ipv4.ip_nonlocal_bind = {value}" for name, value in values.items())
    return set(values.values()) == {"1"}, said


def _firewall(on: SetUp) -> Fact:
    rules = {name: guest.run("nft list ruleset").stdout.strip() for name, guest in on.lab.hosts.items()}
    heard = on.watch.seen.advertiser
    open_ = not any(rules.values())
    said = "no firewall rule on either guest" if open_ else "there are firewall rules in a guest"
    none, group = on.assignment.protocol(on.scenario) == "none", on.scenario.vrrp.family.vrrp_group
    what = "announcements" if none else f"adverts to {group}"
    return open_ and heard is not None, f"{said}; {what} seen from {heard or 'nobody'}"


def _configuration(host: HostName) -> Callable[[SetUp], Fact]:
    def check(on: SetUp) -> Fact:
        guest, node = on.lab.hosts[host], on.scenario.hosts[host]
        wanted = on.assignment.on(host).configuration(on.scenario, host)
        same = all(guest.get(path) == text.encode() for path, text in wanted.items())
        return same, f"{', '.join(wanted)} on {host}: state {node.state}, priority {node.priority}"

    return check


def _init_script(on: SetUp) -> Fact:
    running = {name: on.assignment.on(name).processes(guest) for name, guest in on.lab.hosts.items()}
    pids = "; ".join(f"{name}: process {', '.join(map(str, ids))}" for name, ids in running.items())
    commands = dict.fromkeys(subject.start_command.partition(" >")[0] for subject in on.assignment.subjects)
    return all(running.values()), f"`{'` and `'.join(commands)}` on both; {pids}"


def _baseline(on: SetUp) -> Fact:
    text = on.transcript.read_text(encoding="utf-8", errors="replace")
    found = re.search(r"(\d+) packets transmitted, (\d+) received", text)
    if found is None:
        return False, "the ping printed no statistics"
    sent, received = int(found[1]), int(found[2])
    return sent == received > 0, f"{received} of {sent} answered"


def _arp_entry(on: SetUp) -> Fact:
    vip, family = on.scenario.vrrp.vip, on.scenario.vrrp.family
    mac = on.assignment.virtual_mac(on.scenario) or on.lab.hosts["A"].host.interface("eth1").mac
    lines = neighbour_table(family).splitlines()
    line = next((line for line in lines if family.entry(line, vip)), f"no entry for {vip} on {CLIENTS[family].address}")
    return mac in line, line


CHECKS: dict[str, Callable[[SetUp], Fact]] = {
    "P1": _as_the_lab_says("networks"),
    "P2": _as_the_lab_says("clone"),
    "P3": _daemon,
    "P4": _nonlocal_bind,
    "P5": _firewall,
    "P6": _configuration("A"),
    "P7": _configuration("B"),
    "P8": _init_script,
    "P9": _baseline,
    "P10": _arp_entry,
}
