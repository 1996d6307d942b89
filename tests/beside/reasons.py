"""Why what vipd does may differ from what keepalived does: one table, each row with how it is recognised."""

from __future__ import annotations

import re
from typing import NamedTuple

from beside.compare import Difference


class Reason(NamedTuple):
    """One kind of difference.

    Attributes:
        name: short.
        text: why, for the reader of docs/beside.md.
        aspects: where it is seen.
        line: a regular expression that the line matches.
        alike: what is replaced in lines, a regular expression and what takes its place; the line is explained where
            the other daemon gives one that is then the same. Without it there need be no such line.
        options: of the file, one of these; any file where there are none.
        and_options: of the file, one of these as well.
        accidents: the names of those it comes with; any where there are none.
        who: the daemon that gives the line; either where it is "".
    """

    name: str
    text: str
    aspects: frozenset[str]
    line: str = ""
    alike: tuple[tuple[str, str], ...] = ()
    options: frozenset[str] = frozenset()
    and_options: frozenset[str] = frozenset()
    accidents: frozenset[str] = frozenset()
    who: str = ""

    def explains(self, one: Difference, others: list[Difference]) -> bool:
        """Whether the difference is of this kind, `others` being those of the same step."""
        return (
            one.aspect in self.aspects
            and (not self.options or bool(self.options & one.options))
            and (not self.and_options or bool(self.and_options & one.options))
            and (not self.accidents or one.accident in self.accidents)
            and self.who in ("", one.who)
            and re.search(self.line, one.line) is not None
            and (not self.alike or any(self._alike(one, other) for other in others))
        )

    def _alike(self, one: Difference, other: Difference) -> bool:
        return other.aspect == one.aspect and other.who != one.who and self._without(one) == self._without(other)

    def _without(self, one: Difference) -> str:
        line = one.line
        for pattern, by in self.alike:
            line = re.sub(pattern, by, line)
        return line


_VMAC = frozenset({"vmac", "vmac-named", "vmac-xmit-base"})
_COUNT = (r" x\d+$", "")
_ROUTER_FLAG = (r" R=\d", "")

