"""Two instances of one VRID on one interface, told apart by their peers: vipd's and keepalived's alike."""

from __future__ import annotations

import shutil

import pytest

from support.hosts import Hosts

needs_keepalived = pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")
NOBODY = "10.0.0.9"


def instance(name: str, own: str, peer: str, priority: int, address: str) -> str:
    return f"""vrrp_instance {name} {{
    interface eth0
    virtual_router_id 7
    priority {priority}
    unicast_src_ip {own}
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        {address}
    }}
}}
"""


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("daemon", ["keepalived-2", pytest.param("keepalived", marks=needs_keepalived)])
def test_each_hears_its_own_peer(hosts: Hosts, daemon: str, order: int) -> None:
    (hosts.folder / "B.conf").write_text(instance("one", "10.0.0.3", "10.0.0.2", 200, "10.0.0.51"))
    hosts.launch("B", "keepalived-2")
    hosts.wait("B to be master", lambda: "(one) Entering MASTER" in hosts.log("B"))
    heard = instance("one", "10.0.0.2", "10.0.0.3", 150, "10.0.0.51")
    alone = instance("two", "10.0.0.2", NOBODY, 100, "10.0.0.52")
    (hosts.folder / "A.conf").write_text("".join([heard, alone][::order]))
    hosts.launch("A", daemon)
    hosts.wait("the one that hears nobody", lambda: "(two) Entering MASTER" in hosts.log("A"))
    assert "(one) Entering MASTER" not in hosts.log("A"), "it would have been first"
