"""What a cluster of corosync and Pacemaker is told of a scenario."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from viplab.scenario.load import resolve
from viplab.scenario.model import Node, Scenario
from viplab.scenario.vrrp import Vrrp
from viplab.subjects.pacemaker import Pacemaker, cib, corosync_conf


def asking(**vrrp: object) -> Scenario:
    ((_, scenario),) = resolve(["failover"])
    return scenario.model_copy(update={"vrrp": Vrrp.model_validate(vrrp)})


def parameters(root: Element, name: str) -> dict[str | None, str | None]:
    pairs = root.findall(f".//primitive[@id='{name}']/instance_attributes/nvpair")
    return {pair.get("name"): pair.get("value") for pair in pairs}


def test_every_host_of_a_cluster_is_told_the_same() -> None:
    scenario = asking()
    assert Pacemaker().configuration(scenario, "A") == Pacemaker().configuration(scenario, "B")


def test_each_host_is_a_node_by_its_address_on_the_interface_of_the_adverts() -> None:
    text = corosync_conf(asking(interface="eth0"))
    assert [line.split()[1] for line in text.splitlines() if "ring0_addr" in line] == ["10.10.10.11", "10.10.10.12"]
    assert [line.split()[1] for line in text.splitlines() if " name:" in line] == ["a", "b"]


@pytest.mark.parametrize(("hosts", "alone"), [("AB", True), ("ABC", False)])
def test_only_of_two_hosts_one_may_go_on_alone(hosts: str, *, alone: bool) -> None:
    nodes = {host: Node(state="BACKUP", priority=100) for host in hosts}
    assert ("two_node: 1" in corosync_conf(asking().model_copy(update={"hosts": nodes}))) is alone


def test_a_line_of_virtual_ipaddress_is_an_ipaddr2_with_its_network_card_and_label() -> None:
    root = fromstring(cib(asking(virtual_ipaddress=["192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0"])))
    assert parameters(root, "address-0") == {
        "ip": "192.168.122.50",
        "cidr_netmask": "24",
        "broadcast": "192.168.122.255",
        "nic": "eth1",
        "iflabel": "0",
    }


def test_all_addresses_are_in_one_group_which_the_priorities_place() -> None:
    root = fromstring(cib(asking(virtual_ipaddress=["192.168.122.50-52/24 dev eth1"])))
    group = root.find(".//group")
    assert group is not None
    assert len(group.findall("primitive")) == 3
    places = {place.get("node"): place.get("score") for place in root.findall(".//rsc_location[@node]")}
    assert places == {host.lower(): str(node.priority) for host, node in asking().hosts.items()}


def test_an_interface_is_tracked_on_each_host_only_where_that_is_asked_for() -> None:
    assert fromstring(cib(asking())).find(".//clone") is None
    root = fromstring(cib(asking(track_interface=["eth1"])))
    assert parameters(root, "ethmonitor-eth1")["interface"] == "eth1"
    tests = {test.get("operation") for test in root.findall(".//rule[@score='-INFINITY']/expression")}
    assert tests == {"not_defined", "ne"}, "neither a link that is down nor one that nobody has looked at yet"


def test_addresses_stay_where_they_are_only_with_nopreempt() -> None:
    assert fromstring(cib(asking())).find(".//rsc_defaults") is None
    (pair,) = fromstring(cib(asking(nopreempt=True))).findall(".//rsc_defaults//nvpair")
    assert (pair.get("name"), pair.get("value")) == ("resource-stickiness", "INFINITY")


def test_ids_are_there_once() -> None:
    many = asking(track_interface=["eth0", "eth1"], virtual_ipaddress=["192.168.122.50-99/24 dev eth1"])
    ids = [each.get("id") for each in fromstring(cib(many)).iter() if each.get("id")]
    assert len(ids) == len(set(ids))
