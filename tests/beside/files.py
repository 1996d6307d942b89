"""The files: what people write into keepalived.conf, option by option, and every pair of options in some file.

An option is a few lines for one of the places of a file. `FEATURES` has them by what they are about; the first of each
row is the ordinary one. `files()` combines them until every pair that goes together is in some file, and goes on from
there to as many as are asked for, always the same ones. `python -m beside.files NAME` prints one.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.config.parser import parse


class Option(NamedTuple):
    """What one option adds to a file.

    Attributes:
        name: by which a file's name says that it is there; "" for the ordinary one.
        instance: lines of every instance; {a} and {b} are its network's and the other's number, {n} the instance's.
        top: lines outside of any block.
        global_defs: lines of `global_defs`.
        addresses: of `virtual_ipaddress`, by family.
        without: options that it does not go with.
    """

    name: str
    instance: str = ""
    top: str = ""
    global_defs: str = ""
    without: frozenset[str] = frozenset()


def _not(*names: str) -> frozenset[str]:
    return frozenset(names)


FEATURES: Mapping[str, tuple[Option, ...]] = {
    "protocol": (
        Option("v3", "version 3\nadvert_int 0.4"),
        Option("v2", "version 2\nadvert_int 1"),
        Option("v6", "version 3\nadvert_int 0.4", without=_not("auth-pass", "auth-ah")),
    ),
    "transport": (
        Option(""),
        Option(
            "unicast",
            "unicast_src_ip {own}\nunicast_peer {{\n{peer}\n}}",
            without=_not("strict", "vmac", "vmac-named"),
        ),
        Option("unicast-no-source", "unicast_peer {{\n{peer}\n}}", without=_not("strict", "vmac", "vmac-named")),
        Option("mcast-src-ip", "mcast_src_ip {own}"),
        Option("source-not-here", "mcast_src_ip {stranger}"),
    ),
    "device": (
        Option(""),
        Option("vmac", "use_vmac"),
        Option("vmac-named", "use_vmac vm{n}"),
        Option("vmac-xmit-base", "use_vmac vx{n}\nvmac_xmit_base"),
    ),
    "addresses": (
        Option("one"),
        Option("three"),
        Option("on-eth1"),
        Option("excluded-other-family"),
        Option("excluded-on-eth1"),
        Option("twelve"),
        Option("host-mask"),
        Option("label-scope-brd"),
    ),
    "routing": (
        Option(""),
        Option("route", "virtual_routes {{\n{net}.7.0/24 via {gateway} dev eth{o}\n}}", without=_not("v6")),
        Option(
            "route-src-table",
            "virtual_routes {{\nsrc {vip} to {net}.8.0/24 dev eth{o} table 77 metric 20\n}}",
            without=_not("v6"),
        ),
        Option("route-via", "virtual_routes {{\n{net}.9.0/24 via {gateway}\n}}", without=_not("v6")),
        Option("blackhole", "virtual_routes {{\nblackhole {net}.10.0/24\n}}", without=_not("v6")),
        Option("route6", "virtual_routes {{\n2001:db8:7{n}::/64 via 2001:db8:{a}::1 dev eth{o}\n}}"),
        Option(
            "rules",
            "virtual_rules {{\nfrom {net}.11.0/24 table 77 priority 1{n}\n"
            "to {net}.12.0/24 iif eth{o} table 78 priority 2{n}\n}}",
            without=_not("v6"),
        ),
        Option("rule-fwmark", "virtual_rules {{\nfwmark 7 table 79 priority 3{n}\n}}", without=_not("v6")),
    ),
    "tracking": (
        Option(""),
        Option("track-eth1", "track_interface {{\neth1\n}}"),
        Option("track-eth1-weight", "track_interface {{\neth1 weight -50\n}}"),
        Option(
            "script",
            "track_script {{\ncheck\n}}",
            'vrrp_script check {{\nscript "/usr/bin/test -e /run/good"\ninterval 1\ntimeout 60\n}}',
        ),
        Option(
            "script-weight",
            "track_script {{\ncheck\n}}",
            'vrrp_script check {{\nscript "/usr/bin/test -e /run/good"\ninterval 1\ntimeout 60\nweight -60\n}}',
        ),
        Option("file-weight", "track_file {{\nlevel weight 1\n}}", "track_file level {{\nfile /run/level\n}}"),
        Option(
            "process",
            "track_process {{\nsleeper\n}}",
            "vrrp_track_process sleeper {{\nprocess sleep\nquorum 1\nweight 20\n}}",
        ),
        Option("dont-track-primary", "dont_track_primary"),
        Option("track-src-ip", "track_src_ip", without=_not("v6")),
    ),
    "election": (
        Option(""),
        Option("state-master", "state MASTER"),
        Option("nopreempt", "nopreempt\nstate BACKUP"),
        Option("preempt-delay", "preempt_delay 1"),
        Option("owner", "priority 255", without=_not("nopreempt", "sync-weight")),
        Option("down-timer-2", "down_timer_adverts 2"),
        Option("higher-prio-send-advert", "higher_prio_send_advert true"),
        Option("lower-prio-no-advert", "lower_prio_no_advert true"),
    ),
    "announcing": (
        Option("", global_defs="vrrp_garp_master_delay 1"),
        Option("garp-once", "garp_master_repeat 1\ngarp_master_delay 0"),
        Option("garp-default"),
        Option("garp-refresh", "garp_master_refresh 1\ngarp_master_delay 1"),
        Option(
            "garp-interval",
            global_defs="vrrp_garp_interval 0.01\nvrrp_gna_interval 0.01\nvrrp_garp_master_delay 1",
        ),
        Option("garp-min", global_defs="vrrp_min_garp true"),
        Option("garp-lower-prio", "garp_lower_prio_repeat 2\ngarp_lower_prio_delay 1\ngarp_master_delay 1"),
    ),
    "group": (
        Option(""),
        Option("two"),
        Option("two-networks"),
        Option("sync"),
        Option("sync-weight"),
        Option("same-vrid"),
    ),
    "auth": (
        Option(""),
        Option("auth-pass", "authentication {{\nauth_type PASS\nauth_pass beside\n}}", without=_not("v3", "strict")),
        Option(
            "auth-ah",
            "authentication {{\nauth_type AH\nauth_pass beside\n}}",
            without=_not("v3", "strict", "unicast-no-source"),
        ),
    ),
    "more": (
        Option(""),
        Option(
            "strict",
            global_defs="vrrp_strict",
            without=_not(
                "excluded-other-family", "vmac-xmit-base", "state-master", "down-timer-2", "preempt-delay", "nopreempt",
                "higher-prio-send-advert", "lower-prio-no-advert",
            ),
        ),
        Option("no-accept", "no_accept", without=_not("v2")),
        Option(
            "notify",
            'notify "/run/tell any"\nnotify_master "/run/tell master"\nnotify_backup "/run/tell backup"\n'
            'notify_fault "/run/tell fault"\nnotify_stop "/run/tell stop"',
        ),
        Option("promote-secondaries", "promote_secondaries"),
        Option("dynamic-interfaces", global_defs="dynamic_interfaces"),
        Option("startup-delay", global_defs="vrrp_startup_delay 1"),
        Option("skip-check-adv-addr", global_defs="vrrp_skip_check_adv_addr"),
    ),
}  # fmt: skip
"""By what they are about, in the order in which a file's name has them."""

