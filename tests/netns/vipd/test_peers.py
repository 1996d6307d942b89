"""vipd with itself and with the distribution's keepalived, on a real kernel."""

from __future__ import annotations

import shutil

import pytest

from support.hosts import AGENT, Hosts
from vipd.tools.zipapp import build_zipapp

needs_keepalived = pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("keepalived-2", "keepalived-2"),
        ("rfc9568", "rfc9568"),
        pytest.param("keepalived-2", "keepalived", marks=needs_keepalived),
        pytest.param("keepalived", "keepalived-2", marks=needs_keepalived),
    ],
)
def test_takeover_preemption_and_stop_leave_exactly_one_master(hosts: Hosts, a: str, b: str) -> None:
    hosts.start("B", b, priority=101)
    hosts.wait("B to be master alone", lambda: hosts.owners() == ["B"])
    hosts.start("A", a, priority=102)
    hosts.wait("A to preempt", lambda: hosts.owners() == ["A"])
    assert "prio 0" not in hosts.wire()
    hosts.kill("A")
    hosts.wait("B to take over from a killed A", lambda: hosts.owners() == ["A", "B"])
    hosts.start("A", a, priority=102)
    hosts.wait("A to have settled its leftover and preempted", lambda: hosts.owners() == ["A"])
    hosts.stop("A")
    hosts.wait("B to take over from a stopped A", lambda: hosts.owners() == ["B"])
    hosts.wait("the farewell on the wire", lambda: "prio 0" in hosts.wire())
    hosts.stop("B")
    assert hosts.owners() == []
    assert "bad vrrp cksum" not in hosts.wire()


@pytest.mark.parametrize("peer", ["keepalived-2", pytest.param("keepalived", marks=needs_keepalived)])
def test_a_link_that_fails_and_returns_moves_the_address_there_and_back(hosts: Hosts, peer: str) -> None:
    hosts.start("A", "keepalived-2", priority=102)
    hosts.start("B", peer, priority=101)
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])
    hosts.run("ip -n A link set eth1 down")
    hosts.wait("B to take over", lambda: hosts.owners() == ["B"])
    hosts.run("ip -n A link set eth1 up")
    hosts.wait("A to preempt", lambda: hosts.owners() == ["A"])
    assert "(VI_1) Entering FAULT STATE" in hosts.log("A")


def test_the_address_is_set_with_broadcast_and_label(hosts: Hosts) -> None:
    hosts.start("A", "keepalived-2", priority=200)
    hosts.wait("A to be master", lambda: hosts.holds("A"))
    shown = hosts.run("ip -n A -4 addr show eth1")
    assert "inet 192.168.122.50/24 brd 192.168.122.255 scope global secondary eth1:0" in shown


def test_profile_1_2_2_tells_the_article_s_story(hosts: Hosts) -> None:
    hosts.start("A", "keepalived-1.2.2", priority=101, state="MASTER")
    hosts.start("B", "keepalived-1.2.2", priority=101)
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])
    hosts.run("ip -n A link set eth1 down")
    hosts.wait("B to take over", lambda: hosts.owners() == ["B"])
    hosts.run("ip -n A link set eth1 up")
    hosts.wait("A to be backup", lambda: "Entering BACKUP STATE" in hosts.log("A"))
    hosts.stop("B")
    hosts.wait("A to take over", lambda: hosts.owners() == ["A"])
    assert "prio 0," not in hosts.wire()
    told = [line.partition("Keepalived_vrrp: ")[2] for line in hosts.log("A").splitlines()]
    start = told.index("VRRP_Instance(VI_1) Transition to MASTER STATE")
    burst = "VRRP_Instance(VI_1) Sending gratuitous ARPs on eth1 for 192.168.122.50"
    assert [line for line in told[start:] if line != burst] == [
        "VRRP_Instance(VI_1) Transition to MASTER STATE",
        "VRRP_Instance(VI_1) Entering MASTER STATE",
        "VRRP_Instance(VI_1) setting protocol VIPs.",
        "Kernel is reporting: interface eth1 DOWN",
        "VRRP_Instance(VI_1) Entering FAULT STATE",
        "VRRP_Instance(VI_1) removing protocol VIPs.",
        "VRRP_Instance(VI_1) Now in FAULT state",
        "VRRP_Instance(VI_1) Entering BACKUP STATE",
        "VRRP_Instance(VI_1) Transition to MASTER STATE",
        "VRRP_Instance(VI_1) Entering MASTER STATE",
        "VRRP_Instance(VI_1) setting protocol VIPs.",
    ]


def test_an_interface_that_comes_later_or_comes_again_is_joined(hosts: Hosts) -> None:
    hosts.run("ip -n A link del eth0")
    config = hosts.configure("A", priority=102)
    config.write_text("global_defs {\ndynamic_interfaces\n}\n" + config.read_text())
    hosts.launch("A", "keepalived-2")
    hosts.start("B", "keepalived-2", priority=101)
    hosts.wait("B to be master while A waits for its interface", lambda: hosts.owners() == ["B"])
    assert "(VI_1) Entering FAULT STATE" in hosts.log("A")
    for _ in range(2):
        hosts.plug("A", "eth0")
        hosts.wait("A to preempt", lambda: hosts.owners() == ["A"])
        hosts.run("ip -n A link del eth0")
        hosts.wait("B to take over", lambda: hosts.owners() == ["B"])


def test_a_second_daemon_on_the_same_pid_file_is_refused(hosts: Hosts) -> None:
    hosts.start("A", "keepalived-2", priority=102)
    hosts.wait("A to run", lambda: bool(hosts.run("cat /run/A.pid", check=False)))
    first = hosts.run("cat /run/A.pid")
    hosts.start("A", "keepalived-2", priority=102)
    hosts.wait("the refusal", lambda: "is already running (/run/A.pid is locked); stop it first" in hosts.log("A"))
    assert hosts.run("cat /run/A.pid") == first


def test_the_init_script_starts_the_built_file_and_returns_when_it_runs(hosts: Hosts) -> None:
    build_zipapp(hosts.folder / "vipd.pyz")
    (hosts.folder / "vipd").write_text(f'VIPD_OPTIONS="-D -f {hosts.folder}/A.conf"')
    hosts.configure("A", priority=102)
    hosts.run(
        f"mount -t tmpfs none /usr/local/sbin && cp {hosts.folder}/vipd.pyz /usr/local/sbin/ &&"
        f"mount -t tmpfs none /etc/default && cp {hosts.folder}/vipd /etc/default/"
    )
    script = f"ip netns exec A {AGENT}/init.d/vipd"
    assert hosts.run(f"{script} status", check=False) == "vipd is not running\n"
    assert hosts.run(f"{script} start") == "Starting vipd: ok\n"
    pid = int(hosts.run("cat /run/vipd.pid"))
    assert hosts.run(f"{script} status") == f"vipd is running (pid {pid})\n"
    assert hosts.run(f"{script} start") == f"vipd is already running (pid {pid})\n"
    hosts.wait("A to be master", lambda: hosts.holds("A"))
    assert hosts.run(f"{script} restart") == "Stopping vipd: ok\nStarting vipd: ok\n"
    assert hosts.run(f"{script} stop") == "Stopping vipd: ok\n"
    assert not hosts.holds("A")
    hosts.configure("A", priority=999)
    assert hosts.run(f"{script} start", check=False) == ""
