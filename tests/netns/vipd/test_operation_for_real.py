"""vipd in operation, on a real kernel: reload, status, capabilities, tracking, and what goes wrong around a daemon."""

from __future__ import annotations

import json
from itertools import pairwise

from support.hosts import Hosts

VRRP = """
global_defs {{
    enable_script_security
    script_user root
    vrrp_notify_fifo {folder}/fifo
}}
vrrp_script check {{
    script "/usr/bin/test -e /run/good"
    interval 0.1
    weight -50
    init_fail
}}
vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    virtual_ipaddress {{
        192.168.122.50/24 dev eth1
        {more}
    }}
    virtual_routes {{
        10.77.0.0/16 via 192.168.122.1 dev eth1
    }}
    virtual_rules {{
        from 10.77.0.0/16 table 77 preference 777
    }}
    {tracking}
    notify "/usr/bin/touch /run/notified"
}}
"""


def write(hosts: Hosts, host: str, priority: int, more: str = "", tracking: str = "") -> None:
    text = VRRP.format(folder=hosts.folder, priority=priority, more=more, tracking=tracking)
    (hosts.folder / f"{host}.conf").write_text(text)


def start(hosts: Hosts, host: str) -> int:
    command = f"ip netns exec {host} {hosts.vipd} -n -l -D"
    hosts.spawn(f"{command} -f {hosts.folder}/{host}.conf -p /run/{host}.pid", f"{host}.log")
    hosts.wait(f"{host} to run", lambda: bool(hosts.run(f"cat /run/{host}.pid", check=False).strip()))
    return int(hosts.run(f"cat /run/{host}.pid"))


def status(hosts: Hosts, host: str) -> dict[str, object]:
    text = hosts.run(f"{hosts.vipd} status --json -p /run/{host}.pid")
    (found,) = json.loads(text)["vrrp-instance"]
    return dict(found)


def sent(hosts: Hosts) -> int:
    return hosts.wire().count("vrid 51")


