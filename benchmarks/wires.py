"""The wires of a benchmark: a daemon under test at one end, in namespaces, and at the other one who hears and speaks.

The peer sends adverts as a master would, and takes the kernel's time stamps of those it hears.
"""

from __future__ import annotations

import ctypes
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

AGENT = Path(__file__).parents[1] / "agent"
sys.path.insert(0, str(AGENT))

from vipd.protocol import packet_v2, packet_v3  # noqa: E402
from vipd.protocol.packet import Advert, ChecksumForm  # noqa: E402

APART = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
)
"""What runs a benchmark in namespaces of its own, which end with it."""
PAIRS = 5
SUBJECTS = ("keepalived", "vipd")
_CLONE_NEWNET = 0x40000000
_SO_TIMESTAMPNS = 35
_GROUP = ("224.0.0.18", 0)
_STAMP = struct.Struct("@qq")


LAYOUT = """
set -e
mount -t tmpfs none /run
for name in host peer; do ip netns add $name; ip -n $name link set lo up; done
for pair in 0 1 2 3 4; do
    ip -n host link add eth$pair type veth peer name eth$pair netns peer
    ip -n host link set eth$pair up; ip -n peer link set eth$pair up
    ip -n host addr add 10.$pair.0.1/24 dev eth$pair; ip -n peer addr add 10.$pair.0.2/24 dev eth$pair
done
"""


def layout(hosts: int) -> str:
    """Commands for wires `eth0` to `ethN` of the peer, each to a namespace of its own, `host0` to `hostN`."""
    lines = ["set -e", "mount -t tmpfs none /run", "ip netns add peer"]
    for host in range(hosts):
        lines += [
            f"ip netns add host{host}",
            f"ip -n host{host} link add eth{host} type veth peer name eth{host} netns peer",
            f"ip -n host{host} link set lo up",
            f"ip -n host{host} link set eth{host} up; ip -n host{host} addr add 10.{host}.0.1/24 dev eth{host}",
            f"ip -n peer link set eth{host} up; ip -n peer addr add 10.{host}.0.2/24 dev eth{host}",
        ]
    return "\n".join(lines)


class ReceivedDatagram(NamedTuple):
    """An advert of the subject."""

    at_ns: int
    pair: int
    vrid: int
    priority: int


