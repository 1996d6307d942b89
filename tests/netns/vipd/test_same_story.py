"""One story, told by keepalived and by vipd at the same time: the same moves, FIFO lines and scripts' arguments.

Each has a sandbox of its own, in which it is host A; B is vipd in both. Two instances in a sync group on two links, and
one that tracks a script and a file.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import Hosts

_GLOBAL = """\
global_defs {
    enable_script_security
    script_user root
    %s
    vrrp_notify_priority_changes true
}
vrrp_script check {
    script "/usr/bin/test -e /run/good"
    interval 0.2
    timeout 60
    weight -150
}
track_file level {
    file /run/level
    weight 2
}
vrrp_sync_group G {
    group {
        VI_0
        VI_1
    }
    %s
}
"""
_INSTANCE = """\
vrrp_instance {name} {{
    version 3
    interface {interface}
    virtual_router_id {vrid}
    priority {priority}
    advert_int 0.5
    {more}
    virtual_ipaddress {{
        {address}/24
    }}
}}
"""
_INSTANCES = (
    ("VI_0", "eth0", 50, "10.0.0.50"),
    ("VI_1", "eth1", 51, "192.168.122.51"),
    ("VI_2", "eth0", 52, "10.0.0.52"),
)
_TRACKING = "track_script {\n check\n }\n track_file {\n level\n }\n"
_HOOKS = ("master", "backup", "fault", "stop")
# What is to be done at the end takes longer than the daemon takes to end.
_TELL = '#!/bin/sh\ntest "$1" = stop && sleep 0.5\necho "$@" >>%s\n'
_MOVE = re.compile(r"\[nsid (\d)\](Deleted )?.*?inet (\S+)/24")


def _hooks(name: str) -> str:
    own = "".join(f'notify_{word} "/run/tell {word} of {name}"\n    ' for word in _HOOKS)
    return f'{own}notify "/run/tell any"'


# What happens (a command, or what is started or stopped), what 2.2.7 then writes to the FIFO, and which addresses move:
# those of A in their order, then those of B.
_STORY: tuple[tuple[str, str, str], ...] = (
    (
        "start A",
        "GROUP G BACKUP 0, VI_0 BACKUP 200, VI_1 BACKUP 200, VI_2 BACKUP 200,"
        "VI_1 MASTER 200, VI_0 MASTER 200, GROUP G MASTER 0, VI_2 MASTER 200",
        "A+VI_1 A+VI_0 A+VI_2",
    ),
    ("start B", "", ""),
    ("rm /run/good", "VI_2 MASTER_PRIORITY 50, VI_2 BACKUP 50", "A-VI_2 B+VI_2"),
    ("echo 20 >/run/level", "VI_2 BACKUP_PRIORITY 90", ""),
    ("touch /run/good", "VI_2 BACKUP_PRIORITY 240, VI_2 MASTER 240", "A+VI_2 B-VI_2"),
    # -254: a fault, and the priority stays what it was.
    ("echo -127 >/run/level", "VI_2 FAULT 240", "A-VI_2 B+VI_2"),
    ("echo 0 >/run/level", "VI_2 BACKUP 200, VI_2 MASTER 200", "A+VI_2 B-VI_2"),
    # B hears nothing for a while, claims, and A hears that.
    ("ip -n client link set Beth0 type bridge_slave mcast_flood off", "VI_2 MASTER_RX_LOWER_PRI 200", "B+VI_2"),
    ("ip -n client link set Beth0 type bridge_slave mcast_flood on", "", "B-VI_2"),
    # One link of two is cut: both instances of the group move, there and back.
    (
        "ip -n client link set Aeth1 down",
        "VI_1 FAULT 200, VI_0 FAULT 200, GROUP G FAULT 0",
        "A-VI_1 A-VI_0 B+VI_1 B+VI_0",
    ),
    (
        "ip -n client link set Aeth1 up",
        "VI_1 BACKUP 200, VI_0 BACKUP 200, GROUP G BACKUP 0, VI_0 MASTER 200, VI_1 MASTER 200, GROUP G MASTER 0",
        "A+VI_0 A+VI_1 B-VI_0 B-VI_1",
    ),
    (
        "stop A",
        "VI_0 STOP 200, VI_1 STOP 200, VI_2 STOP 200, GROUP G STOP 0",
        "A-VI_0 A-VI_1 A-VI_2 B+VI_0 B+VI_1 B+VI_2",
    ),
)


class Story(Hosts):
    """A sandbox with the daemon under test as A."""

    def __init__(self, folder: Path, daemon: str) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.daemon = daemon
        self._seen_moves = 0
        self._told = folder / "told.log"
        self._told.touch()
        self.run(f"printf %s {shlex.quote(_TELL % self._told)} >/run/tell && chmod 755 /run/tell && touch /run/good")
        self.run("echo 0 >/run/level && ip netns set A 1 && ip netns set B 2")
        self.listen("fifo", "fifo.txt")
        self.spawn("ip monitor address all-nsid", "moves.txt")
        self.wait("ip monitor", self._is_watched)
        for host, priority in (("A", 200), ("B", 100)):
            self._write(host, priority)

    def do(self, what: str) -> None:
        """Let something happen."""
        if what == "start A":
            self.launch("A", self.daemon)
        elif what == "start B":
            self.launch("B", "keepalived-2")
            self.wait("B to listen", lambda: self.log("B").count("Entering BACKUP STATE (init)") == len(_INSTANCES))
        elif what == "stop A":
            self.stop("A")
        else:
            self.run(what)

    def fifo(self) -> list[str]:
        """What has come through the FIFO; a line that comes several times in a row once."""
        lines = self.read("fifo.txt")
        return [line for line, before in zip(lines, ["", *lines], strict=False) if line != before]

    def told(self) -> Counter[str]:
        """What scripts have been given, and how often."""
        return Counter(self._told.read_text().splitlines())

    def moved(self) -> list[str]:
        """Which host has got (+) or lost (-) which address, in the kernel's order."""
        found = (_MOVE.search(line) for line in self.read("moves.txt"))
        names = {address: name for name, _, _, address in _INSTANCES}
        return [f"{'AB'[int(one[1]) - 1]}{'-' if one[2] else '+'}{names[one[3]]}" for one in found if one]

    def until(self, what: str, told: list[str], moved: dict[str, list[str]]) -> None:
        """Wait for all of these lines and moves, and find no others."""
        what, count = f"{self.daemon}: {what}", len(moved["A"]) + len(moved["B"])
        self.wait(f"{what}: the lines", lambda: len(self.fifo()) >= len(told))
        assert self.fifo() == told, what
        self.wait(f"{what}: the addresses", lambda: len(self.moved()) >= count)
        assert [move for move in self.moved() if move[0] == "A"] == moved["A"], what
        assert sorted(move for move in self.moved() if move[0] == "B") == sorted(moved["B"]), what

    def until_scripts(self, expected: Counter[str]) -> None:
        """Wait until all scripts have been run, and find no others."""
        self.wait(f"{self.daemon}: the scripts", lambda: not expected - self.told())
        assert self.told() - expected <= Counter({"lower": 1000}), self.daemon

    def _is_watched(self) -> bool:
        self.run("ip -n A addr add 10.9.9.9/32 dev lo && ip -n A addr del 10.9.9.9/32 dev lo")
        return "10.9.9.9" in "".join(self.read("moves.txt"))

    def _write(self, host: str, priority: int) -> None:
        own = host == "A"
        text = _GLOBAL % (("vrrp_notify_fifo /run/fifo", _hooks("G")) if own else ("", ""))
        for name, interface, vrid, address in _INSTANCES:
            more = _hooks(name) if own else ""
            if own and name == "VI_2":
                more += f'\n    notify_master_rx_lower_pri "/run/tell lower"\n    {_TRACKING}'
            text += _INSTANCE.format(
                name=name, interface=interface, vrid=vrid, priority=priority, more=more, address=address
            )
        (self.folder / f"{host}.conf").write_text(text)


