"""A host that is a namespace tree: its mounts, its first process, and the ways into it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from viplab.errors import LabError
from viplab.lab.command import run
from viplab.lab.guest import Answer, Armed, Dialogue, Result, Timing
from viplab.lab.netns import init
from viplab.lab.run_delay import descendants, run_delay_ns
from viplab.lab.topology import MARKER_PORT, MGMT, MGMT_IP, NETWORKS, Host
from viplab.lab.waiting import limit_s

WORK = Path("/run/viplab-lab")

_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
_BRIDGES = {network.name: network.bridge for network in NETWORKS}
_OVERLAID = ("/etc", "/usr/local", "/var/lib")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

# Mounts of one host; $1 is its folder in memory, $2 its hostname, the rest becomes its first process.
_SETUP = f"""
set -e
folder=$1 name=$2
shift 2
for place in {" ".join(_OVERLAID)}; do
    mkdir -p "$folder$place/upper" "$folder$place/work"
    mount -t overlay -o "lowerdir=$place,upperdir=$folder$place/upper,workdir=$folder$place/work" overlay $place
done
mkdir "$folder/dev" "$folder/log" "$folder/tmp"
mkdir -m 1777 "$folder/dev/shm"
cp -a {" ".join(f"/dev/{name}" for name in _DEVICES)} "$folder/dev/"
ln -s /proc/self/fd "$folder/dev/fd"
mount --bind "$folder/dev" /dev
mount --bind "$folder/log" /var/log
mount --bind "$folder/tmp" /var/tmp
mount -t tmpfs -o mode=755 run /run
mount -t sysfs sysfs /sys
hostname "$name"
echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind
[ ! -d /proc/sys/net/ipv6 ] || echo 1 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6 >/dev/null
exec "$@"
"""


class NetnsGuest:
    """A host: the process tree below its first process."""

    shutdown_command = "kill -s PWR 1"

    def __init__(self, host: Host) -> None:
        self.host = host
        self._folder = WORK / host.name
        self._tree: subprocess.Popen[bytes] | None = None
        self._first = 0

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self._tree is not None and self._tree.poll() is None

    @property
    def shell(self) -> list[str]:
        """A shell in its namespaces; what follows is one command line, as for ssh."""
        return [*self._into(), "bash", "-c", 'if [ $# = 0 ]; then exec bash; else exec bash -c "$*"; fi', "bash"]

    def up(self) -> None:
        """Make the host anew: nothing of an earlier one is left."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        command = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        command += ["sh", "-c", _SETUP, "sh", str(self._folder), self.host.hostname]
        command += [sys.executable, "-I", "-S", init.__file__]
        with self._console.open("wb") as console:
            self._tree = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=console, env=_ENVIRONMENT
            )
        assert self._tree.stdout is not None
        if self._tree.stdout.readline() != b"ready\n":
            last = self.console().decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise LabError(f"{self.host.hostname} does not come up: {last[0]}")
        self._first = int(Path(f"/proc/{self._tree.pid}/task/{self._tree.pid}/children").read_text().split()[0])
        self._plug()

    def down(self) -> None:
        """End it, if it is there, and wait until the bridges are rid of its cards."""
        if self._tree is None:
            return
        if self.running:
            with suppress(LabError):  # the cards of one that is shutting down go before it does
                self.power_cut()
            self._tree.wait()
        self._tree = None
        for port in self._ports():
            with suppress(LabError):  # gone with the host's network already
                run(["ip", "link", "del", port])

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        """Run a shell command to its end."""
        process, timeout_s = self._enter(command), limit_s(timeout_s)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise LabError(f"{self.host.hostname}: `{command}` did not end within {timeout_s:g} s") from None
        return Result(command, process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def arm(self, command: str, marker: str) -> Armed:
        """Prepare a command that, when fired, first sends the marker and then acts."""
        script = f"echo armed; read -r _; echo {shlex.quote(marker)} >/dev/udp/{MGMT_IP}/{MARKER_PORT}; {command}"
        process = self._enter(script, stdin=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != b"armed\n":
            raise LabError(f"{self.host.hostname} could not prepare `{command}`")
        return ArmedCommand(process, process.stdin)

    def converse(self, command: str) -> Dialogue:
        """Start a command that answers each line with a line."""
        return PipeDialogue(self._enter(command, stdin=subprocess.PIPE))

    def put(self, content: bytes, path: str, mode: int = 0o644) -> None:
        """Write a file."""
        target = self._inside(path)
        try:
            target.write_bytes(content)
            target.chmod(mode)
        except OSError as error:
            raise LabError(f"{self.host.hostname}: {path} could not be written ({error.strerror})") from None

    def get(self, path: str) -> bytes:
        """Read a file; empty where it does not exist."""
        source = self._inside(path)
        try:
            return source.read_bytes() if source.is_file() else b""
        except OSError as error:
            raise LabError(f"{self.host.hostname}: {path} could not be read ({error.strerror})") from None

    def console(self) -> bytes:
        """What its first process had to complain of."""
        return self._console.read_bytes() if self._console.exists() else b""

    def run_delay_ns(self) -> int:
        """For how long its processes waited for a processor, in ns."""
        return run_delay_ns(descendants(self._first)) if self.running else 0

    def power_cut(self) -> Timing:
        """Take the links down, then kill the tree.

        In this order because the kernel would go on answering for the host until its network is dismantled.
        """
        assert self._tree is not None
        before_ns = time.time_ns()
        try:
            run(["ip", "-batch", "-"], stdin="".join(f"link set {port} down\n" for port in self._ports()))
        finally:
            with suppress(ProcessLookupError):
                os.kill(self._first, signal.SIGKILL)
        after_ns = time.time_ns()
        self._tree.wait()
        return Timing(before_ns, after_ns, 0)

    def set_carrier(self, interface: str, *, present: bool) -> Timing:
        """Take the bridge's end of the card down, or up: the card's own end loses its carrier, or has it again."""
        before_ns = time.time_ns()
        run(["ip", "link", "set", self.host.port(interface), "up" if present else "down"])
        return Timing(before_ns, time.time_ns(), 0)

    def pause(self) -> Timing:
        """Refuse: the kernel of a namespace does not stand still."""
        raise LabError(f"{self.host.hostname} is a namespace, whose kernel cannot be paused; take --lab libvirt")

    resume = pause

    @property
    def _console(self) -> Path:
        return WORK / f"{self.host.name}-console.log"

    def _ports(self) -> list[str]:
        """The bridges' ends of the cards."""
        return [self.host.port(card.name) for card in self.host.interfaces]

    def _plug(self) -> None:
        outside, inside = [], ["link set lo up\n"]
        for card, port in zip(self.host.interfaces, self._ports(), strict=True):
            peer = f"peer name {card.name} address {card.mac} netns {self._first}"
            outside.append(f"link add {port} type veth {peer}\nlink set {port} master {_BRIDGES[card.network]} up\n")
            inside.append(f"address add {card.ip} broadcast + dev {card.name}\nlink set {card.name} up\n")
        # Known beforehand, as to a guest that has talked over SSH: a marker must not wait for ARP.
        inside.append(f"neighbour add {MGMT_IP} lladdr {MGMT.mac} dev eth2 nud permanent\n")
        run(["ip", "-batch", "-"], stdin="".join(outside))
        run(["nsenter", "-t", str(self._first), "-n", "ip", "-batch", "-"], stdin="".join(inside))

    def _into(self) -> list[str]:
        return ["nsenter", "-t", str(self._first), "-n", "-m", "-p", "-u", "-i"]

    def _enter(self, command: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        if not self.running:
            raise LabError(f"{self.host.hostname} is not up")
        return subprocess.Popen(
            [*self._into(), "bash", "-c", command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
        )

    def _inside(self, path: str) -> Path:
        return Path(f"/proc/{self._first}/root{path}")


class ArmedCommand:
    """A shell in the host that has the command before it and waits for the word."""

    def __init__(self, process: subprocess.Popen[bytes], word: IO[bytes]) -> None:
        self._process = process
        self._word = word

    def fire(self) -> Timing:
        """Give the word; returns when the command has ended."""
        before_ns = time.time_ns()
        self._word.write(b"\n")
        self._word.flush()
        status = self._process.wait()
        return Timing(before_ns, time.time_ns(), status)


class PipeDialogue:
    """A command in the host that answers each line with a line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self) -> Answer:
        """Send an empty line and wait for the answer.

        Raises:
            LabError: none came.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        before_ns = time.time_ns()
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise LabError("a host ended a dialogue") from None
        line = self._process.stdout.readline()
        return Answer(before_ns, time.time_ns(), line.decode("utf-8", "replace").strip())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
