"""Two hosts and a client in namespaces of their own: `eth0` on an interconnect bridge, `eth1` on a public one.

Everything hangs on the first process of a PID namespace. When it ends, by whatever signal, the kernel takes all of it.
"""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import vipd
from vipd.tools.zipapp import build_zipapp

APART = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
)
"""What runs a command in namespaces of its own, which end with whoever started it, by whatever signal that ends."""

AGENT = Path(vipd.__file__ or "").parents[1]
_BUILT: list[tempfile.TemporaryDirectory[str]] = []  # as long as this process lives
VIP = "192.168.122.50"

_LAYOUT = """
set -e
for name in client A B; do ip netns add $name; ip -n $name link set lo up; done
for bridge in public interconnect; do
    ip -n client link add $bridge type bridge
    ip -n client link set $bridge up
done
ip -n client addr add 192.168.122.1/24 dev public
"""
_NIC = """
set -e
ip -n client link add {host}{name} type veth peer name {name} netns {host}
ip -n client link set {host}{name} master {bridge} up
ip -n {host} link set {name} up
ip -n {host} addr add {address} dev {name}
"""
_NICS = {"eth0": ("interconnect", "10.0.0.{}/24"), "eth1": ("public", "192.168.122.1{}/24")}
_NUMBERS = {"A": 2, "B": 3}

_CONFIG = """\
global_defs {{
    router_id {host}
}}
vrrp_instance VI_1 {{
    state {state}
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    track_interface {{
        eth1
    }}
    virtual_ipaddress {{
        192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0
    }}
}}
"""


@cache
def vipd_command() -> str:
    """How to start vipd: as the one file that is installed, which starts four times as fast as the tree does."""
    _BUILT.append(tempfile.TemporaryDirectory(prefix="vipd"))
    program = Path(_BUILT[0].name) / "vipd.pyz"
    build_zipapp(program)
    return f"{sys.executable} -IS {program}"


class Sandbox:
    """A tree of namespaces that this process does not share, and what runs in them.

    Attributes:
        folder: for configurations, logs and captures.
        vipd: the command that starts it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vipd = vipd_command()
        self._spawned: list[subprocess.Popen[bytes]] = []
        # The shell reaps what daemons leave behind; a first process that does not would keep them as zombies.
        self._outer = subprocess.Popen([*APART, "sh", "-c", "sleep infinity & wait"], stdin=subprocess.DEVNULL)
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        self.wait("the first process of the namespaces", lambda: bool(children.read_text().split()))
        self._first = children.read_text().split()[0]
        self.wait("its own network", self._is_apart)
        self.run("mount -t tmpfs none /run")

    def close(self) -> None:
        """End every process in it."""
        self._outer.kill()
        self._outer.wait()
        # An nsenter stops with the program that it started, and would stay so when that is gone.
        for process in self._spawned:
            process.kill()
            process.wait()

    def run(self, script: str, check: bool = True) -> str:
        """Run a shell script inside; returns what it printed."""
        done = subprocess.run(
            ["nsenter", "-t", self._first, "-a", "sh", "-c", script], capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def spawn(self, command: str, output: str) -> subprocess.Popen[bytes]:
        """Start a program inside, its output into a file of the folder."""
        with (self.folder / output).open("ab") as opened:
            process = subprocess.Popen(
                ["nsenter", "-t", self._first, "-a", "sh", "-c", f"exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=opened,
                stderr=subprocess.STDOUT,
            )
        self._spawned.append(process)
        return process

    def wait(self, what: str, true: Callable[[], bool], within_s: float = 120) -> None:
        """Wait until something is so; the limit is for a machine in trouble, not a measurement."""
        limit = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < limit, f"waited {within_s} s for {what}\n{self.logs()}"
            time.sleep(0.05)

    def kill_all(self, pid_files: str, spawned: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the processes that these files name, of which `spawned` started the first.

        All are halted first. Otherwise one that outlives another for a moment would still act on that: keepalived's
        child makes an orderly end once its parent is gone, and its parent starts another child.
        """
        for name in ("STOP", "KILL"):
            self.run(f"kill -{name} $(cat {pid_files} 2>/dev/null)", check=False)

        def ended() -> bool:
            spawned.send_signal(signal.SIGCONT)  # an nsenter stops with the program that it started
            return spawned.poll() is not None

        self.wait(f"the end of {pid_files}", ended)

    def logs(self) -> str:
        """What the programs inside have said."""
        return "".join(f"--- {log.name}\n{log.read_text(errors='replace')}" for log in self.folder.glob("*.log"))

    def _is_apart(self) -> bool:
        """Whether the first process has left our network namespace, and runs what it was started for."""
        try:
            mine, theirs = (Path(f"/proc/{who}/ns/net").readlink() for who in ("self", self._first))
            return mine != theirs and Path(f"/proc/{self._first}/comm").read_text() == "sh\n"
        except OSError:
            return False