REASONS: tuple[Reason, ...] = (
    Reason(
        "macvlan",
        "vipd's macvlans are of mode `bridge`, in which two on one interface reach each other, and those that"
        " send adverts are up only in a master, for a backup must not take frames to the virtual MAC (RFC 9568"
        " section 6.4.2); keepalived's are of mode `private` and always up.",
        frozenset({"links"}),
        line="macvlan",
        alike=((r"macvlan (private|bridge)", ""), (r"( UP)?( LOWER_UP)? mac", " mac")),
        options=_VMAC,
    ),
    Reason(
        "link-local of the macvlan",
        "keepalived gives a macvlan of IPv6 the link-local address of the interface below, deprecated, to send from;"
        " vipd sends from the interface's own address and the virtual MAC without one.",
        frozenset({"addresses"}),
        line=r"inet6 fe80::\S+/64 scope link nodad deprecated",
        options=_VMAC,
        who="keepalived",
    ),
    Reason(
        "router flag",
        "vipd's neighbour advertisements say that a router sends them, as RFC 9568 section 6.4.1 has it; keepalived's"
        " say it where forwarding is switched on.",
        frozenset({"announcements"}),
        line="unsolicited NA",
        alike=(_ROUTER_FLAG,),
    ),
    Reason(
        "spaced announcements",
        "With `garp_interval` or `gna_interval` keepalived 2.2.7 sent fewer announcements than it was told to (2 to 8"
        " of 10), as measured here; vipd sends all.",
        frozenset({"announcements"}),
        alike=(_COUNT, _ROUTER_FLAG),
        options=frozenset({"garp-interval"}),
    ),
    Reason(
        "owner",
        "An address owner (priority 255) goes to MASTER at once, from the start as from FAULT (RFC 9568 section"
        " 6.4.1); keepalived takes one that was in FAULT through BACKUP.",
        frozenset({"states", "told"}),
        alike=((r"BACKUP ", ""), (r"FAULT ", "")),
        options=frozenset({"owner"}),
    ),
    Reason(
        "owner, told",
        "As above: scripts hear of the BACKUP in between.",
        frozenset({"told"}),
        line=r"(?i)backup",
        options=frozenset({"owner"}),
        who="keepalived",
    ),
    Reason(
        "fault before the start",
        "keepalived runs `notify_fault` before the first state of some routers, as measured here with scripts and a"
        " source that is not there; vipd tells nobody before a router has its first state.",
        frozenset({"told"}),
        line=r"(?i)fault",
        who="keepalived",
    ),
    Reason(
        "hop limit of unicast",
        "keepalived 2.2.7 sends unicast adverts over IPv6 with hop limit 64; a peer that checks it, as RFC 9568"
        " section 5.1.2.3 has it, discards them. vipd sends 255.",
        frozenset({"adverts"}),
        alike=((r"ttl \d+", ""),),
        options=frozenset({"unicast-no-source", "unicast"}),
    ),
    Reason(
        "a weight counted wrongly",
        "Beside a macvlan keepalived 2.2.7 advertises 200 for 150 where an interface of weight -50 is tracked and up;"
        " keepalived.conf(5) has it subtract 50 while the interface is down, and so does vipd.",
        frozenset({"adverts", "told"}),
        alike=((r"\b200\b", "150"), (r"\b201\b", "151"), (r"fe80::ff:fe00:\w+ >|fe80::99 >", "")),
        options=frozenset({"track-eth1-weight"}),
        and_options=_VMAC,
    ),
    Reason(
        "order of addresses",
        "Which of several addresses of one prefix is the first, and which are secondary, is the order in which they"
        " were set; after an interface was made anew it is chance with both daemons.",
        frozenset({"addresses"}),
        alike=((" secondary", ""),),
    ),
    Reason(
        "priority 0 without an address",
        "keepalived sends its farewell from an address that its interface has lost; vipd sends from none that the host"
        " does not have. Who hears it cannot tell, and the backup takes over later by the Master_Down_Interval.",
        frozenset({"adverts", "states"}),
        alike=(),
        line=r"prio 0 |: BACKUP FAULT$|: FAULT$",
        accidents=frozenset({"eth0 is flushed"}),
    ),
    Reason(
        "source that is not here, IPv6",
        "Neither has the address of `mcast_src_ip`. keepalived 2.2.7 is master and sends no advert at all; vipd sends.",
        frozenset({"adverts"}),
        line="fe80::99 >",
        options=frozenset({"source-not-here"}),
        who="vipd",
    ),
    Reason(
        "own address to peers",
        "A host that returns makes its own address known to unicast peers: vipd before it claims, at the start as well;"
        " keepalived when it leaves FAULT.",
        frozenset({"announcements"}),
        line=r" (10\.253\.\d\.9|fe80::ff:fe00:\w+) from",
        options=frozenset({"unicast", "unicast-no-source"}),
    ),
    Reason(
        "announced after a reload",
        "After a reload that brings an address vipd announces all of the router's in both bursts; keepalived in one.",
        frozenset({"announcements"}),
        alike=(_COUNT, _ROUTER_FLAG),
        accidents=frozenset({"SIGHUP, an address more and one less"}),
    ),
    Reason(
        "set again by a reload",
        "What somebody else has deleted of a master's routes and rules keepalived sets again at the next reload; vipd"
        " at the next takeover.",
        frozenset({"routes", "rules"}),
        accidents=frozenset(
            {"SIGHUP, nothing changed", "SIGHUP, another priority", "SIGHUP, an address more and one less"}
        ),
        who="keepalived",
    ),
    Reason(
        "no address to send from",
        "A router of vipd whose interface has lost every address is in FAULT, and takes over again when one is back."
        " keepalived 2.2.7 stays master, or becomes it again, with unicast peers and with a macvlan of IPv6.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "rules", "answers"}),
        options=frozenset({"unicast", "unicast-no-source", "v6"}),
        accidents=frozenset({"eth0 is flushed"}),
    ),
    Reason(
        "excluded address deleted",
        "keepalived 2.2.7 does not notice that an address of `virtual_ipaddress_excluded` was deleted by hand; vipd"
        " gives the router up for a moment and takes over again, with every address.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "rules", "answers"}),
        options=frozenset({"excluded-on-eth1", "excluded-other-family"}),
        accidents=frozenset({"a VIP is deleted by hand"}),
    ),
    Reason(
        "interface made anew",
        "Where an interface is deleted and made anew under a router, vipd takes it up again as its file says;"
        " keepalived 2.2.7 stays BACKUP or FAULT for some files (a sync group, a source that is not there), and sets"
        " routes on the interface below where they belong on the macvlan.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "rules", "answers"}),
        accidents=frozenset({"eth1 is deleted and made anew"}),
    ),
    Reason(
        "last refresh",
        "With `garp_master_refresh` a burst may fall between the accident and what the daemon does about it.",
        frozenset({"announcements"}),
        options=frozenset({"garp-refresh"}),
    ),
    Reason(
        "last advert",
        "An advert that was due when the accident happened is seen of one daemon and not of the other by chance.",
        frozenset({"adverts"}),
        line=r"prio [1-9]",
        accidents=frozenset({"eth0 loses its carrier", "eth1 loses its carrier", "eth0 is set down"}),
    ),
)


def reason_of(one: Difference, others: list[Difference]) -> str:
    """The name of the first reason that explains a difference; "" where none does."""
    return next((reason.name for reason in REASONS if reason.explains(one, others)), "")
