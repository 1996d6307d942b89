"""Accept_Mode on a real kernel: who answers for an address that is served, and who does not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import Sandbox

_INSTANCE = """\
vrrp_instance {name} {{
 version {version}
 interface eth0
 virtual_router_id {vrid}
 priority {priority}
 {more}
 virtual_ipaddress {{
  {addresses}
 }}
}}
"""
_ROUTERS = (
    ("V2", 51, 2, 100, "", "192.0.2.51/24"),
    ("V2_OWNER", 52, 2, 255, "", "192.0.2.52/24"),
    ("V3", 53, 3, 100, "", "192.0.2.53/24"),
    ("V3_ACCEPT", 54, 3, 100, "accept", "192.0.2.54/24"),
    ("V3_OWNER", 55, 3, 255, "", "192.0.2.55/24"),
    ("V6", 56, 3, 100, "", "fe80::56/64\n  2001:db8::56/64"),
    ("V6_ACCEPT", 57, 3, 100, "accept", "fe80::57/64\n  2001:db8::57/64"),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A client on a bridge with a host that is master of everything, in profile rfc9568."""
    sandbox = Sandbox(Path(tmp_path_factory.mktemp("accept")))
    try:
        sandbox.run(
            "ip link add br0 type bridge && ip link set br0 up && ip netns add m && ip -n m link set lo up &&"
            "ip addr add 192.0.2.1/24 dev br0 && ip addr add 2001:db8::1/64 dev br0 nodad &&"
            "ip link add vm type veth peer name eth0 netns m && ip link set vm master br0 up &&"
            "ip -n m link set eth0 up && ip -n m addr add 192.0.2.2/24 dev eth0 && ip netns exec m nft list tables"
        )
        fields = ("name", "vrid", "version", "priority", "more", "addresses")
        config = sandbox.folder / "m.conf"
        config.write_text("".join(_INSTANCE.format(**dict(zip(fields, router, strict=True))) for router in _ROUTERS))
        sandbox.spawn(
            f"ip netns exec m {sandbox.vipd} -n -l -D --profile rfc9568 -f {config} -p /run/m.pid",
            "m.log",
        )
        said = sandbox.folder / "m.log"
        sandbox.wait(
            "all to be master", lambda: said.exists() and said.read_text().count("MASTER STATE") == len(_ROUTERS)
        )
        yield sandbox
    finally:
        sandbox.close()


needs_nft = pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft, to look at the table")


def until_it_answers(client: Sandbox, address: str) -> None:
    client.wait(f"{address} to answer", lambda: answers(client, address))


def answers(client: Sandbox, address: str) -> bool:
    return " 0% packet loss" in client.run(f"ping -c1 -W1 {address}", check=False)


@needs_nft
def test_v2_fsm_12_a_master_takes_packets_for_an_address_only_if_it_is_the_owner(client: Sandbox) -> None:
    assert not answers(client, "192.0.2.51")
    until_it_answers(client, "192.0.2.52")


@needs_nft
def test_v3_fsm_15_active_takes_packets_iff_owner_or_accept_mode_and_neighbour_discovery_always(
    client: Sandbox,
) -> None:
    assert not answers(client, "192.0.2.53")
    until_it_answers(client, "192.0.2.54")
    until_it_answers(client, "192.0.2.55")
    assert not answers(client, "2001:db8::56")
    until_it_answers(client, "2001:db8::57")
    assert "lladdr" in client.run("ip neigh show 2001:db8::56"), "it was found all the same"
    assert "lladdr" in client.run("ip neigh show 192.0.2.53")


@needs_nft
@pytest.mark.parametrize("address", ["192.0.2.51", "192.0.2.53"])
def test_v2_host_05_and_its_like_what_is_dropped_on_its_way_in_is_not_forwarded(client: Sandbox, address: str) -> None:
    assert f"ip daddr {address} drop" in client.run("ip netns exec m nft list table inet vipd/run/m.pid")
    assert "forward" not in client.run("ip netns exec m nft list table inet vipd/run/m.pid")


@needs_nft
def test_v3_host_06_an_active_router_that_does_not_accept_does_not_forward_either(client: Sandbox) -> None:
    client.run("ip netns exec m sysctl -qw net.ipv4.ip_forward=1")
    assert not answers(client, "192.0.2.53")


@needs_nft
def test_the_fence_goes_with_the_last_address(client: Sandbox) -> None:
    client.run("kill -TERM $(cat /run/m.pid)")
    client.wait("the end of the table", lambda: "vipd" not in client.run("ip netns exec m nft list tables"))