_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    # As the documentation, the distributions' examples and the usual how-tos have them.
    "how-to": ("v2", "state-master", "auth-pass"),
    "how-to-script": ("v2", "state-master", "auth-pass", "script-weight"),
    "cloud": ("v2", "unicast", "auth-pass", "script", "notify"),
    "router": ("v2", "sync", "state-master", "route", "garp-default"),
    "kubernetes": ("v3", "unicast", "script", "nopreempt", "host-mask"),
    "openstack": ("v2", "nopreempt", "garp-default", "excluded-on-eth1", "route", "track-eth1"),
    "article": ("v2", "on-eth1", "track-eth1"),
    "dual-stack": ("v3", "excluded-other-family", "vmac"),
    "by-the-rfc": ("v3", "vmac", "strict"),
    "by-the-rfc-6": ("v6", "vmac", "strict", "owner"),
}


class File(NamedTuple):
    """A keepalived.conf."""

    name: str
    options: frozenset[str]
    text: str
    addresses: tuple[str, ...]

    @property
    def quiet_s(self) -> float:
        """After so many seconds without an event nothing more happens by itself."""
        config = parse(self.text, self.name).config
        times = [config.globals.startup_delay_ns]
        for one in config.routers:
            delay = 5 * SECOND_NS if one.garp_delay_ns is None else one.garp_delay_ns
            times += [one.master_down_ns + one.preempt_delay_ns, delay if one.garp_repeat != 1 else 0]
        return (max(times) + max([one.interval_ns for one in config.scripts], default=0)) / SECOND_NS + 0.4


