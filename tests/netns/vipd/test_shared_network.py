"""Daemons that share a network, or are sent into another: what one makes in the kernel is not touched by the other."""

from __future__ import annotations

import json
import shutil

import pytest

from support.hosts import VIP, Hosts

_INSTANCE = """\
vrrp_instance {name} {{
    version 3
    interface {interface}
    virtual_router_id {vrid}
    priority 200
    advert_int 0.1
    {more}
    virtual_ipaddress {{
        {address}/24
    }}
}}
"""


def write(hosts: Hosts, name: str, vrid: int, address: str, more: str = "", interface: str = "eth0") -> None:
    text = _INSTANCE.format(name=name, interface=interface, vrid=vrid, address=address, more=more)
    (hosts.folder / f"{name}.conf").write_text(text)


def fenced(hosts: Hosts) -> dict[str, set[str]]:
    """The tables of nftables on host A, and the addresses that each drops packets for."""
    found: dict[str, set[str]] = {}
    for one in json.loads(hosts.run("ip netns exec A nft -j list ruleset"))["nftables"]:
        if "table" in one:
            found[one["table"]["name"]] = set()
        elif "rule" in one:
            found[one["rule"]["table"]] |= {
                step["match"]["right"]
                for step in one["rule"]["expr"]
                if step.get("match", {}).get("left", {}).get("payload", {}).get("field") == "daddr"
            }
    return found


def macvlans(hosts: Hosts) -> dict[str, int]:
    links = json.loads(hosts.run("ip -n A -j link show type macvlan"))
    return {link["ifname"]: link["ifindex"] for link in links if link}


def master(hosts: Hosts, name: str) -> None:
    hosts.wait(f"{name} to be master", lambda: f"({name}) Entering MASTER STATE" in hosts.log(name))


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft, to look at the tables")
def test_two_daemons_in_one_network_keep_to_their_own_fences_and_macvlans(hosts: Hosts) -> None:
    write(hosts, "one", 61, "10.0.0.61", more="use_vmac")
    write(hosts, "two", 62, "10.0.0.62", more="use_vmac")
    for name in ("one", "two"):
        hosts.launch("A", "rfc9568", name=name)
        master(hosts, name)
    tables = {"vipd/run/one.pid": {"10.0.0.61"}, "vipd/run/two.pid": {"10.0.0.62"}}
    hosts.wait("both fences", lambda: fenced(hosts) == tables)
    before = macvlans(hosts)
    assert set(before) == {"vrrp.61", "vrrp.62"}
    hosts.run("ip netns exec A nft list ruleset >/run/saved && ip netns exec A nft -c -f /run/saved")

    # Killed, one leaves everything; the other does not touch it, whatever happens around it.
    hosts.kill("one")
    hosts.run("ip -n A link set lo down; ip -n A link set lo up")
    hosts.run(f"kill -HUP {hosts.pid('two')}")
    hosts.wait("the reload", lambda: "Reloading" in hosts.log("two"))
    assert hosts.status("two")["two"]["state"] == "master"
    assert fenced(hosts) == tables
    assert macvlans(hosts) == before

    # Started again, it finds what is its own, and settles that alone.
    (hosts.folder / "one.log").write_text("")
    hosts.launch("A", "rfc9568", name="one")
    hosts.wait("the start", lambda: "Entering BACKUP STATE (init)" in hosts.log("one"))
    assert fenced(hosts) == {"vipd/run/two.pid": {"10.0.0.62"}}
    assert macvlans(hosts) == before
    master(hosts, "one")
    hosts.wait("both fences again", lambda: fenced(hosts) == tables)
    hosts.stop("one")
    assert fenced(hosts) == {"vipd/run/two.pid": {"10.0.0.62"}}
    assert set(macvlans(hosts)) == {"vrrp.62"}

    # The same number on another interface asks for a macvlan of the same name, and gets one of another.
    write(hosts, "one", 62, "192.168.122.62", more="use_vmac", interface="eth1")
    hosts.launch("A", "rfc9568", name="one")
    hosts.wait("the word", lambda: "vrrp.62 is another's interface; the macvlan is vrrp1.62" in hosts.log("one"))
    master(hosts, "one")
    assert macvlans(hosts).keys() == {"vrrp.62", "vrrp1.62"}
    assert macvlans(hosts)["vrrp.62"] == before["vrrp.62"]


def test_net_namespace_is_entered_by_the_daemon_and_its_scripts(hosts: Hosts) -> None:
    """It is started outside, where neither interface is; files are those of outside."""
    script = 'notify "/bin/sh /run/tell"'
    hosts.run("echo 'ip -o addr show eth1 >/run/told' >/run/tell")
    text = _INSTANCE.format(name="VI", interface="eth0", vrid=51, address=f"{VIP}", more=script)
    text = text.replace(f"{VIP}/24", f"{VIP}/24 dev eth1")
    head = "net_namespace %s\nglobal_defs {\nenable_script_security\nscript_user root\n}\n"
    (hosts.folder / "out.conf").write_text(head % "A" + text)
    hosts.launch("", "keepalived-2", name="out")
    hosts.wait("A to have the address", lambda: hosts.owners() == ["A"])
    hosts.wait("the script to see it", lambda: VIP in hosts.run("cat /run/told", check=False))
    assert hosts.status("out")["VI"]["state"] == "master"

    (hosts.folder / "out.conf").write_text(head % "B" + text)
    hosts.run(f"kill -HUP {hosts.pid('out')}")
    hosts.wait("the refusal", lambda: "net_namespace: another one is entered at a start only" in hosts.log("out"))
    assert hosts.owners() == ["A"]
    hosts.stop("out")
    assert hosts.owners() == []

    (hosts.folder / "out.conf").write_text(head % "nosuch" + text)
    hosts.launch("", "keepalived-2", name="out")
    hosts.wait("the complaint", lambda: "net_namespace: there is no nosuch; make it with" in hosts.log("out"))
    assert "Traceback" not in hosts.log("out")