def lines(said: str) -> list[str]:
    """The lines of the FIFO that a story names, written out."""
    words = [one.split() for one in said.split(",") if one]
    return [
        f'GROUP "{one[1]}" {one[2]} {one[3]}' if one[0] == "GROUP" else f'INSTANCE "{one[0]}" {one[1]} {one[2]}'
        for one in words
    ]


def scripts(said: list[str]) -> Counter[str]:
    """What scripts are given along with these lines: one that is for the state, if there is one, and one for all."""
    found: Counter[str] = Counter()
    for line in said:
        kind, name, state, priority = line.replace('"', "").split()
        if state == "MASTER_RX_LOWER_PRI":
            found["lower"] += 1
        elif not state.endswith("_PRIORITY"):
            found[f"{state.lower()} of {name}"] += 1
            found[f"any {kind} {name} {state} {priority}"] += 1
    return found


@pytest.fixture
def stories(tmp_path: Path) -> Iterator[list[Story]]:
    daemons = ["keepalived-2", *(["keepalived"] if shutil.which("keepalived") else [])]
    made: list[Story] = []
    try:
        for daemon in daemons:
            made.append(Story(tmp_path / daemon, daemon))
        yield made
    finally:
        for story in made:
            story.close()


def test_vipd_tells_the_story_that_keepalived_tells(stories: list[Story]) -> None:
    told: list[str] = []
    moved: dict[str, list[str]] = {"A": [], "B": []}
    for what, said, moves in _STORY:
        told += lines(said)
        for move in moves.split():
            moved[move[0]].append(move)
        for story in stories:
            story.do(what)
        for story in stories:
            story.until(what, told, moved)
    for story in stories:
        story.until_scripts(scripts(told))