def test_a_master_s_life(hosts: Hosts) -> None:
    """One daemon through all of it, since taking over takes seconds."""
    write(hosts, "A", 200)
    pid = start(hosts, "A")
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])

    # Two capabilities, and no way to more.
    process = hosts.run(f"cat /proc/{pid}/status")
    assert "CapEff:\t0000000000003000" in process
    assert "CapBnd:\t0000000000003000" in process
    assert "NoNewPrivs:\t1" in process

    # Routes and rules come with the addresses, and the hooks have run.
    hosts.wait("the rule", lambda: "777:" in hosts.run("ip -n A rule"))
    assert "10.77.0.0/16 via 192.168.122.1 dev eth1 proto keepalived" in hosts.run("ip -n A route")
    hosts.wait("the notify script", lambda: hosts.run("ls /run/notified", check=False) != "")

    # A broken file leaves the old one in force, so does one about to be written; an unchanged one changes nothing.
    config = hosts.folder / "A.conf"
    good = config.read_text()
    for number, text in enumerate((good + "nonsense\n", "", good[: len(good) // 2], None), 1):
        config.unlink()
        if text is not None:
            config.write_text(text)
        hosts.run(f"kill -HUP {pid}")
        hosts.wait("the refusal", lambda number=number: hosts.log("A").count("the old one stays in force") == number)  # type: ignore[misc]
    config.write_text(good)
    before = hosts.log("A").count("Reloading")
    hosts.run(f"kill -HUP {pid}")
    hosts.wait("the reload", lambda: hosts.log("A").count("Reloading") == before + 1)
    assert hosts.owners() == ["A"]

    # A new address is set without a change of state, and without an advert of priority 0.
    write(hosts, "A", 200, more="192.168.122.60/24 dev eth1")
    hosts.run(f"kill -HUP {pid}")
    hosts.wait("the new address", lambda: "192.168.122.60/24" in hosts.run("ip -n A addr show eth1"))
    shown = status(hosts, "A")
    assert (shown["state"], shown["statistics"]["master-transitions"]) == ("master", 1)  # type: ignore[index]
    assert "prio 0" not in hosts.wire()

    # Somebody else takes the address away: the master says so, and comes back.
    hosts.run("ip -n A addr del 192.168.122.50/24 dev eth1")
    hosts.wait("the address to come back", lambda: hosts.owners() == ["A"])

    # Killed, it leaves its addresses; started again, it settles them before it becomes master anew.
    hosts.run(f"kill -KILL {pid}")
    assert hosts.owners() == ["A"]
    hosts.run("rm /run/A.pid")
    pid = start(hosts, "A")
    hosts.wait(
        "the leftover to be removed", lambda: "Entering BACKUP STATE (init)" in hosts.log("A").split("Reloading")[-1]
    )
    hosts.wait("A to be master again", lambda: hosts.owners() == ["A"])
    hosts.run(f"kill -TERM {pid}")
    hosts.wait("A to have stopped", lambda: hosts.owners() == [])
    assert "777:" not in hosts.run("ip -n A rule")


def test_an_address_with_no_track_may_be_taken_away(hosts: Hosts) -> None:
    write(hosts, "A", 255, more="192.168.122.61/24 dev eth1 no_track")
    start(hosts, "A")
    hosts.wait("the address", lambda: "192.168.122.61/24" in hosts.run("ip -n A addr show eth1"))
    hosts.run("ip -n A addr del 192.168.122.61/24 dev eth1")
    hosts.wait("two more adverts", lambda: sent(hosts) >= 2)
    shown = status(hosts, "A")
    assert (shown["state"], shown["statistics"]["master-transitions"]) == ("master", 1)  # type: ignore[index]
    assert "prio 0" not in hosts.wire()


def test_a_reload_sends_no_extra_advert(hosts: Hosts) -> None:
    write(hosts, "A", 200)
    pid = start(hosts, "A")
    hosts.wait("three adverts", lambda: sent(hosts) >= 3)
    shown = status(hosts, "A")["statistics"]
    for _ in range(5):
        hosts.run(f"kill -HUP {pid}")
    hosts.wait("the reloads", lambda: hosts.log("A").count("Reloading") >= 1)
    hosts.wait("two more adverts", lambda: sent(hosts) >= 5)
    stamps = [line.split()[0] for line in hosts.wire().splitlines() if "proto VRRP" in line]
    seconds = [
        sum(float(part) * unit for part, unit in zip(stamp.split(":"), (3600, 60, 1), strict=True)) for stamp in stamps
    ]
    gaps = [later - earlier for earlier, later in pairwise(seconds)]
    # One that is late on a busy machine shortens the gap after it; one that five reloads sent would leave next to none.
    assert min(gaps) > 0.5, f"an advert out of turn: {gaps}, before {shown}"


def test_a_tracked_script_moves_the_priority_and_the_other_takes_over(hosts: Hosts) -> None:
    write(hosts, "A", 120, tracking="track_script {\ncheck\n}")
    write(hosts, "B", 100)
    hosts.run("touch /run/good")
    start(hosts, "A")
    start(hosts, "B")
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])
    hosts.run("rm /run/good")
    hosts.wait("B to take over", lambda: hosts.owners() == ["B"])
    assert status(hosts, "A")["effective-priority"] == 70
    hosts.run("touch /run/good")
    hosts.wait("A to preempt", lambda: hosts.owners() == ["A"])


def test_lost_reports_of_the_kernel_are_made_up_for(hosts: Hosts) -> None:
    """A stopped daemon's netlink socket overflows (ENOBUFS); what it missed is read anew."""
    write(hosts, "A", 200)
    pid = start(hosts, "A")
    hosts.wait("A to be master", lambda: hosts.owners() == ["A"])
    hosts.run(f"kill -STOP {pid}")
    hosts.run("seq 1 3000 | sed 's/.*/link set lo down\\nlink set lo up/' | ip -n A -batch -")
    hosts.run("ip -n A link set eth0 down")
    hosts.run(f"kill -CONT {pid}")
    hosts.wait("FAULT", lambda: "(VI_1) Entering FAULT STATE" in hosts.log("A"))
    hosts.run("ip -n A link set eth0 up")
    hosts.wait("A to be master again", lambda: hosts.owners() == ["A"])
