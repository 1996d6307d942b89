"""What vipd did not make it neither raises, takes down, deletes nor sends from; macvlans have a name each."""

from __future__ import annotations

import json

from support.hosts import Hosts

_HEAD = "version 3\nadvert_int 0.2"


def instance(name: str, lines: str, interface: str = "eth0", address: str = "10.0.0.50/24", vrid: int = 51) -> str:
    return (
        f"vrrp_instance {name} {{\ninterface {interface}\nvirtual_router_id {vrid}\n{_HEAD}\n{lines}\n"
        f"virtual_ipaddress {{\n{address}\n}}\n}}\n"
    )


def links(hosts: Hosts, host: str = "A") -> dict[str, dict[str, object]]:
    return {link["ifname"]: link for link in json.loads(hosts.run(f"ip -n {host} -j addr show"))}


def is_up(link: dict[str, object]) -> bool:
    return "UP" in link["flags"]  # type: ignore[operator]


def started(hosts: Hosts, host: str, *instances: str) -> None:
    (hosts.folder / f"{host}.conf").write_text("".join(instances))
    hosts.launch(host, "keepalived-2")


def masters(hosts: Hosts, host: str, *names: str) -> None:
    def all_masters() -> bool:
        status = hosts.status(host)
        return all(status[name]["state"] == "master" for name in names)

    hosts.wait(f"{names} to be master", all_masters)


def test_an_interface_whose_name_is_asked_for_stays_as_it_is(hosts: Hosts) -> None:
    hosts.run("ip -n A link add link eth1 name mac0 type macvlan mode bridge && ip -n A link set mac0 up")
    hosts.run("ip -n A link add vrrp.52 type veth peer name other && ip -n A link set vrrp.52 up")
    before = {name: link["flags"] for name, link in links(hosts).items()}
    started(
        hosts, "A",
        instance("physical", "use_vmac eth1"),
        instance("macvlan", "use_vmac mac0", vrid=50, address="10.0.0.51/24"),
        instance("default", "use_vmac", vrid=52, address="10.0.0.52/24"),
    )  # fmt: skip
    masters(hosts, "A", "physical", "macvlan", "default")
    found = links(hosts)
    assert {name: link["flags"] for name, link in found.items() if name in before} == before
    assert {"vrrp.51", "vrrp.50", "vrrp1.52"} == found.keys() - before.keys()
    assert "(physical) eth1 is another's interface; the macvlan is vrrp.51" in hosts.log("A")
    hosts.stop("A")
    assert {name: link["flags"] for name, link in links(hosts).items()} == before
    told = hosts.run(f"ip netns exec A {hosts.vipd} -t -f {hosts.folder}/A.conf 2>&1; echo $?")
    assert "A.conf:6: use_vmac: there is another's eth1 on this host, and vipd keeps off it" in told
    assert "mac0" in told
    assert told.endswith("\n5\n")


def test_two_interfaces_with_one_number_have_a_macvlan_each_and_one_master_each(hosts: Hosts) -> None:
    for host, priority in (("A", 150), ("B", 100)):
        started(
            hosts, host,
            instance("V", f"use_vmac\npriority {priority}"),
            instance("W", f"use_vmac\npriority {priority}", interface="eth1", address="192.168.122.50/24"),
        )  # fmt: skip
        if host == "A":
            masters(hosts, "A", "V", "W")
    hosts.wait("B to be backup", lambda: {one["state"] for one in hosts.status("B").values()} == {"backup"})
    found = links(hosts)
    assert found["vrrp.51"]["link"] == "eth0"
    assert found["vrrp1.51"]["link"] == "eth1"
    hosts.run("ip -n client addr add 10.0.0.1/24 dev interconnect")
    for address in ("10.0.0.50", "192.168.122.50"):
        hosts.wait(
            f"{address} to answer",
            lambda: "1 received" in hosts.run(f"ip netns exec client ping -c1 -W1 {address}", check=False),  # noqa: B023
        )
    assert {one["state"] for one in hosts.status("B").values()} == {"backup"}


def test_a_macvlan_is_up_though_adverts_leave_by_the_interface_below(hosts: Hosts) -> None:
    base = "use_vmac eth0v51v4\nvmac_xmit_base\nunicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.3\n}"
    started(hosts, "A", instance("V", base))
    masters(hosts, "A", "V")
    hosts.run("ip -n client addr add 10.0.0.1/24 dev interconnect")
    ping = "ip netns exec client ping -c1 -W1 10.0.0.50"
    hosts.wait("an answer", lambda: "1 received" in hosts.run(ping, check=False))
    hosts.run("ip -n A link set eth0v51v4 down")
    hosts.wait("it to be raised again", lambda: is_up(links(hosts)["eth0v51v4"]))
    hosts.run("ip -n A link set eth0 down")
    hosts.wait("a backup's to be down", lambda: not is_up(links(hosts)["eth0v51v4"]))
    hosts.run("ip -n A link set eth0 up")
    hosts.wait("an answer again", lambda: "1 received" in hosts.run(ping, check=False))


def test_a_macvlan_that_keepalived_left_is_taken_over_and_removed(hosts: Hosts) -> None:
    hosts.run("ip -n A link add link eth0 name vrrp.51 address 00:00:5e:00:01:33 type macvlan mode private")
    hosts.run("ip -n A link set vrrp.51 up && ip -n A addr add 10.0.0.50/24 dev vrrp.51")
    started(hosts, "A", instance("V", "use_vmac"))
    masters(hosts, "A", "V")
    hosts.stop("A")
    assert "vrrp.51" not in links(hosts)


def test_settings_of_the_interface_below_are_as_before_at_the_end(hosts: Hosts) -> None:
    def settings() -> str:
        return hosts.run("ip netns exec A sh -c 'cat /proc/sys/net/ipv4/conf/eth0/arp_*'")

    before = settings()
    started(hosts, "A", instance("V", "use_vmac"))
    masters(hosts, "A", "V")
    assert settings() != before
    hosts.stop("A")
    assert settings() == before
