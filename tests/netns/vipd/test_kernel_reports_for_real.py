"""What a real kernel tells, and when: the model in tests/support/kernel_model.py holds, and vipd knows what is so.

Each program runs in a network of its own, with eth0 and eth1, whose peers are up.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import AGENT, Sandbox

_BEGIN = """\
import subprocess, time
from vipd.config.model import VirtualAddress
from vipd.kernel.netlink import Netlink

def ip(*lines):
    text = "".join(f"{line}\\n" for line in lines)
    return subprocess.run(("ip", "-force", "-b", "-"), input=text, text=True, capture_output=True).returncode

def picture(netlink):
    # Nobody reports an alias on a link that is down, nor to the one end of a veth what the other one is.
    links = {link._replace(alias="", lower=0) for link in netlink.links.values()}
    addresses = [one for there in netlink.picture._addresses.values() for one in there.values()]
    return links, {(one.ifindex, one.key, one.source) for one in addresses}

def settle(netlink, true):
    limit = time.monotonic() + 60
    while not true():
        assert time.monotonic() < limit, picture(netlink)
        time.sleep(0.01)
        netlink.read()

for name in ("eth0", "eth1"):
    assert not ip(f"link add {name} type veth peer name p{name}", f"link set p{name} up", f"link set {name} up")
netlink = Netlink()
settle(netlink, lambda: netlink.links["eth0"].up and netlink.links["eth1"].up)
"""
_ANYTHING = """
import random
draw = random.Random(1)
LINES = [
    "link set {link} down", "link set {link} up", "link set {peer} down", "link set {peer} up",
    "link set {link} alias thing", "link set {link} address 02:00:00:00:00:{n:02x}",
    "addr add 192.0.2.{n}/24 dev {link}", "addr del 192.0.2.{n}/24 dev {link}", "addr add 192.0.2.{n}/32 dev {link}",
    "addr add 2001:db8::{n}/64 dev {link}", "addr add 2001:db8::{n}/64 dev {link} nodad",
    "addr del 2001:db8::{n}/64 dev {link}", "addr add fe80::{n}/64 dev {link} nodad", "addr flush dev {link}",
    "link add br0 type bridge", "link set {link} master br0", "link set {link} nomaster", "link del br0",
    "link set {link} down name eth9", "link set eth9 name {link}",
    "link add mv{n} link {link} type macvlan", "link set mv{n} up", "link del mv{n}",
    "link add d{n} type veth peer name e{n}", "link del d{n}", "link del {link}",
    "link add {link} type veth peer name {peer}",
]
for turn in range(12):
    lines = [
        draw.choice(LINES).format(link=link, peer=f"p{link}", n=draw.randrange(1, 4))
        for link in draw.choices(("eth0", "eth1"), k=draw.choice((1, 5, 40)))
    ]
    ip(*lines)
    if draw.random() < 0.5:
        netlink.read()
settle(netlink, lambda: picture(netlink) == picture(Netlink()))
"""
_OVERRUN = """
dumps = 0
refresh = netlink._refresh
def dump():
    global dumps
    dumps += 1
    refresh()
    if dumps == 1:
        ip("link set eth1 down")
netlink._refresh = dump
ip(*(f"link add d{n} type veth peer name e{n}" for n in range(400)))
netlink.read()
for _ in range(100):
    netlink.read()
assert dumps, "nothing was lost, and nothing is shown"
assert not netlink.links["eth1"].up
"""
_LATE = """
for n in range(1, 101):
    address = VirtualAddress(f"2001:db8::{n:x}", 128, "eth1")
    netlink.add(address)
    netlink.read()
    assert not netlink.picture.lost(address)
    assert netlink.picture.has(address.octets)
netlink.remove(address)
ip("addr del 2001:db8::1/128 dev eth1")
settle(netlink, lambda: netlink.picture.lost(address._replace(address="2001:db8::1")))
"""
_ALIAS = """
netlink.make_macvlan("vv", netlink.links["eth0"], bytes.fromhex("00005e000107"), "mark")
assert netlink.links["vv"].alias == "mark"
netlink.read()
assert netlink.links["vv"].alias == "mark"
assert not netlink.links["vv"].up
netlink.remove_link(netlink.links["vv"])
netlink.read()
assert "vv" not in netlink.links
"""
_BRIDGE = """
ip("link add br0 type bridge", "link set eth1 master br0", "link set eth1 nomaster", "link set br0 up")
settle(netlink, lambda: "br0" in netlink.links and netlink.links["br0"].raised)
assert "eth1" in netlink.links
"""
_PROGRAMS = {
    "after anything has happened, a picture is what a new dump gives": _ANYTHING,
    "after an overrun no later report is missed": _OVERRUN,
    "an acknowledged IPv6 address is held before it is reported": _LATE,
    "the alias of a macvlan that is down is known": _ALIAS,
    "an interface that leaves a bridge is still there": _BRIDGE,
}


@pytest.mark.parametrize("what", _PROGRAMS)
def test_vipd_knows_what_the_kernel_has(what: str) -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", _BEGIN + _PROGRAMS[what]],
        env={**os.environ, "PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


_INSTANCE = """\
vrrp_instance V {{
    interface {interface}
    virtual_router_id 7
    use_vmac vv
    virtual_ipaddress {{
        203.0.113.50/24
    }}
}}
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    try:
        for number in (0, 1):
            made.run(
                f"ip link add eth{number} type veth peer name p{number}; ip link set p{number} up;"
                f"ip link set eth{number} up; ip addr add 10.0.{number}.9/24 dev eth{number}"
            )
        yield made
    finally:
        made.close()


def _started(host: Sandbox, interface: str) -> Path:
    """The log of a daemon that is backup on an interface."""
    config, log = host.folder / "v.conf", host.folder / "v.log"
    config.write_text(_INSTANCE.format(interface=interface))
    host.spawn(f"{host.vipd} -n -l -D -f {config} -p /run/v.pid", "v.log")
    host.wait("the start", lambda: log.exists() and "Entering BACKUP STATE" in log.read_text())
    return log


def test_a_backup_leaves_no_macvlan_behind(host: Sandbox) -> None:
    _started(host, "eth0")
    host.wait("the macvlan", lambda: "vv@eth0" in host.run("ip -br link"))
    host.run("kill -TERM $(cat /run/v.pid)")
    host.wait("the end", lambda: "vv" not in host.run("ip -br link"))


def test_a_reload_moves_the_macvlan_of_a_backup(host: Sandbox) -> None:
    log = _started(host, "eth0")
    (host.folder / "v.conf").write_text(_INSTANCE.format(interface="eth1"))
    host.run("kill -HUP $(cat /run/v.pid)")
    host.wait("the macvlan on eth1", lambda: "vv@eth1" in host.run("ip -br link"))
    host.wait("the address on it", lambda: "203.0.113.50" in host.run("ip -br addr show dev vv"))
    assert "another" not in log.read_text()
