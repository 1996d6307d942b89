"""Time that does not pass evenly: a wall clock that is set, and a daemon that does not run for a while."""

from __future__ import annotations

import re

from support.hosts import AGENT, Hosts

_INSTANCE = """\
vrrp_instance {name} {{
    version 3
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    advert_int 0.5
    {more}
    virtual_ipaddress {{
        {address}/24 dev eth1
    }}
}}
"""
# The machine's own clock is not to be set, and a time namespace has no other wall clock. So Python is given another:
# whatever the daemon's process asks for the time of day is moved by what a file says at that moment.
_SHIM = """\
import time

_names = {name: getattr(time, name) for name in ("time", "time_ns", "clock_gettime", "clock_gettime_ns")}
_formats = {name: getattr(time, name) for name in ("gmtime", "localtime", "strftime", "ctime")}


def _step():
    try:
        with open("STEP") as opened:
            return int(opened.read() or 0)
    except OSError:
        return 0


time.time = lambda: _names["time"]() + _step()
time.time_ns = lambda: _names["time_ns"]() + _step() * 10**9
time.clock_gettime = lambda clock: _names["clock_gettime"](clock) + (_step() if clock == time.CLOCK_REALTIME else 0)
time.clock_gettime_ns = lambda clock: int(_names["clock_gettime_ns"](clock)) + (
    _step() * 10**9 if clock == time.CLOCK_REALTIME else 0
)
time.gmtime = lambda seconds=None: _formats["gmtime"](time.time() if seconds is None else seconds)
time.localtime = lambda seconds=None: _formats["localtime"](time.time() if seconds is None else seconds)
time.strftime = lambda form, when=None: _formats["strftime"](form, time.localtime() if when is None else when)
"""
_ADVERT = re.compile(r"(\S+) > 224\.0\.0\.18.*vrid (\d+), prio (\d+)")


def write(hosts: Hosts, host: str, *routers: tuple[int, int, str]) -> None:
    """Write a configuration of instances: number, priority, and what else they say."""
    (hosts.folder / f"{host}.conf").write_text(
        "".join(
            _INSTANCE.format(name=f"VI_{vrid}", vrid=vrid, priority=priority, more=more, address=f"192.168.122.{vrid}")
            for vrid, priority, more in routers
        )
    )


def launch(hosts: Hosts, path: str = "") -> None:
    """Start A, and once it is master of everything B, which hears it."""
    hosts.launch("A", "keepalived-2", path=path)
    routers = (hosts.folder / "A.conf").read_text().count("vrrp_instance")
    hosts.wait("A to be master", lambda: hosts.log("A").count("Entering MASTER STATE") == routers)
    hosts.launch("B", "keepalived-2", path=path)
    hosts.wait("B to hear it", lambda: all(one["last-adv-source"] == "10.0.0.2" for one in hosts.status("B").values()))


def adverts(hosts: Hosts) -> list[tuple[str, int, int]]:
    """Which host has sent an advert for which router with which priority, in their order on the wire."""
    names = {"10.0.0.2": "A", "10.0.0.3": "B"}
    return [(names[one[1]], int(one[2]), int(one[3])) for one in _ADVERT.finditer(hosts.wire())]


def until_more(hosts: Hosts, count: int, host: str) -> None:
    """Wait until a host has sent so many more adverts."""
    before = len(adverts(hosts))
    hosts.wait(
        f"{count} more adverts of {host}",
        lambda: sum(sender == host for sender, _, _ in adverts(hosts)[before:]) >= count,
    )


def transitions(hosts: Hosts, name: str) -> dict[str, int]:
    return {one: found["statistics"]["master-transitions"] for one, found in hosts.status(name).items()}


def test_steps_of_the_wall_clock_change_dates_and_nothing_else(hosts: Hosts) -> None:
    shim, step = hosts.folder / "shim", hosts.folder / "step"
    shim.mkdir()
    (shim / "sitecustomize.py").write_text(_SHIM.replace("STEP", str(step)))
    write(hosts, "A", (51, 200, ""))
    write(hosts, "B", (51, 100, ""))
    launch(hosts, path=f"{shim}:{AGENT}")
    timers = hosts.run(f"cat /proc/{hosts.pid('A')}/fdinfo/* 2>/dev/null | grep clockid", check=False)
    assert set(timers.split("\n")) == {"clockid: 1", ""}, "a timer on the wall clock, which no shim would step"
    for number, days in enumerate((100, -100, 0), 1):
        step.write_text(str(days * 86400))
        hosts.run(f"kill -HUP {hosts.pid('A')}")
        hosts.wait("a line with the date", lambda number=number: hosts.log("A").count("Reloading") == number)  # type: ignore[misc]
        until_more(hosts, 4, "A")
    dates = {line[:6] for line in hosts.log("A").splitlines() if "Reloading" in line}
    assert len(dates) == 3, f"the steps were not fed: {dates}"
    assert transitions(hosts, "A") == {"VI_51": 1}
    assert transitions(hosts, "B") == {"VI_51": 0}


def test_a_backup_that_was_halted_hears_what_waits_before_it_believes_its_timer(hosts: Hosts) -> None:
    write(hosts, "A", (51, 200, ""))
    write(hosts, "B", (51, 100, ""))
    launch(hosts)
    backup = hosts.pid("B")
    hosts.run(f"kill -STOP {backup}")
    until_more(hosts, 8, "A")
    hosts.run(f"kill -CONT {backup}")
    until_more(hosts, 5, "A")
    assert transitions(hosts, "B") == {"VI_51": 0}
    assert {sender for sender, _, _ in adverts(hosts)} == {"A"}


def test_a_master_that_was_halted_sends_no_volley(hosts: Hosts) -> None:
    """Of two routers, one that it is to have back and one that it has lost for good."""
    write(hosts, "A", (51, 200, ""), (52, 100, ""))
    write(hosts, "B", (51, 100, ""), (52, 200, "nopreempt"))
    launch(hosts)
    master = hosts.pid("A")
    hosts.run(f"kill -STOP {master}")
    hosts.wait("B to take over", lambda: hosts.log("B").count("Entering MASTER STATE") == 2)
    until_more(hosts, 12, "B")
    before = len(adverts(hosts))
    hosts.run(f"kill -CONT {master}")
    hosts.wait(
        "A to yield", lambda: "(VI_52) Entering BACKUP STATE\n" in hosts.log("A").split("MASTER STATE")[-1] + "\n"
    )
    hosts.wait("B to yield", lambda: "(VI_51) Entering BACKUP STATE\n" in hosts.log("B"))

    def of_a() -> set[int]:
        return {vrid for sender, vrid, _ in adverts(hosts)[before:] if sender == "A"}

    hosts.wait("A on the wire", lambda: bool(of_a()))
    assert of_a() == {51}, "it has heard of a better master of 52 before it would have spoken"
    # One answer to all that waited, and one more if B spoke again before it heard that.
    assert hosts.log("A").count("forcing new election") <= 2
