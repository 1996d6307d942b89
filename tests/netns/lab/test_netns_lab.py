"""The lab of namespace hosts, for real: root, and nothing of it in the machine's own namespaces."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import pytest

from viplab.lab.lab import Lab
from viplab.lab.netns.kind import NETNS
from viplab.lab.topology import PAIR, make_host
from viplab.lab.waiting import until
from viplab.types import HostName

T = TypeVar("T")


def in_fresh_lab(work: Callable[[Lab], T], hosts: Collection[HostName] = PAIR) -> T:
    def inside(lab: Lab) -> T:
        lab.reset()
        return work(lab)

    return NETNS.open(inside, hosts)


def test_a_host_has_the_guest_s_name_cards_and_addresses() -> None:
    def look(lab: Lab) -> dict[str, str]:
        return {n: g.run("hostname; ip -o link; ip -o -4 address").checked().stdout for n, g in lab.hosts.items()}

    said = in_fresh_lab(look, "ABC")
    assert list(said) == ["A", "B", "C"]
    for name in said:
        host = make_host(name)
        assert said[name].startswith(f"{host.hostname}\n")
        for card in host.interfaces:
            assert card.mac in said[name]
            assert f"{card.name}    inet {card.ip}" in said[name]


def test_both_hosts_answer_the_client_and_each_other() -> None:
    def look(lab: Lab) -> list[int]:
        return [
            lab.hosts["A"].run("ping -c 1 -w 20 10.10.10.12").status,
            lab.hosts["B"].run("ping -c 1 -w 20 192.168.122.11").status,
            lab.hosts["A"].run("ping -c 1 -w 20 192.168.122.1").status,
        ]

    assert in_fresh_lab(look) == [0, 0, 0]


def test_a_reset_leaves_those_hosts_that_it_names_and_no_others() -> None:
    def look(lab: Lab) -> list[tuple[list[str], int]]:
        found = []
        for hosts, within_s in (("ABC", 20), ("AB", 1)):
            lab.reset(hosts=hosts)
            found.append((list(lab.hosts), lab.hosts["A"].run(f"ping -c 1 -w {within_s} 10.10.10.13").status))
        return found

    assert in_fresh_lab(look, "ABC") == [(["A", "B", "C"], 0), (["A", "B"], 1)]


@pytest.mark.parametrize(
    "path", ["/etc/default/viplab-test", "/usr/local/viplab-test", "/var/lib/viplab-test", "/dev/shm/viplab-test"]
)
def test_what_a_host_writes_stays_in_it(path: str) -> None:
    def write(lab: Lab) -> tuple[bytes, bytes, bool]:
        lab.hosts["A"].put(b"here", path)
        return lab.hosts["A"].get(path), lab.hosts["B"].get(path), Path(path).exists()

    assert in_fresh_lab(write) == (b"here", b"", False)


def test_a_reset_leaves_nothing_of_the_host_before() -> None:
    def work(lab: Lab) -> tuple[bytes, str]:
        lab.hosts["A"].put(b"old", "/etc/default/viplab-test")
        lab.hosts["A"].run("ip address add 192.168.122.50/24 dev eth1").checked()
        lab.reset()
        return lab.hosts["A"].get("/etc/default/viplab-test"), lab.hosts["A"].run("ip -4 -o address").stdout

    old, addresses = in_fresh_lab(work)
    assert old == b""
    assert "192.168.122.50" not in addresses


def test_what_is_logged_stands_in_both_forms() -> None:
    def work(lab: Lab) -> tuple[bytes, bytes]:
        guest = lab.hosts["B"]
        guest.run("logger --socket-errors=on -t Keepalived_vrrp hello").checked()
        until("the line", lambda: b"hello" in guest.get("/var/log/precise.log"), within_s=60)
        return guest.get("/var/log/messages"), guest.get("/var/log/precise.log")

    messages, precise = in_fresh_lab(work)
    assert b" centOS-hostB Keepalived_vrrp: hello\n" in messages
    assert precise.split()[1:] == b"centOS-hostB Keepalived_vrrp: hello".split()


def test_a_daemon_that_dies_leaves_no_zombie() -> None:
    def work(lab: Lab) -> int:
        guest = lab.hosts["A"]
        pid = guest.run("(sleep 300 >/dev/null 2>&1 & echo $!)").checked().stdout.strip()
        guest.run(f"kill -9 {pid}").checked()
        until("the process to be gone", lambda: guest.run(f"kill -0 {pid}").status != 0, within_s=60)
        return int(pid)

    assert in_fresh_lab(work) > 1


def test_link_down_takes_the_carrier_from_the_bridge_s_port() -> None:
    def work(lab: Lab) -> tuple[str, str]:
        port = Path("/sys/class/net/A-eth1/carrier")
        before = port.read_text()
        lab.hosts["A"].run("ifconfig eth1 down").checked()
        return before, port.read_text()

    assert in_fresh_lab(work) == ("1\n", "0\n")


def test_after_a_power_cut_nothing_answers() -> None:
    def work(lab: Lab) -> tuple[bool, int, int]:
        before = lab.hosts["B"].run("ping -c 1 -w 20 192.168.122.11").status
        lab.hosts["A"].power_cut()
        return lab.hosts["A"].running, before, lab.hosts["B"].run("ping -c 1 -w 1 192.168.122.11").status

    assert in_fresh_lab(work) == (False, 0, 1)


def test_a_shutdown_lets_processes_end_in_order() -> None:
    def work(lab: Lab) -> bytes:
        guest = lab.hosts["A"]
        # The word of a process that was asked to end can be read as long as the host's memory is there.
        log = Path(f"{guest._folder}/log/word")  # type: ignore[attr-defined]
        guest.run("(trap 'echo asked >/var/log/word; exit' TERM; while :; do sleep 0.1; done) >/dev/null 2>&1 &")
        guest.arm(guest.shutdown_command, "viplab:shutdown:A:1").fire()
        until("the host to be gone", lambda: not guest.running, within_s=60)
        return log.read_bytes()

    assert in_fresh_lab(work) == b"asked\n"


def test_a_host_that_is_shutting_down_can_be_taken_away_meanwhile() -> None:
    def work(lab: Lab) -> bool:
        lab.hosts["A"].arm(lab.hosts["A"].shutdown_command, "off").fire()
        lab.reset()
        return lab.hosts["A"].running

    assert in_fresh_lab(work)


def test_an_armed_command_acts_when_it_is_fired_and_not_before() -> None:
    def work(lab: Lab) -> tuple[bytes, bytes, int]:
        guest = lab.hosts["A"]
        armed = guest.arm("echo done >/run/word", "viplab:test:A:1")
        before = guest.get("/run/word")
        status = armed.fire().status
        return before, guest.get("/run/word"), status

    assert in_fresh_lab(work) == (b"", b"done\n", 0)