class Hosts(Sandbox):
    """Hosts A and B and a client."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.run(_LAYOUT)
        for host in _NUMBERS:
            for name in _NICS:
                self.plug(host, name)
        self._capture = self.spawn("ip netns exec client tcpdump -lnvi interconnect ip proto 112", "wire.txt")
        self.wait("tcpdump to listen", lambda: b"listening on" in (self.folder / "wire.txt").read_bytes())

    def plug(self, host: str, name: str) -> None:
        """Give a host an interface."""
        bridge, address = _NICS[name]
        self.run(_NIC.format(host=host, name=name, bridge=bridge, address=address.format(_NUMBERS[host])))

    def configure(self, host: str, priority: int, state: str = "BACKUP") -> Path:
        """Write a host's keepalived.conf."""
        config = self.folder / f"{host}.conf"
        config.write_text(_CONFIG.format(host=host, state=state, priority=priority))
        return config

    def start(self, host: str, daemon: str, priority: int, state: str = "BACKUP") -> None:
        """Start `keepalived`, or vipd in the profile that `daemon` names."""
        self.configure(host, priority, state)
        self.launch(host, daemon)

    def launch(self, host: str, daemon: str, before: str = "", path: str = "", name: str = "") -> None:
        """Start a daemon on what `configure` or the test wrote.

        Args:
            host: where; "" for outside of all hosts.
            daemon: `keepalived`, or a profile of vipd.
            before: what the shell is to do first, such as setting variables; `exec` follows.
            path: where Python looks for modules, by colons; by default there is vipd alone, as it is installed.
            name: of configuration, log and pid file, if it is not the host's.
        """
        name = name or host
        files = f"-f {self.folder}/{name}.conf -p /run/{name}.pid"
        if daemon == "keepalived":
            command = f"keepalived -n -l -D -P {files} -r /run/{name}-vrrp.pid"
        else:
            vipd = f"env PYTHONPATH={shlex.quote(path)} {sys.executable} -m vipd" if path else self.vipd
            command = f"{vipd} -n -l -D --profile {daemon} {files}"
        script = f"sh -c {shlex.quote(f'{before} exec {command}')}"
        self._daemons[name] = self.spawn(f"ip netns exec {host} {script}" if host else script, f"{name}.log")

    def stop(self, name: str) -> None:
        self.run(f"kill -TERM $(cat /run/{name}.pid)")
        self._daemons.pop(name).wait(30)

    def kill(self, host: str) -> None:
        """SIGKILL to every process of the daemon."""
        self.kill_all(f"/run/{host}.pid /run/{host}-vrrp.pid", self._daemons.pop(host))
        self.run(f"rm -f /run/{host}.pid /run/{host}-vrrp.pid")

    def holds(self, host: str) -> bool:
        links = json.loads(self.run(f"ip -n {host} -j addr show"))
        return any(address.get("local") == VIP for link in links for address in link.get("addr_info", ()))

    def pid(self, name: str) -> int:
        """The daemon's process id, once it runs."""
        self.wait(f"{name} to run", lambda: self.run(f"cat /run/{name}.pid", check=False).endswith("\n"))
        return int(self.run(f"cat /run/{name}.pid"))

    def listen(self, fifo: str, into: str) -> None:
        """Make a FIFO on the sandbox's own /run and write down what comes through it, whoever opens and closes it."""
        self.run(f"mkfifo -m 600 /run/{fifo}")
        self.spawn(f"cat 0<>/run/{fifo}", into)

    def read(self, name: str) -> list[str]:
        """The lines of a file of the folder."""
        path = self.folder / name
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def status(self, name: str) -> dict[str, dict[str, Any]]:
        """What `vipd status` shows, by instance."""
        report = self.report(name)
        return {one["name"]: one for one in report["vrrp-instance"]}

    def report(self, name: str) -> dict[str, Any]:
        """All that `vipd status` shows."""
        self.pid(name)
        return dict(json.loads(self.run(f"{self.vipd} status --json -p /run/{name}.pid")))

    def owners(self) -> list[str]:
        return [host for host in _NUMBERS if self.holds(host)]

    def log(self, host: str) -> str:
        path = self.folder / f"{host}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wire(self) -> str:
        """What tcpdump has printed of the adverts so far."""
        return (self.folder / "wire.txt").read_text(errors="replace")
