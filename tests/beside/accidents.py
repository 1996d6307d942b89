"""The accidents: what happens to a router that is master, or would be, step by step.

They happen to the same two daemons one after the other; each ends with what was broken whole again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple


class Step(NamedTuple):
    """One thing that happens.

    Attributes:
        words: what a reader is told.
        verb: the method of `Host` that does it.
        argument: for it; of `reload`, a function from the file's text to the new one.
    """

    words: str
    verb: str
    argument: Any = None


class Accident(NamedTuple):
    """Steps between the start and the end of the daemon.

    Attributes:
        name: short, for tables.
        steps: in their order.
        needs: of a file, one of these options; it does not happen to others.
    """

    name: str
    steps: tuple[Step, ...]
    needs: frozenset[str] = frozenset()


def _in_host(script: str) -> str:
    return f"ip netns exec host sh -c '{script}'"


def _shell(words: str, script: str) -> Step:
    return Step(words, "shell", script)


def _replaced(pattern: str, by: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text, flags=re.M)


def _higher(match: re.Match[str]) -> str:
    return f"{match[1]}{min(int(match[2]) + 20, 254)}"


START, STOP = Accident("start", (Step("start", "start"),)), Accident("SIGTERM", (Step("SIGTERM", "stop"),))
ALWAYS = 1000  # intervals: until the next step
_ONE_LESS = (
    'a=$(ip -o addr show to {0} | grep -v -e "\\.9/" -e "::9/" | sort -k4,4 | head -1 |'
    ' awk "{{print \\$4, \\"dev\\", \\$2}}");'
    ' test -n "$a" && ip addr del $a'
)

ACCIDENTS: tuple[Accident, ...] = (
    Accident(
        "eth0 loses its carrier",
        (_shell("p0 down", "ip link set p0 down"), _shell("p0 up", "ip link set p0 up")),
    ),
    Accident(
        "eth0 is set down",
        (
            _shell("eth0 down", "ip -n host link set eth0 down"),
            _shell("eth0 up", "ip -n host link set eth0 up; ip -n host addr add 2001:db8:1::9/64 dev eth0 nodad"),
        ),
    ),
    Accident(
        "eth1 loses its carrier",
        (_shell("p1 down", "ip link set p1 down"), _shell("p1 up", "ip link set p1 up")),
    ),
    Accident(
        "eth1 is deleted and made anew",
        (
            _shell("eth1 deleted", "ip link del p1"),
            _shell(
                "eth1 made anew",
                "ip link add p1 address 02:00:00:00:01:02 type veth"
                " peer name eth1 address 02:00:00:00:01:01 netns host;"
                " ip addr add 10.253.2.1/24 dev p1; ip addr add 2001:db8:2::1/64 dev p1 nodad; ip link set p1 up;"
                " ip -n host link set eth1 up; ip -n host addr add 10.253.2.9/24 dev eth1;"
                " ip -n host addr add 2001:db8:2::9/64 dev eth1 nodad",
            ),
        ),
    ),
    Accident(
        "a VIP is deleted by hand",
        (
            _shell("an IPv4 address deleted", _in_host(_ONE_LESS.format("10.253.0.0/16"))),
            _shell("an IPv6 address deleted", _in_host(_ONE_LESS.format("2001:db8::/32"))),
        ),
    ),
    Accident(
        "eth0 is flushed",
        (
            _shell("all addresses of eth0 gone", "ip -n host addr flush dev eth0"),
            _shell(
                "its own are back",
                "ip -n host addr add 10.253.1.9/24 dev eth0; ip -n host addr add 2001:db8:1::9/64 dev eth0 nodad;"
                " ip -n host addr add fe80::ff:fe00:1/64 dev eth0 nodad",
            ),
        ),
    ),
    Accident(
        "routes and rules are deleted by hand",
        (
            _shell(
                "deleted",
                # The first instance's rules, each by its number: a daemon that acts in between removes some itself.
                _in_host(
                    "for f in 4 6; do ip -$f route flush table all proto keepalived;"
                    " for n in 10 20 30; do ip -$f rule del priority $n; done; done"
                ),
            ),
        ),
        frozenset({"route", "route-src-table", "route-via", "blackhole", "route6", "rules", "rule-fwmark"}),
    ),
    Accident("SIGHUP, nothing changed", (Step("reload", "reload", lambda text: text),)),
    Accident(
        "SIGHUP, another priority",
        (Step("20 more", "reload", _replaced(r"^(    priority )(\d+)$", _higher)),),
    ),
    Accident(
        "SIGHUP, an address more and one less",
        (
            Step(
                "more",
                "reload",
                _replaced(
                    r"^( +)virtual_ipaddress \{\n( +)(10\.253\.(\d)|fe80|2001:db8:(\d))(.*\n)",
                    lambda m: (
                        f"{m[0]}{m[2]}" + (f"10.253.{m[4]}.200/24\n" if m[4] else f"2001:db8:{m[5] or 1}::200/64\n")
                    ),
                ),
            ),
            Step("as before", "reload", lambda text: text),
        ),
    ),
    Accident(
        "SIGHUP, a broken file",
        (
            Step("a brace is missing", "reload", lambda text: text.rstrip().removesuffix("}")),
            Step("repaired", "reload", lambda text: text),
        ),
    ),
    Accident("kill -9 and a new start", (Step("killed", "kill"), *START.steps)),
    Accident(
        "a router of priority 254 comes and goes",
        (Step("adverts of priority 254", "speak", (254, ALWAYS)), Step("silence", "nothing")),
    ),
    Accident(
        "a router of priority 254 stops in order",
        (
            Step("adverts of priority 254", "speak", (254, ALWAYS)),
            Step("priority 0", "speak", (0, 1)),
        ),
    ),
    Accident("an advert of priority 1", (Step("priority 1", "speak", (1, 1)),)),
    Accident("SIGSTOP and SIGCONT", (Step("halted for 2 s", "halt", 2.0),)),
    Accident(
        "another MTU",
        (_shell("1400 on eth0", "ip -n host link set eth0 mtu 1400; ip -n host link set eth1 mtu 1400"),),
    ),
    Accident(
        "a check fails and recovers",
        (
            _shell("the file is gone, the level is -100", "rm -f /run/good; echo -100 >/run/level"),
            _shell("both as before", "touch /run/good; echo 0 >/run/level"),
        ),
        frozenset({"script", "script-weight", "file-weight"}),
    ),
    Accident(
        "a process comes and goes",
        (
            _shell("sleep runs", "ip netns exec host sleep 1000 & echo $! >/run/sleeper"),
            _shell("sleep ends", "kill $(cat /run/sleeper)"),
        ),
        frozenset({"process"}),
    ),
)  # fmt: skip
"""What may happen to every file, but for those that need something of it."""