def files(count: int = 160) -> list[File]:
    """So many files, or more if it takes more to have every pair of options that go together in one of them."""
    names, chosen = list(_EXAMPLES), [_chosen_of(words) for words in _EXAMPLES.values()]
    draw = random.Random(11)  # any number gives some files, and the same ones every time
    left = set(_pairs()) - {pair for one in chosen for pair in _pairs_of(one)}
    while left or len(chosen) < count:
        wanted = dict(min(left, key=sorted)) if left else {}
        found = [one for _ in range(20) if (one := _completed(draw, (), wanted)) and one not in chosen]
        best = max(found, key=lambda one: len(left.intersection(_pairs_of(one))))
        chosen.append(best)
        names.append(_name(best))
        left.difference_update(_pairs_of(best))
    return [_file(name, one) for name, one in zip(names, chosen, strict=True)]


Chosen = tuple[Option, ...]  # one of each row


def _name(chosen: Chosen) -> str:
    return ",".join(one.name for one in chosen if one.name)


def _chosen_of(words: tuple[str, ...]) -> Chosen:
    left = set(words)
    found = tuple(next((one for one in row if one.name in left), row[0]) for row in FEATURES.values())
    assert left <= {one.name for one in found}, words
    return found


def _together(one: Option, other: Option) -> bool:
    return other.name not in one.without and one.name not in other.without


def _pairs() -> Iterator[frozenset[tuple[str, str]]]:
    """Every pair of options that go together."""
    for (a, first), (b, second) in itertools.combinations(FEATURES.items(), 2):
        for one, other in itertools.product(first, second):
            # A pair that leaves no option of some row goes into no file.
            if _together(one, other) and all(
                any(_together(one, third) and _together(other, third) for third in row)
                for name, row in FEATURES.items()
                if name not in (a, b)
            ):
                yield frozenset({(a, one.name), (b, other.name)})


def _pairs_of(chosen: Chosen) -> Iterator[frozenset[tuple[str, str]]]:
    named = zip(FEATURES, chosen, strict=True)
    return (frozenset({(a, one.name), (b, other.name)}) for (a, one), (b, other) in itertools.combinations(named, 2))


def _completed(draw: random.Random, begun: Chosen, wanted: Mapping[str, str]) -> Chosen | None:
    """An option of every row that goes with all others, those of some rows being given; None where there is none."""
    if len(begun) == len(FEATURES):
        return begun
    row, options = list(FEATURES.items())[len(begun)]
    given = [one for other, name in wanted.items() for one in FEATURES[other] if one.name == name]
    fitting = [
        one
        for one in options
        if wanted.get(row, one.name) == one.name and all(_together(one, other) for other in (*begun, *given))
    ]
    for one in draw.sample(fitting, len(fitting)):
        if found := _completed(draw, (*begun, one), wanted):
            return found
    return None


# -- a file's text


