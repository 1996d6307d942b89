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
        steps: what had just happened, one of these; anything where there are none.
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
    steps: frozenset[str] = frozenset()
    who: str = ""

    def explains(self, one: Difference, others: list[Difference]) -> bool:
        """Whether the difference is of this kind, `others` being those of the same step."""
        return (
            one.aspect in self.aspects
            and (not self.options or bool(self.options & one.options))
            and (not self.and_options or bool(self.and_options & one.options))
            and (not self.accidents or one.accident in self.accidents)
            and (not self.steps or one.step in self.steps)
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

_FLUSHED, _BACK = frozenset({"all addresses of eth0 gone"}), frozenset({"its own are back"})
_KEEPS_MASTER = frozenset({"unicast", "unicast-no-source", "track-src-ip"}) | _VMAC
_EVERYTHING = frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "rules", "answers"})
_SPOKEN = frozenset(
    {
        "a router of priority 254 comes and goes",
        "a router of priority 254 stops in order",
        "an advert of priority 1",
    }
)
_ANEW = frozenset({"eth1 made anew"})
_DELETED = frozenset({"routes and rules are deleted by hand"})

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
        "With `garp_interval` or `gna_interval` keepalived 2.2.7 sent fewer announcements than it was told to (none"
        " to 8 of 10), as measured here; vipd sends all.",
        frozenset({"announcements"}),
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
        frozenset({"adverts"}),
        line="prio 0 ",
        steps=_FLUSHED,
        who="keepalived",
    ),
    Reason(
        "by way of BACKUP",
        "When every address goes at once, the kernel reports the interface's own and the virtual ones one after the"
        " other. keepalived gives way for the virtual one, and is in FAULT, or stays BACKUP with its group, a moment"
        " later; vipd reads them all before it acts, and is in FAULT.",
        frozenset({"states"}),
        line=r": (BACKUP FAULT|BACKUP|FAULT)$",
        alike=((r": (BACKUP FAULT|BACKUP|FAULT)$", ""),),
        steps=_FLUSHED,
    ),
    Reason(
        "by way of BACKUP, told",
        "As above: scripts hear of the BACKUP in between.",
        frozenset({"told"}),
        line=r"(?i)backup",
        steps=_FLUSHED,
        who="keepalived",
    ),
    Reason(
        "by way of BACKUP, farewell",
        "As above, where vipd read of a virtual address before the interface's own went: it says farewell from it.",
        frozenset({"adverts"}),
        line="prio 0 ",
        options=frozenset({"v6"}),
        steps=_FLUSHED,
        who="vipd",
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
        "another source than mcast_src_ip",
        "As above; when the interface gets its own link-local address back, keepalived 2.2.7 begins to send from that.",
        frozenset({"adverts"}),
        line="fe80::ff:fe00:",
        options=frozenset({"source-not-here"}),
        and_options=frozenset({"v6"}),
        steps=_BACK | {"eth0 up"},
        who="keepalived",
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
        "no address to send from",
        "A router of vipd whose interface has lost every address is in FAULT, and gives up what it held. keepalived"
        " 2.2.7 stays master, or becomes it again after its skew time, with unicast peers, a macvlan or"
        " `track_src_ip`.",
        _EVERYTHING,
        line=r"^(?!.*BACKUP FAULT)",
        options=_KEEPS_MASTER,
        steps=_FLUSHED,
    ),
    Reason(
        "an address to send from again",
        "As above: when an address is there again, vipd takes over anew; keepalived has been master all the time.",
        frozenset({"states", "told", "announcements", "addresses", "routes", "rules"}),
        line=r"(?i): (BACKUP )?MASTER$|backup|master|gratuitous|unsolicited|secondary|proto keepalived",
        options=_KEEPS_MASTER,
        steps=_BACK,
    ),
    Reason(
        "no address of an interface that is down",
        "With `dont_track_primary` both stay master while the interface is down. One that is set down loses its IPv6"
        " addresses, the link-local one as well: vipd has none to send from then, gives up what it held, and takes over"
        " anew. keepalived 2.2.7 keeps it, and says of each advert that it cannot be sent.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "answers"}),
        options=frozenset({"dont-track-primary"}),
        and_options=frozenset({"v6"}),
        accidents=frozenset({"eth0 is set down"}),
    ),
    Reason(
        "excluded address deleted",
        "keepalived 2.2.7 does not notice that an address of `virtual_ipaddress_excluded` was deleted by hand; vipd"
        " gives the router up for a moment and takes over again, with every address.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "answers"}),
        options=frozenset({"excluded-on-eth1", "excluded-other-family"}),
        accidents=frozenset({"a VIP is deleted by hand"}),
        who="vipd",
    ),
    Reason(
        "IPv6 route without a metric",
        "The kernel gives an IPv6 route without `metric` the metric 1024. keepalived 2.2.7 compares that with the 0 of"
        " its file, takes a report that the route was deleted for one about another, and leaves it so; vipd gives way.",
        frozenset({"states", "told", "adverts", "announcements", "routes", "addresses"}),
        options=frozenset({"route6"}),
        accidents=_DELETED,
        who="vipd",
    ),
    Reason(
        "BACKUP twice",
        "Where two members of a sync group, or two rules of one instance, have lost something, keepalived 2.2.7 says"
        " for each that the instance enters BACKUP; vipd says it once.",
        frozenset({"states"}),
        line="BACKUP",
        alike=((r"(BACKUP )+", "BACKUP "),),
        accidents=_DELETED,
    ),
    Reason(
        "first of a prefix",
        "Without `promote_secondaries` the kernel deletes an address together with the first one of its prefix, here"
        " that of another instance. vipd notices, and sets it anew; keepalived 2.2.7 does not where it has removed the"
        " first one itself, and stays master without an address.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "answers"}),
        options=frozenset({"two"}),
        and_options=frozenset({"on-eth1"}),
        accidents=_DELETED,
    ),
    Reason(
        "the group answers",
        "When a member of a sync group hears a lower priority, keepalived announces the addresses of all members, so"
        " that two that hear one announce everything twice; vipd announces those of the member that heard it.",
        frozenset({"announcements"}),
        alike=(_COUNT, _ROUTER_FLAG),
        options=frozenset({"sync", "sync-weight"}),
        accidents=frozenset({"an advert of priority 1"}),
    ),
    Reason(
        "nobody to answer",
        "The other router speaks as the daemon does, and since keepalived sends no advert from an IPv6 `mcast_src_ip`"
        " that is not here, it has nothing to speak to keepalived: only vipd yields, and returns.",
        frozenset({"states", "told", "adverts", "announcements", "addresses", "routes", "answers"}),
        options=frozenset({"source-not-here"}),
        and_options=frozenset({"v6"}),
        accidents=_SPOKEN,
    ),
    Reason(
        "tracked source that never was here",
        "With `track_src_ip` and an `mcast_src_ip` that the host does not have, vipd is in FAULT until it has it."
        " keepalived 2.2.7 is master and sends from it: it notices only that an address goes away.",
        _EVERYTHING,
        options=frozenset({"source-not-here"}),
        and_options=frozenset({"track-src-ip"}),
        who="keepalived",
    ),
    Reason(
        "tracked source that never was here, FAULT",
        "As above, seen of vipd: it enters FAULT, says so, and does nothing else.",
        frozenset({"states", "told"}),
        line=r"(?i)\bfault\b",
        options=frozenset({"source-not-here"}),
        and_options=frozenset({"track-src-ip"}),
        steps=frozenset({"start", "reload", "20 more", "more", "as before", "repaired"}),
        who="vipd",
    ),
    Reason(
        "interface made anew",
        "When an interface that was deleted is there again, vipd takes the router up as its file says. keepalived 2.2.7"
        " stays BACKUP with some files (a sync group, excluded addresses or rules on it, a source not there).",
        _EVERYTHING,
        steps=_ANEW,
        who="vipd",
    ),
    Reason(
        "interface made anew, BACKUP",
        "As above, seen of keepalived: it enters BACKUP and stays there, or FAULT where it had no IPv6 address to bind"
        " to yet, and of another instance announces less.",
        frozenset({"states", "told", "announcements"}),
        line=r"(?i:backup|fault)| x\d+$",
        steps=_ANEW,
        who="keepalived",
    ),
    Reason(
        "untracked interface deleted",
        "With `dont_track_primary` both stay master while the interface is down. When it is deleted keepalived 2.2.7 is"
        " BACKUP and takes its routes away, or takes over when it is there again; vipd stays master, as it was told.",
        frozenset({"states", "told", "routes", "rules"}),
        options=frozenset({"dont-track-primary"}),
        steps=frozenset({"eth1 deleted"}) | _ANEW,
    ),
    Reason(
        "untracked interface deleted, the group",
        "As above: with keepalived the other member of the sync group goes the same way.",
        frozenset({"adverts", "announcements", "addresses", "answers"}),
        options=frozenset({"dont-track-primary"}),
        and_options=frozenset({"sync", "sync-weight"}),
        steps=frozenset({"eth1 deleted"}),
    ),
    Reason(
        "processes of a namespace",
        "keepalived hears of processes by the kernel's process connector, which tells nobody outside of the first PID"
        " namespace, and so not here; vipd looks into /proc.",
        frozenset({"adverts", "told"}),
        alike=((r"prio \d+|\d+$", ""), (r"ttl (64|255)", "")),
        options=frozenset({"process"}),
        accidents=frozenset({"a process comes and goes"}),
    ),
    Reason(
        "processes of a namespace, once more",
        "As above: vipd looks once a second, and advertises what a process was worth until it sees that it is gone.",
        frozenset({"adverts"}),
        line=r"prio 17[01] ",
        options=frozenset({"process"}),
        steps=frozenset({"sleep ends"}),
        who="vipd",
    ),
    Reason(
        "macvlan left behind",
        "keepalived 2.2.7 leaves a macvlan where it is when it stops, if it had found it there at its start, after a"
        " kill; vipd deletes what has its mark.",
        frozenset({"links"}),
        line="macvlan",
        options=_VMAC,
        accidents=frozenset({"SIGTERM"}),
        who="keepalived",
    ),
    Reason(
        "gateway behind two interfaces",
        "A route without `dev` goes out where the kernel finds its gateway. The macvlan and the interface below both"
        " have that network, and which was first is another after a kill.",
        frozenset({"routes"}),
        alike=((r"dev \S+", ""),),
        options=frozenset({"route-via"}),
        and_options=_VMAC,
    ),
    Reason(
        "an owner again",
        "In strict mode only an owner takes packets for its addresses. When a reload brings 255 back, vipd takes"
        " them again; keepalived 2.2.7 goes on to drop them.",
        frozenset({"answers"}),
        alike=((" neighbours only", ""),),
        options=frozenset({"owner"}),
        and_options=frozenset({"strict"}),
        accidents=frozenset({"SIGHUP, an address more and one less"}),
    ),
    Reason(
        "second bursts of an owner",
        "An owner answers every advert of priority 254. keepalived announces a second time after the delay for each of"
        " them, vipd once, after the last.",
        frozenset({"announcements"}),
        options=frozenset({"owner"}),
        accidents=_SPOKEN,
    ),
    Reason(
        "last refresh",
        "With `garp_master_refresh` a burst may fall between the accident and what the daemon does about it.",
        frozenset({"announcements"}),
        options=frozenset({"garp-refresh"}),
        steps=frozenset(
            {
                "p0 down",
                "p1 down",
                "eth0 down",
                "as before",
                "killed",
                "SIGTERM",
                "adverts of priority 254",
                "the file is gone, the level is -100",
            }
        )
        | _FLUSHED,
    ),
    Reason(
        "last check",
        "A script is run once a second, and until it has been, adverts have the priority of before: one or none, by"
        " chance.",
        frozenset({"adverts"}),
        line=r"prio 9[01] ",
        options=frozenset({"script-weight"}),
        steps=frozenset({"both as before"}),
    ),
    Reason(
        "last advert",
        "An advert that was due when the accident happened is seen of one daemon and not of the other by chance.",
        frozenset({"adverts"}),
        line=r"prio [1-9]",
        steps=frozenset({"p0 down", "p1 down", "eth0 down"}) | _FLUSHED,
    ),
)


def reason_of(one: Difference, others: list[Difference]) -> str:
    """The name of the first reason that explains a difference; "" where none does."""
    return next((reason.name for reason in REASONS if reason.explains(one, others)), "")
