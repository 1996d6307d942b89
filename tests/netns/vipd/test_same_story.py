"""One story, told by keepalived and by vipd at the same time: the same moves, FIFO lines and scripts' arguments.

Each has a sandbox of its own, in which it is host A; B is vipd in both. Two instances in a sync group on two links, and
one that tracks a script and a file.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from netns_hosts import Hosts, missing

_GLOBAL = """\
global_defs {
    enable_script_security
    script_user root
    vrrp_notify_fifo /run/fifo
    vrrp_notify_priority_changes true
}
vrrp_script check {
    script "/usr/bin/test -e /run/good"
    interval 0.2
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
    advert_int 0.2
    {more}
    virtual_ipaddress {{
        {address}/24
    }}
}}
"""
_INSTANCES = (("VI_0", "eth0", 50, "10.0.0.50"), ("VI_1", "eth1", 51, "192.168.122.51"), ("VI_2", "eth0", 52, "10.0.0.52"))
_TRACKING = "track_script {\n check\n }\n track_file {\n level\n }\n"
_HOOKS = ("master", "backup", "fault", "stop")
_TOLD = '#!/bin/sh\necho "$@" >>/run/told\n'
_MOVE = re.compile(r"\[nsid (\d)\](Deleted )?.*?inet (\S+)/24")


def _hooks(name: str) -> str:
    own = "".join(f'notify_{word} "/run/tell {word} of {name}"\n    ' for word in _HOOKS)
    return f'{own}notify "/run/tell any"'


class Story(Hosts):
    """A sandbox with the daemon under test as A."""

    def __init__(self, folder: Path, daemon: str) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.daemon = daemon
        self.run(f"printf %s {shlex.quote(_TOLD)} >/run/tell && chmod 755 /run/tell && touch /run/good /run/told")
        self.run("echo 0 >/run/level && ip netns set A 1 && ip netns set B 2")
        self.listen("fifo", "fifo.txt")
        self.spawn("ip monitor address all-nsid", "moves.txt")
        for host, priority in (("A", 200), ("B", 100)):
            self.write(host, priority)

    def write(self, host: str, priority: int) -> None:
        own = host == "A"
        text = _GLOBAL % (_hooks("G") if own else "")
        for name, interface, vrid, address in _INSTANCES:
            more = _hooks(name) if own else ""
            if own and name == "VI_2":
                more += f"\n    notify_master_rx_lower_pri \"/run/tell lower\"\n    {_TRACKING}"
            text += _INSTANCE.format(
                name=name, interface=interface, vrid=vrid, priority=priority, more=more, address=address
            )
        if not own:
            text = text.replace("    vrrp_notify_fifo /run/fifo\n", "")
        (self.folder / f"{host}.conf").write_text(text)

    def fifo(self) -> list[str]:
        return self.read("fifo.txt")

    def told(self) -> list[str]:
        return self.run("cat /run/told").splitlines()

    def moves(self) -> list[str]:
        """Which host has got (+) or lost (-) which address, in the kernel's order."""
        found = (_MOVE.search(line) for line in self.read("moves.txt"))
        return [f"{'AB'[int(one[1]) - 1]}{'-' if one[2] else '+'}{one[3]}" for one in found if one]

