"""One cell of the interop matrix: two hosts on a bridge of their own, a daemon on each, and a capture of the wire.

All cells share one sandbox and run at the same time. Who is master is read from the wire, for FRR keeps its address on
the macvlan whatever its state.
"""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Iterator
from typing import NamedTuple

from support.hosts import Sandbox
from viplab.addresses import virtual_mac
from viplab.subjects.frr import DAEMONS, vrrpd_conf


class Tongue(NamedTuple):
    """What the two daemons speak with each other."""

    name: str
    version: int
    family: int
    interval_ms: int
    instance: str = ""  # further lines of keepalived.conf; {peer} is the other's address
    frr: bool = False
    dual: bool = False  # vipd speaks both versions, whatever its peer does


V2, V3 = 1000, 200
TONGUES = (
    Tongue("v2", 2, 4, V2, frr=True),
    Tongue("v2-pass", 2, 4, V2, "authentication {{\n auth_type PASS\n auth_pass interopp\n }}"),
    Tongue("v2-ah", 2, 4, V2, "authentication {{\n auth_type AH\n auth_pass interopp\n }}"),
    Tongue("v2-unicast", 2, 4, V2, "unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}"),
    Tongue("v2-vmac", 2, 4, V2, "use_vmac"),
    Tongue("v2-dual", 2, 4, V2, dual=True, frr=True),
    Tongue("v3", 3, 4, V3, frr=True),
    Tongue("v3-dual", 3, 4, V3, dual=True),
    Tongue("v3-unicast", 3, 4, V3, "unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}"),
    Tongue("v3-ipv6", 3, 6, V3, frr=True),
    Tongue("v3-ipv6-unicast", 3, 6, V3, "unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}"),
    Tongue("v3-ipv6-vmac", 3, 6, V3, "use_vmac"),
)

_VRID = 51
_VIPS = {4: ("192.0.2.50/24",), 6: ("fe80::50/64", "2001:db8::50/64")}
_KEEPALIVED = """\
vrrp_instance VI {{
 state BACKUP
 version {version}
 interface eth0
 virtual_router_id {vrid}
 priority {priority}
 advert_int {interval_s}
 garp_master_delay 1
 {more}
 virtual_ipaddress {{
  {addresses}
 }}
}}
"""
_FRR_MAC = """
ip -n {host} link add vrrpf link eth0 type macvlan mode bridge
ip -n {host} link set dev vrrpf addrgenmode none address {mac}
ip -n {host} addr add {vip} dev vrrpf {nodad}
{local}
ip -n {host} link set vrrpf up
"""


class Seen(NamedTuple):
    """An advert on the wire."""

    at: float
    source: bytes
    priority: int