class Peer:
    """The other end of the wires, on which it hears every advert and may send some."""

    def __init__(self, pairs: int = PAIRS) -> None:
        self._sockets = [_inside("peer", lambda pair=pair: _raw(f"eth{pair}")) for pair in range(pairs)]

    def send(self, pair: int, octets: bytes) -> int:
        """Send an advert; returns the time just before, in real-time nanoseconds."""
        now = time.time_ns()
        self._sockets[pair].sendto(octets, _GROUP)
        return now

    def hear(self, seconds: float) -> Iterator[ReceivedDatagram]:
        """Adverts of the subject that come within this time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for ready in select.select(self._sockets, [], [], left)[0]:
                data, ancillary, _, _ = ready.recvmsg(2048, 64)
                if data[8] != 255 or data[12:16][3] != 1:
                    continue
                at_ns = sum(
                    value * unit for value, unit in zip(_STAMP.unpack(ancillary[0][2]), (10**9, 1), strict=True)
                )
                yield ReceivedDatagram(at_ns, self._sockets.index(ready), data[21], data[22])

    def flush(self) -> None:
        """Forget what has been waiting."""
        for _ in self.hear(0.01):
            pass


class Subject:
    """One daemon that runs, and what it has used."""

    def __init__(self, name: str, config: str, folder: Path, host: str = "host") -> None:
        file, run = folder / f"{name}-{host}.conf", f"/run/{name}-{host}"
        file.write_text(config)
        if name == "keepalived":
            command = ["keepalived", "-P", "-n", "-l", "-f", str(file), "-p", f"{run}.pid", "-r", f"{run}-vrrp.pid"]
        else:
            command = [str(folder / "vipd.pyz"), "-n", "-l", "-f", str(file), "-p", f"{run}.pid"]
        self._log = (folder / f"{name}-{host}.log").open("wb")
        self.started_ns = time.time_ns()
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", host, *command], stdout=self._log, stderr=subprocess.STDOUT
        )

    def cpu_ns(self) -> int:
        """Time on a processor so far, of all of its processes, as the scheduler counts it."""
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in self._pids())

    def rss_kb(self) -> int:
        """Resident memory of all of its processes, what they share counted once for each."""
        return sum(_status(pid, "VmRSS") for pid in self._pids())

    def pss_kb(self) -> int:
        """Resident memory of all of its processes, what they share divided among them."""
        return self._rollup("Pss:")

    def uss_kb(self) -> int:
        """Resident memory of its own: of all of its processes, what none of them shares with any other process."""
        return self._rollup("Private_Clean:", "Private_Dirty:")

    def wait_for_backup(self, routers: int = 1, limit_s: float = 30) -> None:
        """Wait until its log says of so many routers that they are backups: they hear the next advert."""
        end = time.monotonic() + limit_s
        while Path(self._log.name).read_text().count("Entering BACKUP STATE") < routers:
            if time.monotonic() > end:
                sys.exit(f"{self._log.name}: not all of {routers} routers were backups within {limit_s} s")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def _rollup(self, *fields: str) -> int:
        return sum(
            int(line.split()[1])
            for pid in self._pids()
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            if line.startswith(fields)
        )

    def _pids(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found


def config(
    subject: str, routers: int, priority: int, version: int = 2, interval: str = "1", real_time: int = 0, first: int = 0
) -> str:
    """A configuration of so many routers, from pair `first` on where one pair has no room for them."""
    lines = ["global_defs {", "vrrp_garp_master_repeat 1", "vrrp_garp_master_delay 0", f"vrrp_version {version}"]
    lines += [f"vrrp_rt_priority {real_time}"] if real_time else []
    lines += ["vrrp_rlimit_rttime 1000000"] if real_time and subject == "keepalived" else []
    lines += ["}"]
    for number in range(routers):
        pair, vrid = divmod(number, 250) if routers > 250 else (first, number)
        lines += [
            f"vrrp_instance V{number} {{", f"interface eth{pair}", f"virtual_router_id {vrid + 1}",
            f"priority {priority}", f"advert_int {interval}",
            f"virtual_ipaddress {{\n{_vip(pair, vrid)}/32\n}}", "}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def advert(pair: int, vrid: int, priority: int, version: int = 2, interval_ns: int = 10**9) -> bytes:
    """What a master would send for one of the routers of `config`."""
    octets = socket.inet_aton(_vip(pair, vrid))
    made = Advert(version, vrid + 1, priority, interval_ns, octets)
    if version == 2:
        return packet_v2.encode(made)
    source, group = (int.from_bytes(socket.inet_aton(one), "big") for one in (f"10.{pair}.0.2", _GROUP[0]))
    return packet_v3.encode(made._replace(form=ChecksumForm.PSEUDO_HEADER), 4, source, group)


def _vip(pair: int, vrid: int) -> str:
    return f"10.{100 + pair}.0.{vrid + 1}"


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0


def _raw(interface: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
    opened.setsockopt(socket.SOL_SOCKET, 25, interface.encode())
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE if hasattr(socket, "SO_RCVBUFFORCE") else 33, 1 << 24)
    index = socket.if_nametoindex(interface)
    member = struct.pack("=4s4si", socket.inet_aton(_GROUP[0]), bytes(4), index)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    return opened


def _inside(namespace: str, do: Callable[[], socket.socket]) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as here, open(f"/run/netns/{namespace}") as there:  # noqa: PTH123
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return do()
        finally:
            libc.setns(here.fileno(), _CLONE_NEWNET)
