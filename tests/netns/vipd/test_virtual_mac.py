"""Clauses that only a real kernel can show: the virtual MAC, what hosts see of it, and version 3 on the wire.

One sandbox: host m with masters and host b with backups on a bridge with a client, three routers each: version 2 and
version 3 over IPv4, and version 3 over IPv6, all with `use_vmac`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6ND_NA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.utils import rdpcap

from support.hosts import Sandbox
from vipd.kernel.macvlan import virtual_mac

_ROUTERS = (
    ("V2", 51, 2, "192.0.2.50/24"),
    ("V3", 52, 3, "192.0.2.60/24"),
    ("V6", 53, 3, "fe80::50/64\n  2001:db8::50/64"),
)
_INSTANCE = """\
vrrp_instance {name} {{
 version {version}
 interface eth0
 virtual_router_id {vrid}
 priority {priority}
 use_vmac
 virtual_ipaddress {{
  {addresses}
 }}
}}
"""
_HOST = """
set -e
ip netns add {host}; ip -n {host} link set lo up
ip link add v{host} type veth peer name eth0 netns {host}
ip link set v{host} master br0 up
ip -n {host} link set eth0 address 52:54:00:00:00:0{number}
ip -n {host} link set eth0 up
ip -n {host} addr add 192.0.2.{number}/24 dev eth0
ip -n {host} addr add 2001:db8::{number}/64 dev eth0 nodad
ip netns exec {host} sysctl -qw net.ipv6.conf.all.forwarding=1
"""
PHYSICAL = "52:54:00:00:00:02"
MACS = {51: virtual_mac(51, 4).hex(":"), 52: virtual_mac(52, 4).hex(":"), 53: virtual_mac(53, 6).hex(":")}


class Scene(Sandbox):
    """The sandbox, its hosts, and what was captured of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run("ip link add br0 type bridge && ip link set br0 up")
        self.run("ip addr add 192.0.2.1/24 dev br0 && ip addr add 2001:db8::1/64 dev br0 nodad")
        self.pcap = folder / "wire.pcap"
        self.spawn(f"tcpdump -U -i br0 -w {self.pcap}", "tcpdump.log")
        self.wait("tcpdump", lambda: b"listening on" in (folder / "tcpdump.log").read_bytes())
        for host, number, priority in (("m", 2, 200), ("b", 3, 100)):
            self.run(_HOST.format(host=host, number=number))
            instances = (
                _INSTANCE.format(name=name, version=version, vrid=vrid, priority=priority, addresses=addresses)
                for name, vrid, version, addresses in _ROUTERS
            )
            (folder / f"{host}.conf").write_text("".join(instances))
        for host, said in (("m", "Entering MASTER STATE"), ("b", "Entering BACKUP STATE")):
            self.spawn(
                f"ip netns exec {host} {self.vipd} -n -l -D -f {folder}/{host}.conf -p /run/{host}.pid",
                f"{host}.log",
            )
            log = folder / f"{host}.log"
            self.wait(f"{host}: {said}", lambda log=log, said=said: log.exists() and log.read_text().count(said) >= 3)  # type: ignore[misc]
        for address in ("192.0.2.50", "192.0.2.60", "2001:db8::50"):
            self.wait(
                f"{address} to answer",
                lambda address=address: "1 received" in self.run(f"ping -c1 -W1 {address}", check=False),
            )  # type: ignore[misc]
        self.wait("adverts", lambda: len(self.adverts()) >= 9)

    def frames(self) -> list[Ether]:
        return list(rdpcap(str(self.pcap)))

    def adverts(self) -> list[Ether]:
        """Adverts, of IPv4 and IPv6."""
        return [
            frame
            for frame in self.frames()
            if (IP in frame and frame[IP].proto == 112) or (IPv6 in frame and frame[IPv6].nh == 112)
        ]

    def links(self, host: str) -> dict[str, dict[str, object]]:
        return {link["ifname"]: link for link in json.loads(self.run(f"ip -n {host} -j addr show"))}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(Path(tmp_path_factory.mktemp("vmac")))
    try:
        yield made
    finally:
        made.close()


def of(scene: Scene, layer: type) -> list[Ether]:
    """Adverts of version 3 over one family."""
    return [frame for frame in scene.adverts() if layer in frame and bytes(frame[layer].payload)[0] == 0x31]


def test_v3_pkt_01_source_is_the_primary_or_the_link_local_address(scene: Scene) -> None:
    assert {frame[IP].src for frame in of(scene, IP)} == {"192.0.2.2"}
    assert {frame[IPv6].src for frame in of(scene, IPv6)} == {"fe80::5054:ff:fe00:2"}


def test_v3_pkt_02_destination_is_the_group(scene: Scene) -> None:
    assert {frame[IP].dst for frame in of(scene, IP)} == {"224.0.0.18"}
    assert {frame[IPv6].dst for frame in of(scene, IPv6)} == {"ff02::12"}


def test_v3_pkt_03_ttl_and_hop_limit_are_255(scene: Scene) -> None:
    assert {frame[IP].ttl for frame in of(scene, IP)} == {255} == {frame[IPv6].hlim for frame in of(scene, IPv6)}


def test_v3_pkt_04_protocol_and_next_header_are_112(scene: Scene) -> None:
    assert {frame[IP].proto for frame in of(scene, IP)} == {112} == {frame[IPv6].nh for frame in of(scene, IPv6)}


