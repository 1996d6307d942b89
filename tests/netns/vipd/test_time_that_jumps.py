"""Time that does not pass evenly: a wall clock that is set, and a daemon that does not run for a while."""

from __future__ import annotations

import re

from netns_hosts import AGENT, Hosts

_INSTANCE = """\
vrrp_instance {name} {{
    version 3
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    advert_int 0.2
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
            _INSTANCE.format(
                name=f"VI_{vrid}", vrid=vrid, priority=priority, more=more, address=f"192.168.122.{vrid}"
            )
            for vrid, priority, more in routers
        )
    )


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
    for host in ("A", "B"):
        hosts.launch(host, "keepalived-2", path=f"{shim}:{AGENT}")
    hosts.wait("A to be master", lambda: "Entering MASTER STATE" in hosts.log("A"))
    hosts.wait("B to hear it", lambda: hosts.status("B")["VI_51"]["last-adv-source"] == "10.0.0.2")
    years = set()
    for seconds in (3 * 366 * 86400, -5 * 366 * 86400, 0):
        step.write_text(str(seconds))
        until_more(hosts, 5, "A")
        # A new line has the new date, and so has a state that is reached now.
        hosts.run("ip -n A addr del 192.168.122.51/24 dev eth1")
        before = hosts.log("A").count("Entering MASTER STATE")
        hosts.wait(
            "A to be master again",
            lambda before=before: hosts.log("A").count("Entering MASTER STATE") > before,  # type: ignore[misc]
        )
        years.add(hosts.status("A")["VI_51"]["up-datetime"][:4])
    assert len(years) == 3, f"the step was not fed: {years}"
    assert transitions(hosts, "B") == {"VI_51": 0}


def test_a_backup_that_was_halted_hears_what_waits_before_it_believes_its_timer(hosts: Hosts) -> None:
    write(hosts, "A", (51, 200, ""))
    write(hosts, "B", (51, 100, ""))
    for host in ("A", "B"):
        hosts.launch(host, "keepalived-2")
    hosts.wait("A to be master", lambda: "Entering MASTER STATE" in hosts.log("A"))
    backup = hosts.pid("B")
    hosts.wait("B to hear it", lambda: hosts.status("B")["VI_51"]["last-adv-source"] == "10.0.0.2")
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
    hosts.launch("A", "keepalived-2")
    hosts.wait("A to be master of both", lambda: hosts.log("A").count("Entering MASTER STATE") == 2)
    hosts.launch("B", "keepalived-2")
    hosts.wait("B to hear it", lambda: hosts.status("B")["VI_52"]["last-adv-source"] == "10.0.0.2")
    master = hosts.pid("A")
    hosts.run(f"kill -STOP {master}")
    hosts.wait("B to take over", lambda: hosts.log("B").count("Entering MASTER STATE") == 2)
    until_more(hosts, 12, "B")
    before = len(adverts(hosts))
    hosts.run(f"kill -CONT {master}")
    hosts.wait("A to yield", lambda: "(VI_52) Entering BACKUP STATE\n" in hosts.log("A").split("MASTER STATE")[-1] + "\n")
    hosts.wait("B to yield", lambda: "(VI_51) Entering BACKUP STATE\n" in hosts.log("B"))
    after = adverts(hosts)[before:]
    first = [one for one in after if one[0] == "A"]
    assert all(vrid == 51 for _, vrid, _ in first), f"it has heard of a better one: {first}"
    # Until B falls silent, which is when it has heard the first of them.
    last_of_b = max(place for place, one in enumerate(after) if one[:2] == ("B", 51)) if ("B", 51, 100) in after else 0
    assert sum(one[0] == "A" for one in after[:last_of_b]) <= 1, after
