"""What a router needs besides the interface of its adverts: interfaces that carry what a master sets, and its source.

One host with one router for each way to need an interface, each on a pair of its own; keepalived 2.2.7 was measured to
do the same for every one of them, except where `docs/vipd.md` says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.hosts import Hosts

_NEEDS = {
    "address": "virtual_ipaddress {{\n10.9.{n}.1/24 dev d{n}\n}}",
    "excluded": "virtual_ipaddress_excluded {{\n10.9.{n}.1/24 dev d{n}\n}}",
    "route": "virtual_routes {{\n10.8.{n}.0/24 dev d{n}\n}}",
    "rule_iif": "virtual_rules {{\nfrom 10.8.{n}.0/24 iif d{n} table 100 preference 5{n}\n}}",
    "rule_oif": "virtual_rules {{\nfrom 10.8.{n}.0/24 oif d{n} table 100 preference 5{n}\n}}",
    "without_primary": "dont_track_primary\nvirtual_ipaddress {{\n10.9.{n}.1/24 dev d{n}\n}}",
}
_ANYWAY = {
    "no_track": "virtual_ipaddress {{\n10.9.{n}.1/24 dev d{n} no_track\n}}",
    "route_no_track": "virtual_routes {{\n10.8.{n}.0/24 dev d{n} no_track\n}}",
    "rule_no_track": "virtual_rules {{\nfrom 10.8.{n}.0/24 iif d{n} table 100 preference 5{n} no_track\n}}",
}
_LINES = {name: lines.format(n=n) for n, (name, lines) in enumerate({**_NEEDS, **_ANYWAY}.items(), 1)}


def instance(name: str, vrid: int, lines: str) -> str:
    own = "" if "virtual_ipaddress {" in lines else f"virtual_ipaddress {{\n10.0.0.{100 + vrid}/24\n}}\n"
    head = f"interface eth0\nversion 3\nadvert_int 0.2\nvirtual_router_id {vrid}"
    return f"vrrp_instance {name} {{\n{head}\n{lines}\n{own}}}\n"


def states(hosts: Hosts) -> dict[str, str]:
    return {name: one["state"] for name, one in hosts.status("A").items()}


@pytest.fixture
def started(hosts: Hosts) -> Iterator[Hosts]:
    for n in range(1, len(_LINES) + 1):
        hosts.run(
            f"ip -n A link add d{n} type veth peer name e{n} && ip -n A link set d{n} up && ip -n A link set e{n} up"
        )
    text = "".join(instance(name, vrid, lines) for vrid, (name, lines) in enumerate(_LINES.items(), 1))
    (hosts.folder / "A.conf").write_text("global_defs {\ndynamic_interfaces\n}\n" + text)
    hosts.launch("A", "keepalived-2")
    hosts.wait("all to be master", lambda: set(states(hosts).values()) == {"master"})
    yield hosts


def test_a_router_is_in_fault_while_an_interface_that_carries_something_of_it_is_down_or_gone(started: Hosts) -> None:
    for fault, heal in (
        ("link set d{n} down", "link set d{n} up"),
        ("link set e{n} down", "link set e{n} up"),
        ("link set d{n} down name x{n}", "link set x{n} name d{n} up"),
        ("link del d{n}", "link add d{n} up type veth peer name e{n} && ip -n A link set e{n} up"),
    ):
        for n in range(1, len(_LINES) + 1):
            started.run(f"ip -n A {fault.format(n=n)}")
        wanted = {name: "initialize" if name in _NEEDS else "master" for name in _LINES}
        started.wait(f"fault after {fault}", lambda: states(started) == wanted)  # noqa: B023
        assert "10.9.1.1" not in started.run("ip -n A addr"), "nor is it left on one that was renamed"
        for n in range(1, len(_LINES) + 1):
            started.run(f"ip -n A {heal.format(n=n)}")
        started.wait("all to be master again", lambda: set(states(started).values()) == {"master"})
    assert "Traceback" not in started.log("A")


def test_a_source_address_that_is_not_there_is_a_fault_until_it_comes(hosts: Hosts) -> None:
    unicast = "unicast_src_ip 10.7.0.{n}\nunicast_peer {{\n10.0.0.3\n}}"
    ways = {
        "unicast": unicast,
        "tracked": "mcast_src_ip 10.7.0.{n}\ntrack_src_ip",
        "without_primary": "dont_track_primary\n" + unicast,
        "multicast": "mcast_src_ip 10.7.0.{n}",
    }
    text = "".join(instance(name, n, lines.format(n=n)) for n, (name, lines) in enumerate(ways.items(), 1))
    (hosts.folder / "A.conf").write_text(text)
    hosts.launch("A", "keepalived-2")
    lost = {name: "master" if name == "multicast" else "initialize" for name in ways}
    for _ in range(2):
        hosts.wait("fault without the address", lambda: states(hosts) == lost)
        for n in range(1, len(ways) + 1):
            hosts.run(f"ip -n A addr add 10.7.0.{n}/32 dev eth1")
        hosts.wait("a master with the address", lambda: set(states(hosts).values()) == {"master"})
        for n in range(1, len(ways) + 1):
            hosts.run(f"ip -n A addr del 10.7.0.{n}/32 dev eth1")
    assert "(unicast) the address to send from is missing (eth0)" in hosts.log("A")


def test_the_first_address_that_cannot_be_announced_silences_no_other(hosts: Hosts) -> None:
    hosts.run("ip -n A link set eth1 down")
    addresses = "10.2.2.2/24 dev eth1 no_track\n10.0.0.51\n10.0.0.52"
    (hosts.folder / "A.conf").write_text(instance("V", 7, f"virtual_ipaddress {{\n{addresses}\n}}"))
    hosts.spawn("ip netns exec client tcpdump -lni interconnect arp", "arp.txt")
    hosts.wait("tcpdump", lambda: any("listening" in line for line in hosts.read("arp.txt")))
    hosts.launch("A", "keepalived-2")
    for address in ("10.0.0.51", "10.0.0.52"):
        hosts.wait(f"{address} announced", lambda: any(f"who-has {address} " in line for line in hosts.read("arp.txt")))  # noqa: B023


def test_an_interface_that_is_not_there_refuses_the_start_and_a_reload(hosts: Hosts) -> None:
    missing = instance("V", 7, "virtual_routes {\n10.8.0.0/16 dev eth9\n}")
    (hosts.folder / "A.conf").write_text(missing)
    hosts.launch("A", "keepalived-2")
    said = (
        "A.conf:6: virtual_routes: there is no eth9 on this host; create it, or add dynamic_interfaces to global_defs"
    )
    hosts.wait("the refusal", lambda: said in hosts.log("A"))
    (hosts.folder / "B.conf").write_text(instance("V", 7, ""))
    hosts.launch("B", "keepalived-2")
    hosts.wait("B to be master", lambda: hosts.status("B")["V"]["state"] == "master")
    (hosts.folder / "B.conf").write_text(missing)
    hosts.run("kill -HUP $(cat /run/B.pid)")
    hosts.wait("the reload's refusal", lambda: "the old one stays in force" in hosts.log("B"))
    assert "there is no eth9 on this host" in hosts.log("B")
    assert hosts.status("B")["V"]["state"] == "master"


def test_a_router_that_does_not_track_its_interface_stays_master_without_it(hosts: Hosts) -> None:
    (hosts.folder / "A.conf").write_text(instance("V", 7, "dont_track_primary") + instance("W", 8, ""))
    hosts.launch("A", "keepalived-2")
    hosts.wait("both to be master", lambda: set(states(hosts).values()) == {"master"})

    def adverts() -> int:
        return int(hosts.status("A")["V"]["statistics"]["advertisement-sent"])

    hosts.run("ip -n A link set eth0 down")
    hosts.wait("the other to be in fault", lambda: states(hosts)["W"] == "initialize")
    before = adverts()
    hosts.wait("more adverts than make a fault of others", lambda: adverts() > before + 8)
    assert states(hosts)["V"] == "master"
    assert "10.0.0.107" in hosts.run("ip -n A addr")


def test_a_master_gives_way_when_somebody_deletes_a_route_or_rule_of_its_own(hosts: Hosts) -> None:
    ways = {
        "route": ("virtual_routes {\n10.8.1.0/24 dev eth1\n}", "route", "10.8.1.0/24"),
        "route6": ("virtual_routes {\n2001:db8:8::/64 dev eth1 table 77\n}", "-6 route", "2001:db8:8::/64 table 77"),
        "rule": ("virtual_rules {\nfrom 10.8.3.0/24 table 100 preference 51\n}", "rule", "preference 51"),
        "rule6": ("virtual_rules {\nfwmark 7 inet6 goto 60 preference 52\n}", "-6 rule", "preference 52"),
        "untracked": ("virtual_routes {\n10.8.5.0/24 dev eth1 no_track\n}", "route", "10.8.5.0/24"),
    }
    text = "".join(instance(name, n, lines) for n, (name, (lines, *_)) in enumerate(ways.items(), 1))
    (hosts.folder / "A.conf").write_text(text)
    hosts.launch("A", "keepalived-2")
    hosts.wait("all to be master", lambda: set(states(hosts).values()) == {"master"})
    for name, (_, kind, what) in reversed(ways.items()):
        hosts.run(f"ip -n A {kind} del {what}")
        if name != "untracked":
            said = f"({name}) somebody else removed a virtual address, route or rule"
            hosts.wait(f"{name} to give way", lambda: said in hosts.log("A"))  # noqa: B023
            hosts.wait(f"{name} to be set again", lambda: hosts.run(f"ip -n A {kind} show {what}") != "")  # noqa: B023
    hosts.wait("all to be master again", lambda: set(states(hosts).values()) == {"master"})
    assert hosts.log("A").count("somebody else removed") == len(ways) - 1, "what vipd removes itself is no loss"
    assert not hosts.run("ip -n A route show 10.8.5.0/24")
    hosts.run("kill -HUP $(cat /run/A.pid)")
    hosts.wait("a reload to set it again", lambda: hosts.run("ip -n A route show 10.8.5.0/24") != "")
