"""Every keyword of an instance changed by a reload, in vipd and in keepalived: who stops and starts, and what moves."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest

from support.hosts import Hosts
from support.reloads import configuration, numbered

needs_keepalived = pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")


@pytest.mark.parametrize("daemon", ["keepalived-2", pytest.param("keepalived", marks=needs_keepalived)])
def test_a_reload_stops_and_starts_no_more_instances_than_it_has_to(hosts: Hosts, daemon: str) -> None:
    alone = daemon != "keepalived"
    reloads = numbered(alone)

    def log() -> str:
        return hosts.log("A")

    hosts.run("ip -n A addr add 10.0.0.22/24 dev eth0 && echo 0 >/run/level")
    (hosts.folder / "A.conf").write_text(configuration(after=False, alone=alone))
    hosts.launch("A", daemon)
    hosts.wait("all masters", lambda: log().count("Entering MASTER STATE") == len(reloads))
    hosts.spawn("ip netns exec A ip -o monitor address", "moves.txt")
    hosts.wait("ip monitor", _is_watched(hosts))
    (hosts.folder / "A.conf").write_text(configuration(after=True, alone=alone))
    before = len(log())
    hosts.run(f"kill -HUP {hosts.pid('A')}")
    restarted = {one.name for _, one in reloads if one.restarts}
    hosts.wait("those that start anew", lambda: log()[before:].count("Entering MASTER STATE") == len(restarted))
    told = set(re.findall(r"\((\w+)\) Entering \w+ STATE", log()[before:]))
    assert told == restarted
    gone = set(re.findall(r"Deleted.* inet 192\.168\.122\.(\d+)/", "\n".join(hosts.read("moves.txt"))))
    named = {str(number): one for number, one in reloads}
    moved = {named[number].name for number in gone if number in named}
    assert moved == {one.name for _, one in reloads if one.restarts or one.moves}
    stopped = {named[vrid].name for vrid in re.findall(r"vrid (\d+), prio 0,", hosts.wire())}
    assert stopped == restarted


def _is_watched(hosts: Hosts) -> Callable[[], bool]:
    def seen() -> bool:
        hosts.run("ip -n A addr add 10.9.9.9/32 dev lo && ip -n A addr del 10.9.9.9/32 dev lo")
        return "10.9.9.9" in "".join(hosts.read("moves.txt"))

    return seen
