"""A host that returns is found by its unicast peers before its master down interval is over."""

from __future__ import annotations

from support.hosts import Hosts

_INSTANCE = """\
vrrp_instance VI_1 {{
    version 3
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.25
    preempt_delay 60
    unicast_src_ip 10.0.0.{own}
    unicast_peer {{
        10.0.0.{peer}
    }}
    virtual_ipaddress {{
        192.168.122.50/24 dev eth1
    }}
}}
"""


def test_a_host_that_returns_is_found_by_the_master_and_waits_for_its_preempt_delay(hosts: Hosts) -> None:
    for host, own, peer, priority in (("A", 2, 3, 200), ("B", 3, 2, 100)):
        (hosts.folder / f"{host}.conf").write_text(_INSTANCE.format(own=own, peer=peer, priority=priority))
    hosts.launch("A", "keepalived-2")
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])
    hosts.launch("B", "keepalived-2")
    hosts.wait("B to listen", lambda: "Entering BACKUP STATE" in hosts.log("B"))

    def is_lost() -> bool:
        shown = hosts.run("ip -n B neigh show 10.0.0.2 dev eth0")
        return "FAILED" in shown or "INCOMPLETE" in shown

    for number in range(1, 4):
        hosts.run("ip -n A link set eth0 down")
        hosts.wait("B to be master", lambda: hosts.owners() == ["B"])
        hosts.run("ip -n A neigh flush dev eth0; ip -n B neigh flush dev eth0")
        hosts.wait("B to look for A in vain", is_lost)
        hosts.run("ip -n A link set eth0 up")
        hosts.wait("A to return", lambda number=number: hosts.log("A").count("Entering BACKUP STATE\n") == number)  # type: ignore[misc]
        before = int(hosts.status("A")["VI_1"]["statistics"]["advertisement-rcvd"])
        hosts.wait(
            "five adverts of B",
            lambda before=before: int(hosts.status("A")["VI_1"]["statistics"]["advertisement-rcvd"]) >= before + 5,  # type: ignore[misc]
        )
        assert hosts.owners() == ["B"]
    assert hosts.log("A").count("Entering MASTER STATE") == 1, "no premature takeover"
    assert "lladdr" in hosts.run("ip -n A neigh show 10.0.0.3 dev eth0")