class Cell:
    """Two hosts, A and B."""

    def __init__(self, sandbox: Sandbox, number: int, tongue: Tongue, a: str, b: str) -> None:
        self.name = f"{tongue.name}:{a}-{b}"
        self.tongue = tongue
        self._sandbox = sandbox
        self._bridge = f"br{number}"
        self._hosts = {"A": f"a{number}", "B": f"b{number}"}
        self._kinds = {"A": a, "B": b}
        self._running: dict[str, list[subprocess.Popen[bytes]]] = {}
        self._octets: dict[str, bytes] = {}
        sandbox.run(f"ip link add {self._bridge} type bridge && ip link set {self._bridge} up")
        for index, (which, host) in enumerate(self._hosts.items(), 2):
            sandbox.run(
                f"ip netns add {host} && ip -n {host} link set lo up &&"
                f"ip link add v{host} type veth peer name eth0 netns {host} &&"
                f"ip link set v{host} master {self._bridge} up &&"
                f"ip -n {host} link set eth0 address 52:54:00:00:{number:02x}:0{index} &&"
                f"ip -n {host} link set eth0 up && ip -n {host} addr add 192.0.2.{index}/24 dev eth0"
            )
            # FRR sends from its macvlan, which is given an address of its own.
            middle = "f00d" if self._kinds[which] == "frr" else "fe00"
            local = bytes.fromhex(f"fe80000000000000505400ff{middle}{number:02x}0{index}")
            self._octets[which] = bytes([192, 0, 2, index]) if tongue.family == 4 else local
        self.capture = sandbox.folder / f"{number}.pcap"
        said = f"{number}.tcpdump.log"
        sandbox.spawn(
            f"tcpdump -U -i {self._bridge} -w {self.capture} ip proto 112 or ip proto 51 or ip6 proto 112", said
        )
        sandbox.wait("tcpdump to listen", lambda: b"listening on" in (sandbox.folder / said).read_bytes())

    def address(self, which: str) -> str:
        """Address that a host sends adverts from."""
        octets = self._octets[which]
        if len(octets) == 4:
            return ".".join(map(str, octets))
        return ":".join(octets[at : at + 2].hex() for at in range(0, 16, 2))

    def start(self, which: str, priority: int) -> None:
        """Start the daemon of a host."""
        kind, host = self._kinds[which], self._hosts[which]
        command = self._frr if kind == "frr" else self._keepalived
        self._running[which] = [
            self._sandbox.spawn(f"ip netns exec {host} {line}", f"{host}.log")
            for line in command(which, kind, host, priority)
        ]

    def stop(self, which: str) -> None:
        """End it in an orderly way."""
        self._sandbox.run(f"kill -TERM $(cat /run/{self._hosts[which]}/pid)")
        self._running.pop(which)[-1].wait(30)

    def kill(self, which: str) -> None:
        """SIGKILL to every process of it."""
        host = self._hosts[which]
        self._sandbox.kill_all(f"/run/{host}/pid /run/{host}/child", self._running.pop(which)[-1])
        self._sandbox.run(f"rm -f /run/{host}/pid /run/{host}/child")

    def until_alone(self, which: str) -> None:
        """Wait until this host is the only one that advertises, and has been for two and a half intervals."""
        quiet_s = 2.5 * self.tongue.interval_ms / 1000
        self._sandbox.wait(f"{self.name}: {which} to be master alone", lambda: self._speaks_alone(which, quiet_s))

    def until_held_by(self, which: str) -> None:
        """Wait until nobody else has the address; of FRR nothing can be seen."""
        self._sandbox.wait(f"{self.name}: {which} alone to have it", lambda: set(self.holders()) <= {which})

    def holders(self) -> list[str]:
        """Hosts whose eth0 or macvlan has the last address, FRR left out."""
        vip = _VIPS[self.tongue.family][-1].partition("/")[0]
        return [
            which
            for which, host in self._hosts.items()
            if self._kinds[which] != "frr"
            and any(
                address.get("local") == vip
                for link in json.loads(self._sandbox.run(f"ip -n {host} -j addr show"))
                for address in link.get("addr_info", ())
            )
        ]

    def adverts(self) -> list[Seen]:
        """Everything that has been captured so far."""
        return list(_adverts(self.capture.read_bytes()))

    def _speaks_alone(self, which: str, quiet_s: float) -> bool:
        now = time.time()
        recent = [seen for seen in self.adverts() if now - seen.at < quiet_s]
        return bool(recent) and all(seen.source == self._octets[which] and seen.priority for seen in recent)

    def _keepalived(self, which: str, kind: str, host: str, priority: int) -> Iterator[str]:
        tongue = self.tongue
        peer = self.address("B" if which == "A" else "A")
        # FRR lists no link-local address first (DF-03), and neither does who shares a router with it.
        vips = _VIPS[tongue.family][-1 if "frr" in self._kinds.values() else 0 :]
        config = self._sandbox.folder / f"{host}.conf"
        dual = tongue.dual and kind != "keepalived"
        config.write_text(
            _KEEPALIVED.format(
                version=3 if dual else tongue.version,
                vrid=_VRID,
                priority=priority,
                interval_s=tongue.interval_ms / 1000 if tongue.version == 3 else 1,
                more=tongue.instance.format(own=self.address(which), peer=peer) + "\n dual_version" * dual,
                addresses="\n  ".join(vips),
            )
        )
        self._sandbox.run(f"mkdir -p /run/{host}")
        if kind == "keepalived":
            yield f"keepalived -n -l -D -P -f {config} -p /run/{host}/pid -r /run/{host}/child"
        else:
            yield (f"{self._sandbox.vipd} -n -l -D --profile {kind} -f {config} -p /run/{host}/pid")

    def _frr(self, which: str, kind: str, host: str, priority: int) -> Iterator[str]:
        tongue = self.tongue
        vip = _VIPS[tongue.family][-1]
        config = self._sandbox.folder / f"{host}.conf"
        settings: dict[str, object] = {
            "version": tongue.version,
            "priority": priority,
            "advertisement-interval": tongue.interval_ms,
            "ip" if tongue.family == 4 else "ipv6": vip.partition("/")[0],
        }
        config.write_text(vrrpd_conf("eth0", _VRID, settings))
        mac, nodad = virtual_mac(_VRID, ipv6=tongue.family == 6), "" if tongue.family == 4 else "nodad"
        local = f"ip -n {host} addr add {self.address(which)}/64 dev vrrpf nodad" if tongue.family == 6 else ""
        script = _FRR_MAC.format(host=host, mac=mac, vip=vip, local=local, nodad=nodad)
        # FRR's daemons give up root, so what they read has to lie where they may.
        self._sandbox.run(f"install -d -o frr -g frr /run/{host} /run/frr && cp {config} /run/{host}/conf")
        common = f"-z /run/{host}/zserv --vty_socket /run/{host} --log stdout"
        if not self._sandbox.run(f"ls /run/{host}").count("zserv"):
            self._sandbox.run(f"{script}\ntouch /run/{host}/zebra.conf")
            yield f"{DAEMONS}/zebra {common} -i /run/{host}/zebra.pid -f /run/{host}/zebra.conf"
            self._sandbox.wait("zebra", lambda: bool(self._sandbox.run(f"ls /run/{host}").count("zserv")))
        yield f"{DAEMONS}/vrrpd {common} -i /run/{host}/pid -f /run/{host}/conf"


def _adverts(data: bytes) -> Iterator[Seen]:
    """The adverts of a capture that tcpdump may still be writing."""
    at = 24
    while at + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        if len(frame) < length:
            return
        if frame[12:14] == b"\x08\x00":
            source, vrrp = frame[26:30], 34 + (24 if frame[23] == 51 else 0)
        else:
            source, vrrp = frame[22:38], 54
        yield Seen(seconds + micros / 1e6, source, frame[vrrp + 2])