def _file(name: str, chosen: Chosen) -> File:
    by_row = dict(zip(FEATURES, chosen, strict=True))
    has = frozenset(one.name for one in chosen if one.name)
    group = by_row["group"].name
    count = 1 if not group else 2
    addresses: list[str] = []
    blocks = []
    for number in range(count):
        network = number if group in ("two-networks", "sync", "sync-weight", "same-vrid") else 0
        vrid = 51 + (number if group != "same-vrid" else 0)
        own, excluded = _addresses(by_row["addresses"].name, "v6" in has, network, number)
        addresses += own + excluded
        places = {
            "n": number, "a": network + 1, "o": network,
            "net": f"10.{60 + number}", "gateway": f"10.253.{network + 1}.1",
            "vip": own[0].split("/")[0].split()[0],
            "own": f"fe80::ff:fe00:{network}01" if "v6" in has else f"10.253.{network + 1}.9",
            "peer": f"fe80::ff:fe00:{network}02" if "v6" in has else f"10.253.{network + 1}.1",
            "stranger": "fe80::99" if "v6" in has else f"10.253.{network + 1}.99",
        }  # fmt: skip
        lines = [f"interface eth{network}", f"virtual_router_id {vrid}"]
        if "owner" not in has:
            lines.append(f"priority {150 + number}")
        lines += [line for one in chosen for line in one.instance.format(**places).splitlines()]
        lines += ["virtual_ipaddress {", *own, "}"]
        if excluded:
            lines += ["virtual_ipaddress_excluded {", *excluded, "}"]
        blocks.append(_block(f"vrrp_instance VI_{number}", lines))
    if group.startswith("sync"):
        more = ["sync_group_tracking_weight"] if group == "sync-weight" else []
        blocks.insert(0, _block("vrrp_sync_group G", ["group {", "VI_0", "VI_1", "}", *more]))
    global_defs = ["script_user root", "enable_script_security"]
    global_defs += [line for one in chosen for line in one.global_defs.splitlines()]
    top = [_block(head, lines) for one in chosen if one.top for head, lines in [_split(one.top.format())]]
    text = "".join([_block("global_defs", global_defs), *top, *blocks])
    return File(name, has, text, tuple(one.split()[0].split("/")[0] for one in addresses))


def _addresses(form: str, six: bool, network: int, number: int) -> tuple[list[str], list[str]]:
    """Lines of `virtual_ipaddress` and of `virtual_ipaddress_excluded`."""
    four = [f"10.253.{network + 1}.{50 + 20 * number + last}/24" for last in range(12)]
    local, globe = (
        f"fe80::{50 + number}/64",
        [f"2001:db8:{network + 1}::{50 + 20 * number + last}/64" for last in range(12)],
    )
    other = globe[0] if not six else four[0]
    mine = [local, *globe] if six else four
    one = mine[:2] if six else mine[:1]
    bare = mine[-1].split("/")[0]
    forms = {
        "one": (one, []),
        "three": (mine[:3], []),
        "twelve": (mine[:12], []),
        "on-eth1": ([f"{line} dev eth1" for line in one], []),
        "excluded-other-family": (one, [other]),
        "excluded-on-eth1": (one, [f"{mine[5]} dev eth1"]),
        "host-mask": ([*one[:-1], bare], []),
        "label-scope-brd": (one, [mine[6]]) if six
        else ([f"{mine[0]} brd 10.253.{network + 1}.255 label eth{network}:v{number}", f"{mine[1]} scope link"], []),
    }  # fmt: skip
    return forms[form]


def _split(text: str) -> tuple[str, list[str]]:
    head, *lines = text.splitlines()
    return head.removesuffix(" {"), lines[:-1]


def _block(head: str, lines: list[str]) -> str:
    """A block with its lines indented."""
    depth, written = 1, [f"{head} {{"]
    for line in lines:
        depth -= line == "}"
        written.append("    " * depth + line)
        depth += line.endswith("{")
    return "\n".join([*written, "}", ""])


if __name__ == "__main__":
    for each in files():
        if each.name in sys.argv[1:] or len(sys.argv) == 1:
            print(each.text if len(sys.argv) > 1 else each.name)
