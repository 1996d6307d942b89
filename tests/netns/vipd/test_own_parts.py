"""vipd whose own parts are taken away: its log, descriptors, sockets, script process and disk, on a real kernel.

Every error of every call is tried in tests/unit/vipd/daemon/test_injected_errors.py; here are those that people met.
"""

from __future__ import annotations

import shlex

import pytest

from support.hosts import Hosts

VRRP = """
global_defs {{
    enable_script_security
    script_user root
    state_dump_file /run/dumps/data
}}
vrrp_script check {{
    script "/usr/bin/test -e /run/good"
    interval 0.2
    weight -50
}}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.3
    version 3
    virtual_ipaddress {{
        192.168.122.50/24 dev eth1
    }}
    {tracking}
}}
"""


def start(hosts: Hosts, host: str, priority: int, before: str = "", after: str = "", tracking: str = "") -> None:
    (hosts.folder / f"{host}.conf").write_text(VRRP.format(priority=priority, tracking=tracking))
    command = f"{before} exec {hosts.vipd} -n -l -D -f {hosts.folder}/{host}.conf -p /run/{host}.pid {after}"
    hosts.spawn(f"ip netns exec {host} sh -c {shlex.quote(command)}", f"{host}.log")


def adverts(hosts: Hosts, host: str) -> int:
    source = {"A": "10.0.0.2", "B": "10.0.0.3"}[host]
    return hosts.wire().count(f"{source} > 224.0.0.18")


def ticks(hosts: Hosts, pid: int) -> int:
    """Processor time of a process, in hundredths of a second."""
    fields = hosts.run(f"cat /proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_master(hosts: Hosts, host: str) -> None:
    """Wait until a host has the address, alone, and adverts come."""
    hosts.wait(f"{host} to be master", lambda: hosts.owners() == [host])
    before = adverts(hosts, host)
    hosts.wait(f"adverts of {host}", lambda: adverts(hosts, host) >= before + 3)


LOGS = {
    "full": ("", "2>/dev/full"),
    "closed": ("", "2>&-"),
    "all closed": ("", "<&- >&- 2>&-"),
    "reader gone": ("mkfifo /run/log; sleep 1 </run/log &", "2>/run/log"),
    "nobody reads": ("mkfifo /run/log; sleep 1000 <>/run/log & seq 99999 | timeout 1 tee /run/log >&-;", "2>/run/log"),
}


@pytest.mark.parametrize("log", LOGS)
def test_a_log_that_cannot_be_written_costs_lines_and_nothing_else(hosts: Hosts, log: str) -> None:
    before, after = LOGS[log]
    start(hosts, "A", 200, before, after)
    is_master(hosts, "A")
    pid = hosts.pid("A")
    for name in ("HUP", "USR1", "HUP"):
        hosts.run(f"kill -{name} {pid}")
    is_master(hosts, "A")
    assert hosts.status("A")["VI_1"]["statistics"]["master-transitions"] == 1
    hosts.run(f"kill -TERM {pid}")
    hosts.wait("the end, without the address", lambda: hosts.owners() == [])


@pytest.mark.parametrize("limit", [10, 11, 12, 13, 14, 15])
def test_without_descriptors_there_is_no_second_master_and_with_them_it_recovers(hosts: Hosts, limit: int) -> None:
    start(hosts, "B", 100)
    is_master(hosts, "B")
    start(hosts, "A", 200, f"ulimit -Sn {limit};")
    hosts.wait("A to have begun", lambda: "Entering" in hosts.log("A") or "cannot go on" in hosts.log("A"))
    if "cannot go on" in hosts.log("A"):
        assert "Too many open files" in hosts.log("A")
    elif "Entering FAULT STATE" in hosts.log("A"):
        before = adverts(hosts, "B")
        hosts.wait("ten more adverts of B", lambda: adverts(hosts, "B") >= before + 10)
        assert hosts.owners() == ["B"] and not adverts(hosts, "A")
        assert hosts.log("A").count("no socket") <= 2
        hosts.run(f"prlimit --nofile=1000: --pid {hosts.pid('A')}")
        is_master(hosts, "A")
    else:
        is_master(hosts, "A")


def test_a_master_whose_adverts_are_refused_gives_up_and_comes_back(hosts: Hosts) -> None:
    start(hosts, "A", 200)
    is_master(hosts, "A")
    start(hosts, "B", 100)
    hosts.wait("B to be backup", lambda: "Entering BACKUP STATE" in hosts.log("B"))
    hosts.run(
        "ip netns exec A nft 'table ip t { chain out { type filter hook output priority 0; ip protocol 112 drop; }; }'"
    )
    is_master(hosts, "B")
    before = adverts(hosts, "B")
    hosts.wait("thirty more adverts of B", lambda: adverts(hosts, "B") >= before + 30)
    assert hosts.owners() == ["B"]
    assert hosts.log("A").count("Operation not permitted") == 1
    hosts.run("ip netns exec A nft delete table ip t")
    is_master(hosts, "A")


def children(hosts: Hosts, pid: int) -> list[int]:
    return [int(one) for one in hosts.run(f"cat /proc/{pid}/task/{pid}/children", check=False).split()]


def test_a_script_process_that_is_killed_is_started_anew_and_said_once(hosts: Hosts) -> None:
    hosts.run("touch /run/good")
    start(hosts, "A", 200, tracking="track_script {\ncheck\n}")
    is_master(hosts, "A")
    pid = hosts.pid("A")
    (watcher,) = children(hosts, pid)
    (runner,) = children(hosts, watcher)
    hosts.run(f"kill -KILL {runner}")
    hosts.wait("another one", lambda: children(hosts, watcher) not in ([], [runner]))
    hosts.run("rm /run/good")
    hosts.wait("the script to have run", lambda: hosts.status("A")["VI_1"]["effective-priority"] == 150)
    hosts.run("touch /run/good")
    hosts.wait("the script to have run", lambda: hosts.status("A")["VI_1"]["effective-priority"] == 200)
    assert hosts.log("A").count("was killed") == 1
    # Both: then nobody can start one, and the last result counts on.
    (runner,) = children(hosts, watcher)
    hosts.run(f"kill -KILL {watcher} {runner}")
    hosts.wait("a line", lambda: "no script will be run" in hosts.log("A"))
    spent = ticks(hosts, pid)
    is_master(hosts, "A")
    assert hosts.status("A")["VI_1"]["effective-priority"] == 200
    assert hosts.log("A").count("script") <= 4
    assert ticks(hosts, pid) - spent < 100
