"""One daemon in a namespace of its own, and who is at the other end of its wires: acts, watches, and tells what it saw.

A program, the first process of namespaces that the run makes for it: a task as JSON on its standard input, what was
seen at each step as JSON on its standard output. The daemon's namespace is `host`; this process is outside of it, and
holds the other ends `p0` and `p1` of the daemon's `eth0` and `eth1`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from beside import kernel
from beside.wire import Advert, Announcement, read, spoken_by

_T = TypeVar("_T")
PAIRS, OUTSIDE = ("eth0", "eth1"), ("p0", "p1")
# Addresses of the daemon's end are .9 and ::9, those of the other end .1 and ::1, which may be anybody's peer.
LAYOUT = r"""
set -e
mount -t tmpfs none /run
ip netns add host
quiet='cd /proc/sys/net; for which in all default; do
    echo 0 >ipv6/conf/$which/accept_dad; echo 0 >ipv6/conf/$which/router_solicitations
    echo 0 >ipv4/conf/$which/rp_filter
done'
sh -c "$quiet"
ip netns exec host sh -c "$quiet"
ip -batch - <<END
link set lo up
link add p0 address 02:00:00:00:00:02 type veth peer name eth0 address 02:00:00:00:00:01 netns host
link add p1 address 02:00:00:00:01:02 type veth peer name eth1 address 02:00:00:00:01:01 netns host
addr add 10.253.1.1/24 dev p0
addr add 10.253.2.1/24 dev p1
addr add 2001:db8:1::1/64 dev p0 nodad
addr add 2001:db8:2::1/64 dev p1 nodad
link set p0 up
link set p1 up
END
ip -n host -batch - <<END
link set lo up
addr add 10.253.1.9/24 dev eth0
addr add 10.253.2.9/24 dev eth1
addr add 2001:db8:1::9/64 dev eth0 nodad
addr add 2001:db8:2::9/64 dev eth1 nodad
link set eth0 up
link set eth1 up
END
# The kernel may take a second to see the carrier.
for i in 0 1; do until ip -n host -br link show eth$i | grep -q " UP "; do sleep 0.02; done; done
touch /run/good; echo 0 >/run/level
printf '#!/bin/sh\necho "$@" >>/run/told\n' >/run/tell; chmod 755 /run/tell
"""
_STATE = re.compile(r"\((?P<name>[^)]+)\) Entering (?P<state>\w+) STATE")
_ETH_P_ALL = 3
_ECHO_4, _ECHO_6 = b"\x08\x00\xf7\xff" + bytes(4), b"\x80" + bytes(7)  # the kernel does ICMPv6's checksum
_REPLY_6 = 129
_ASKED, _ANSWERS_S = 3, 0.3  # how often, and how long it may take
_REACTION_S = 0.5
_LONGEST_S = 20.0
_GLANCE_S = 0.1
_PROBED = 4
_NICENESS = os.nice(0)


class Host:
    """A daemon and its surroundings.

    Args:
        command: how it is started.
        file: its keepalived.conf.
        quiet_s: nothing more is to be expected after so many seconds without an event.
        addresses: virtual addresses, which are asked for at the end of each step.
    """

    def __init__(self, command: list[str], file: str, quiet_s: float, addresses: list[str]) -> None:
        subprocess.run(["sh", "-c", LAYOUT], check=True, stdout=sys.stderr)
        self._command, self._quiet_s, self._addresses = command, quiet_s, addresses[:_PROBED]
        self._conf = Path("/run/keepalived.conf")
        self._conf.write_text(file)
        self._selector = selectors.DefaultSelector()
        # Bound to no interface: one that is would stop when its interface goes down.
        self._wires = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        self._selector.register(self._wires, selectors.EVENT_READ)
        Path("/run/log").touch()
        self._log = Path("/run/log").open(errors="replace")  # noqa: SIM115 - as long as this process lives
        self._unread = ""
        self._daemon: subprocess.Popen[bytes] | None = None
        self._said_states = False
        self._names: dict[str, str] = {}
        self._last_said: dict[tuple[str, int, int], Advert] = {}
        self._speaking: tuple[int, int] | None = None  # priority, and how often still
        self._speak_at = self._event_at = 0.0
        self._states: list[str] = []
        self._adverts: list[tuple[float, Advert]] = []
        self._steady: set[str] = set()
        self._begun_at = 0.0
        self._announcements: list[Announcement] = []
        self._told: list[str] = []

    # -- what is done

    def do(self, verb: str, argument: Any) -> None:
        """Do what a step of an accident says."""
        self._speaking = None
        self._steady = {advert.line(self._names) for _, advert in self._adverts}
        self._states, self._adverts, self._announcements, self._told = [], [], [], []
        self._event_at = self._begun_at = time.monotonic()
        getattr(self, f"_{verb}")(argument)
        self._begun_at = time.monotonic()

    def _nothing(self, _: Any) -> None:
        pass

    def _start(self, _: Any) -> None:
        self._said_states = False
        # A file loses no line, however late it is read.
        with Path("/run/log").open("ab") as log:
            self._daemon = subprocess.Popen(
                ["nice", "-n", str(_NICENESS), "ip", "netns", "exec", "host", *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _shell(self, script: str) -> None:
        subprocess.run(["sh", "-c", script], check=False, stdout=sys.stderr)

    def _signal(self, name: str) -> None:
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.send_signal(getattr(signal, f"SIG{name}"))

    def _halt(self, seconds: float) -> None:
        for each in self._processes():
            os.kill(each, signal.SIGSTOP)
        self._watch(seconds)
        for each in self._processes():
            os.kill(each, signal.SIGCONT)

    def _reload(self, file: str) -> None:
        self._conf.write_text(file)
        self._signal("HUP")

    def _kill(self, _: Any) -> None:
        """SIGKILL to all at once, so that none acts on the other's end."""
        found = self._processes()
        for name in (signal.SIGSTOP, signal.SIGKILL):
            for each in found:
                os.kill(each, name)
        self._ended()
        # Orphans are ours now, and a pid file that names a zombie would count as a daemon that runs.
        while any(Path(f"/proc/{each}").exists() for each in found):
            os.waitpid(-1, 0)

    def _stop(self, _: Any) -> None:
        self._signal("TERM")
        limit = time.monotonic() + _LONGEST_S
        while self._daemon is not None and self._daemon.poll() is None and time.monotonic() < limit:
            self._watch(0.05)
        self._ended()

    def _speak(self, argument: tuple[int, int]) -> None:
        """Be another router on the wire, of this priority, for so many adverts or until the next step."""
        self._speaking, self._speak_at = argument, 0.0

    # -- what is seen

    def settle(self) -> dict[str, list[str]]:
        """Wait until nothing more is to be expected; returns what was seen since the last step was begun."""
        begin = time.monotonic()
        self._event_at = max(self._event_at, begin)
        while (now := time.monotonic()) < begin + _LONGEST_S:
            if now >= self._event_at + self._quiet_s and not self._starting():
                break
            self._watch(_GLANCE_S)
        return {**self._seen(), "answers": self._answers()}

    def _starting(self) -> bool:
        """Whether the daemon runs and has not said yet what state anything is in."""
        return self._daemon is not None and self._daemon.poll() is None and not self._said_states

    def _seen(self) -> dict[str, list[str]]:
        snapshot = self._while_watching(kernel.snapshot)
        names = self._names
        names.update(snapshot.pop("names"))
        announced: dict[str, int] = {}
        for one in self._announcements:
            announced[one.line(names)] = announced.get(one.line(names), 0) + 1
        told = Path("/run/told")
        self._told += told.read_text(errors="replace").splitlines() if told.exists() else []
        told.unlink(missing_ok=True)
        running = self._daemon is not None and self._daemon.poll() is None
        return {
            "runs": ["runs" if running else f"ended {self._daemon.returncode if self._daemon else ''}"],
            "states": self._states,
            "adverts": list(dict.fromkeys(self._said(names))),
            "announcements": [f"{line} x{count}" for line, count in announced.items()],
            "told": self._told,
            **snapshot,
        }  # fmt: skip

    def _said(self, names: dict[str, str]) -> Iterator[str]:
        """The adverts of the step, without those from before the daemon acted, which are late by chance."""
        lines = [
            (at, (advert.interface, advert.version, advert.vrid), advert.line(names)) for at, advert in self._adverts
        ]
        changed = {router for _, router, line in lines if line not in self._steady}
        for at, router, line in lines:
            if line not in self._steady:
                changed.discard(router)
            elif router in changed or at <= self._begun_at + _REACTION_S:
                continue
            yield line

    def _answers(self) -> list[str]:
        """Which addresses answer a neighbour's echo request, and which its ARP or neighbour solicitation only."""
        self._while_watching(lambda: _ip_neigh("flush", "all"))
        echoed = self._echoed()
        resolved = re.findall(r"^(\S+) dev \S+ lladdr", self._while_watching(_ip_neigh), re.M)
        return [
            f"{one} answers{'' if one in echoed else ' neighbours only'}" for one in self._addresses if one in resolved
        ]

    def _echoed(self) -> set[str]:
        """The addresses that answer an echo request."""
        waiting = set(self._addresses)
        four = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        with four, six:
            four.setblocking(False)
            six.setblocking(False)
            for _ in range(_ASKED):
                for address in waiting:
                    _ask(four, six, address)
                until = time.monotonic() + _ANSWERS_S
                while waiting and time.monotonic() < until:
                    self._watch(_GLANCE_S / 5)
                    waiting -= _heard(four) | _heard(six)
        return set(self._addresses) - waiting

    def _while_watching(self, work: Callable[[], _T]) -> _T:
        """Do something that takes a busy machine seconds: the other router does not fall silent meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(work)
            while not done.done():
                self._watch(_GLANCE_S / 5)
            return done.result()

    def watch_until(self, descriptor: int) -> None:
        """Go on until something can be read there: the other router does not fall silent between two steps."""
        while not select.select([descriptor], [], [], 0)[0]:
            self._watch(_GLANCE_S)

    def _watch(self, seconds: float) -> None:
        """Take down what comes within this time, or at once where something is there, and speak if it is time to."""
        now = time.monotonic()
        if self._speaking and now >= self._speak_at:
            self._speak_at = now + self._speak_once(self._speaking[0])
            left = self._speaking[1] - 1
            self._speaking = (self._speaking[0], left) if left else None
        if self._selector.select(seconds):
            self._hear_frame()
        self._hear_log()

    def _hear_log(self) -> None:
        text = self._unread + self._log.read()
        *lines, self._unread = text.split("\n")
        for line in lines:
            if match := _STATE.search(line):
                self._states.append(f"{match['name']} {match['state']}")
                self._said_states = True
                self._event_at = time.monotonic()

    def _hear_frame(self) -> None:
        frame, (outside, _, kind, _, _) = self._wires.recvfrom(2048)
        if kind == socket.PACKET_OUTGOING or outside not in OUTSIDE:
            return
        interface = PAIRS[OUTSIDE.index(outside)]
        seen = read(interface, frame)
        if isinstance(seen, Advert):
            key = (interface, seen.version, seen.vrid)
            if (
                self._last_said.get(key, seen)._replace(frame=b"") != seen._replace(frame=b"")
                or key not in self._last_said
            ):
                self._event_at = time.monotonic()
            if seen.priority:
                self._last_said[key] = seen
            self._adverts.append((time.monotonic(), seen))
        elif seen is not None:
            self._announcements.append(seen)
            self._event_at = time.monotonic()

    def _speak_once(self, priority: int) -> float:
        """Send an advert for each virtual router that was heard; returns seconds to the next."""
        for (interface, _, _), advert in self._last_said.items():
            if advert.auth == "ah":
                continue
            pair = PAIRS.index(interface)
            unicast = not (advert.target.startswith("224.") or advert.target.startswith("ff"))
            source = f"10.253.{pair + 1}.1" if "." in advert.source else f"fe80::ff:fe00:{pair}02"
            if unicast:
                source = advert.target
            mac = bytes([2, 0, 0, 0, pair, 2])
            frame = spoken_by(advert, priority, source, mac, bytes([2, 0, 0, 0, pair, 1]) if unicast else None)
            with contextlib.suppress(OSError):  # its interface is down
                self._wires.sendto(frame, (OUTSIDE[pair], 0))
        return min([one.interval_s for one in self._last_said.values()], default=1.0)

    def _processes(self) -> list[int]:
        found = [self._daemon.pid] if self._daemon is not None and self._daemon.poll() is None else []
        for pid in found:
            found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return found

    def _ended(self) -> None:
        if self._daemon is not None:
            self._daemon.wait(_LONGEST_S)
            self._watch(0)


def _ip_neigh(*arguments: str) -> str:
    command = ["ip", "neigh", *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def _ask(four: socket.socket, six: socket.socket, address: str) -> None:
    """Send an echo request, to a link-local address out of both interfaces."""
    with contextlib.suppress(OSError):  # there is no way to it, or an interface is gone
        if ":" not in address:
            four.sendto(_ECHO_4, (address, 0))
        elif address.startswith("fe80"):
            for name in OUTSIDE:
                six.sendto(_ECHO_6, (address, 0, 0, socket.if_nametoindex(name)))
        else:
            six.sendto(_ECHO_6, (address, 0))


def _heard(sock: socket.socket) -> set[str]:
    """The addresses that echo replies have come from."""
    found = set()
    with contextlib.suppress(BlockingIOError):
        while True:
            data, sender = sock.recvfrom(2048)
            kind = data[(data[0] & 15) * 4] if sock.family == socket.AF_INET else data[0] - _REPLY_6
            if kind == 0:
                found.add(str(sender[0]).partition("%")[0])
    return found


def main() -> None:
    """Do as one is told, a line of JSON each: a task first, then steps, or null to look once more."""
    with contextlib.suppress(PermissionError):  # the router that it plays is on no busy machine
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    # Unbuffered, so that what was not read yet can be waited for, and a descriptor that no child reads from.
    given = os.fdopen(os.dup(0), "rb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    task = json.loads(given.readline())
    host = Host(task["command"], task["file"], task["quiet_s"], task["addresses"])
    while True:
        host.watch_until(given.fileno())
        line = given.readline()
        if not line:
            return
        if step := json.loads(line):
            host.do(*step)
        print(json.dumps(host.settle()), flush=True)


if __name__ == "__main__":
    main()