def test_v2_tx_02_source_mac_is_the_virtual_router_s(scene: Scene) -> None:
    adverts = [frame for frame in scene.adverts() if IP in frame and bytes(frame[IP].payload)[:2] == b"\x21\x33"]
    assert {frame.src for frame in adverts} == {MACS[51]}


def test_v3_tx_01_source_mac_is_the_virtual_router_s(scene: Scene) -> None:
    assert {frame.src for frame in of(scene, IP)} == {MACS[52]}
    assert {frame.src for frame in of(scene, IPv6)} == {MACS[53]}


def test_v3_iid_01_no_interface_identifier_is_made_of_the_virtual_mac(scene: Scene) -> None:
    for host in ("m", "b"):
        for name, link in scene.links(host).items():
            if name.startswith("vrrp"):
                addresses = [address["local"] for address in link["addr_info"]]  # type: ignore[attr-defined]
                assert not any("5eff:fe" in address for address in addresses), addresses


def assert_macvlans_down(scene: Scene, host: str) -> None:
    found = [link for name, link in scene.links(host).items() if name.startswith("vrrp")]
    assert len(found) == 3
    for link in found:
        assert "UP" not in link["flags"]  # type: ignore[operator]
        assert link["addr_info"] == []


def test_v2_fsm_04_a_backup_takes_no_frame_to_the_virtual_mac(scene: Scene) -> None:
    assert_macvlans_down(scene, "b")


def test_v3_fsm_06_a_backup_takes_no_frame_to_the_virtual_mac_and_no_packet_to_an_address(scene: Scene) -> None:
    assert_macvlans_down(scene, "b")


def test_v2_host_02_arp_is_answered_with_the_virtual_mac(scene: Scene) -> None:
    answered = {frame[ARP].hwsrc for frame in scene.frames() if ARP in frame and frame[ARP].psrc == "192.0.2.50"}
    assert answered == {MACS[51]}


def test_v2_host_03_no_arp_for_an_address_has_the_physical_mac(scene: Scene) -> None:
    for frame in scene.frames():
        if ARP in frame and frame[ARP].psrc in ("192.0.2.50", "192.0.2.60"):
            assert frame.src == frame[ARP].hwsrc != PHYSICAL


def test_v3_fsm_12_arp_is_answered_with_the_virtual_mac(scene: Scene) -> None:
    answers = [
        frame for frame in scene.frames() if ARP in frame and frame[ARP].op == 2 and frame[ARP].psrc == "192.0.2.60"
    ]
    assert answers
    assert {frame[ARP].hwsrc for frame in answers} == {MACS[52]}


def test_v3_fsm_13_neighbour_solicitations_are_answered_with_router_flag_and_virtual_mac(scene: Scene) -> None:
    answers = [
        frame
        for frame in scene.frames()
        if ICMPv6ND_NA in frame and frame[ICMPv6ND_NA].tgt == "2001:db8::50" and frame[ICMPv6ND_NA].S
    ]
    assert answers
    assert {(frame[ICMPv6ND_NA].R, frame[ICMPv6ND_NA].lladdr) for frame in answers} == {(1, MACS[53])}


def test_v3_host_01_no_neighbour_message_for_an_address_has_the_physical_mac(scene: Scene) -> None:
    for frame in scene.frames():
        if IPv6 in frame and frame[IPv6].nh == 58 and frame[IPv6].src in ("2001:db8::50", "fe80::50"):
            assert frame.src == MACS[53]


def assert_forwarded_through(scene: Scene, gateway: str) -> None:
    scene.run(
        "ip -n b addr add 198.51.100.1/32 dev lo; ip -n m route replace 198.51.100.1 via 192.0.2.3 dev eth0;"
        "ip netns exec m sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0;"
        f"ip route replace 198.51.100.1 via {gateway}",
        check=False,
    )
    assert "1 received" in scene.run("ping -c1 -w60 198.51.100.1", check=False)


def test_v2_fsm_11_a_master_forwards_frames_to_the_virtual_mac(scene: Scene) -> None:
    assert_forwarded_through(scene, "192.0.2.50")


def test_v3_fsm_14_active_forwards_frames_to_the_virtual_mac(scene: Scene) -> None:
    assert_forwarded_through(scene, "192.0.2.60")


def test_leftovers_of_a_killed_daemon_are_found_and_settled(scene: Scene) -> None:
    before = scene.links("m")["vrrp.51"]["ifindex"]
    scene.run("ip -n b link set eth0 down; kill -KILL $(cat /run/m.pid)")
    config = scene.folder / "m.conf"
    config.write_text(config.read_text().split("vrrp_instance V3")[0])
    scene.spawn(
        f"ip netns exec m {scene.vipd} -n -l -D -f {config} -p /run/m.pid",
        "m2.log",
    )
    said = scene.folder / "m2.log"
    scene.wait("the start", lambda: said.exists() and "Entering BACKUP STATE (init)" in said.read_text())
    links = scene.links("m")
    assert set(links) == {"lo", "eth0", "vrrp.51"}, "those of routers that are configured no more are gone"
    assert links["vrrp.51"]["ifindex"] == before
    scene.run("kill -TERM $(cat /run/m.pid)")
    scene.wait("the end", lambda: set(scene.links("m")) == {"lo", "eth0"})
