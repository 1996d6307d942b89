"""What is seen of the hosts on one network against the other one, their own logs, the census and the client."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from viplab.addresses import link_local
from viplab.analysis.logs import Line
from viplab.analysis.record import Record
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.witness import Witness
from viplab.capture.frames import UNSPECIFIED, AddressResolution, Advert, Carp, to_group
from viplab.faults import Need
from viplab.subjects.family import Family
from viplab.types import Event, HostName

# The census looks four times a second; an answer may come to be seen by the next look.
_CENSUS_LATE_NS = 50_000_000
_CENSUS_SURE_NS = 500_000_000
_FIRST_LOOKS = 4
# The kernel tells of a neighbour while it takes in the frame; the bench may read that late.
_TOLD_LATE_NS, _TOLD_EARLY_NS = 20_000_000, 1_000_000
# A line is written as the advert goes; rsyslog or a busy guest may stamp it later.
_LOGGED_EARLY_NS, _LOGGED_LATE_NS = 10_000_000, 150_000_000
_ANNOUNCED_NS = 500_000_000
# No daemon repeats an advert at once, unless it gives up, or answers another's that was under way for so long at most.
# One that was held up may send what is due soon after, the sooner the shorter its interval.
_APART_INTERVALS = 0.001
_ANSWERED_INTERVALS = 3
_RELOADED_NS = 1_000_000_000
_CALLED_INTERVALS = 1
_ANNOUNCES_AS_MASTER_INTERVALS = 2.5
_ANNOUNCING = ("gratuitous ARPs on", "Unsolicited Neighbour Adverts on")
_VERSION = {"vrrp2": 2, "vrrp3": 3}


def _census(record: Record, views: Sequence[FaultView]) -> str | None:
    asked, looks = _census_asked(record), record.all("owners")
    # The bridge may not forward yet what is asked as the census begins.
    unforwarded = sum(bool(asked) and look.t_ns < asked[0].time_ns - _CENSUS_LATE_NS for look in looks[:_FIRST_LOOKS])
    looks = looks[unforwarded:]
    if len(asked) != len(looks):
        return (
            f"the owner census says that it looked {len(looks)} times, and the capture has {len(asked)} of its requests"
        )
    answers: list[set[str]] = [set() for _ in asked]
    times = [frame.time_ns for frame in asked]
    for frame in record.resolutions:
        index = bisect_right(times, frame.time_ns) - 1
        answer = not frame.request and frame.sender_ip == record.info.vip
        if index >= 0 and answer and frame.dst_mac == asked[index].src_mac:
            answers[index].add(frame.sender_mac)
    for index, (frame, look) in enumerate(zip(asked, looks, strict=True)):
        off_ns = frame.time_ns - look.t_ns
        if abs(off_ns) > _CENSUS_LATE_NS:
            return f"the owner census asked {off_ns / 1e6:+.3f} ms from where its request is in the capture"
        if record.info.virtual_mac:
            continue  # the bridge drops the answers, lest it learn from them where that MAC is
        said, near = _macs(look), slice(max(0, index - 1), index + 2)
        unseen = said - set().union(*answers[near])
        # The census hears at the ports, before the bridge drops what a fault withholds.
        unseen -= {mac for mac in unseen if record.unheard(record.host_by_mac(mac), look.t_ns, "public")}
        unsaid = answers[index] - set().union(*map(_macs, looks[near]))
        if unseen or unsaid:
            mac = min(unseen or unsaid)
            yes, no = ("census", "capture") if unseen else ("capture", "census")
            return f"{_named(record, mac)} holds the VIP by the {yes} and not by the {no}"
    return None


def _census_asked(record: Record) -> list[AddressResolution]:
    """The requests of the census; a host that asks like that at its start is not taken for it.

    Over IPv4 they come from no address, over IPv6 from the link-local one of its MAC.
    """
    vip = record.info.vip
    asked = [frame for frame in record.resolutions if frame.request and frame.target_ip == vip]
    asked = [frame for frame in asked if frame.sender_ip in (*UNSPECIFIED, link_local(frame.src_mac))]
    senders = Counter(frame.src_mac for frame in asked)
    return [frame for frame in asked if senders[frame.src_mac] == max(senders.values())]


def _macs(look: Event) -> set[str]:
    return {str(mac).lower() for mac in look.get("macs") or []}


def _answers_by_owners(record: Record, views: Sequence[FaultView]) -> str | None:
    # A virtual MAC does not say which host answered.
    if not record.all("owners") or record.info.virtual_mac:
        return None
    held: dict[str, list[int]] = {host: [] for host in record.info.hosts}
    for at_ns, _, owners in record.owners(record.start_ns, record.end_ns):
        for owner in held.keys() & owners:
            held[owner].append(at_ns)
    for trip in record.trips:
        answerer = record.host_by_mac(trip.mac)
        if answerer is None:
            continue
        # A request that reaches a host as it is paused waits with it, and is answered when the host goes on.
        seen, answered_ns = held[answerer], trip.sent_ns + (trip.rtt_ns or 0)
        since_ns, until_ns = trip.sent_ns - _CENSUS_SURE_NS, answered_ns + _CENSUS_SURE_NS
        if bisect_left(seen, since_ns) < bisect_right(seen, until_ns):
            continue
        # Who is master for less than a look's time, before or after another, is seen by its frames alone.
        masters = [
            host
            for host in record.info.nodes
            if any(since_ns <= advert.time_ns <= until_ns for advert in record.adverts_of(host))
        ]
        if answerer not in masters or len(masters) < 2:
            return f"{answerer} answered request {trip.seq}, and the owner census saw nothing of {answerer} around it"
    return None


def _entry_explained(record: Record, views: Sequence[FaultView]) -> str | None:
    known: str | None = None
    for event in record.events:
        if event.event == "arp":
            printed = record.family.entry(str(event.get("text", "")), record.info.vip)
            if printed and known and printed != known:
                names = _named(record, printed), _named(record, known)
                return f"the client's neighbour table names {names[0]} for the VIP; its last change was to {names[1]}"
            known = printed or known
        elif event.event == "neighbour" and event.get("ip") == record.info.vip:
            entry = None if event.get("deleted") or not event.get("mac") else str(event.get("mac")).lower()
            if entry and known and entry != known and not _told(record, entry, event.t_ns):
                return f"the client's entry came to name {_named(record, entry)}, and no frame of it explains that"
            known = entry
    return None


def _told(record: Record, mac: str, at_ns: int) -> bool:
    """Whether a frame told the client that this is the VIP's MAC, at just that moment."""
    vip, since_ns, until_ns = record.info.vip, at_ns - _TOLD_LATE_NS, at_ns + _TOLD_EARLY_NS
    told = [frame for frame in record.resolutions if (frame.sender_mac, frame.sender_ip) == (mac, vip)]
    return any(since_ns <= frame.time_ns <= until_ns and _reaches_client(record, frame.dst_mac) for frame in told)


def _reaches_client(record: Record, mac: str) -> bool:
    """Whether a frame to this MAC is taken in by the client: its own, or that of a group."""
    client = record.station("client")
    return to_group(mac) or (client is not None and mac == client.public_mac.lower())


def _named(record: Record, mac: str) -> str:
    return record.host_by_mac(mac) or mac


def _masters_logged(record: Record, views: Sequence[FaultView]) -> str | None:
    for view in views:
        host, moment_ns = view.new_master, view.moments.first_advert_ns
        if host is None or moment_ns is None or (family := _family(record, host)).master_line is None:
            continue
        patterns = [pattern for pattern in (family.master_line, family.election_line) if pattern]
        lines = [line for line in record.router_logs.get(host, []) if any(one in line.message for one in patterns)]
        interval_ns = round(record.info.nodes[host].advert_int_s * 1e9)
        if record.unheard(host, moment_ns - interval_ns):
            continue  # it was master before its first advert that anybody heard
        if not any(_logged_at(record, host, line, moment_ns) for line in lines):
            return f"{host} advertised after the {view.summary.fault}, and its log does not say master at that moment"
    return None


def _masters_advertised(record: Record, views: Sequence[FaultView]) -> str | None:
    faults = record.faults
    if not faults:
        return None
    for host in record.info.nodes:
        family, begun = _family(record, host), _begun(record, host)
        pattern = family.master_line
        if pattern is None:
            continue
        called_ns = 0  # when it last called for an election, which its first advert did; the line comes with the next
        for line in record.router_logs.get(host, []):
            dated = _on_host_clock(record, host, line)
            if dated is not None and family.election_line and family.election_line in line.message:
                called_ns = dated[0]
            if pattern not in line.message or dated is None or dated[0] - dated[1] < faults[0].at_ns:
                continue
            if record.unheard(host, dated[0]):
                continue
            if dated[0] - called_ns < _CALLED_INTERVALS * 1e9 * record.info.nodes[host].advert_int_s + _LOGGED_LATE_NS:
                continue
            if not any(_logged_at(record, host, line, moment_ns) for moment_ns in begun):
                return f"{host} logs {line.message!r}, and the capture has no advert with which that began"
    return None


def _family(record: Record, host: HostName) -> Family:
    """What is known of the logs of a host's daemon; nothing where its plug-in is not installed."""
    family = record.families[host]
    return Family(record.info.daemon(host).family) if isinstance(family, str) else family


def _begun(record: Record, host: HostName) -> list[int]:
    """The adverts with which a host began to be master: its first, and those after a silence or after it resigned."""
    times = [advert.time_ns for advert in record.adverts_of(host)]
    silence_ns = 1.5e9 * record.info.nodes[host].advert_int_s
    # Those of others that claim the address, and its own of priority 0.
    breaks = [one.time_ns for one in record.adverts if (record.advertiser(one) != host) == bool(one.priority)]
    begun = times[:1]
    for before, after in pairwise(times):
        if after - before > silence_ns or bisect_left(breaks, before) < bisect_left(breaks, after):
            begun.append(after)
    return begun


def _on_host_clock(record: Record, host: HostName, line: Line) -> tuple[int, int] | None:
    """When a line was written by the host's clock, at the earliest, and how much later that may have been."""
    offset = record.to_host_clock(host)
    if offset is None or line.time_ns is None:
        return None
    shift_ns, sure_ns = offset
    return line.time_ns - shift_ns - sure_ns, 2 * sure_ns + line.resolution_ns


def _logged_at(record: Record, host: HostName, line: Line, moment_ns: int) -> bool:
    dated = _on_host_clock(record, host, line)
    if dated is None:
        return False
    earliest_ns, width_ns = dated
    late_ns = _LOGGED_LATE_NS + record.run_delays.waited_ns(host, moment_ns, earliest_ns)
    return moment_ns - _LOGGED_EARLY_NS - width_ns <= earliest_ns <= moment_ns + late_ns


def _announcements_logged(record: Record, views: Sequence[FaultView]) -> str | None:
    # The log goes on for a moment when the capture has been stopped.
    stopped = (event.t_ns for event in record.all("capture_stopped") if event.get("network") == "public")
    last_ns = next(stopped, record.end_ns) - _ANNOUNCED_NS
    for view in views:
        host = view.new_master
        if host is None:
            continue
        times = [frame.time_ns for frame in record.announcements if record.sender(frame) == host]
        for line in record.router_logs.get(host, []):
            dated = _on_host_clock(record, host, line)
            if dated is None or record.info.vip not in line.message:
                continue
            earliest_ns, width_ns = dated
            if not any(word in line.message for word in _ANNOUNCING) or earliest_ns < view.summary.fault.earliest_ns:
                continue
            if earliest_ns + width_ns > last_ns:
                continue
            since_ns, until_ns = earliest_ns - _ANNOUNCED_NS, earliest_ns + width_ns + _ANNOUNCED_NS
            if bisect_left(times, since_ns) == bisect_right(times, until_ns):
                return f"{host} logs {line.message!r}, and the capture has no such frame"
    return None


def _announces_as_master(record: Record, views: Sequence[FaultView]) -> str | None:
    for host, node in record.info.nodes.items() if record.info.advertises else ():
        times = [advert.time_ns for advert in record.adverts_of(host)]
        near_ns = _ANNOUNCES_AS_MASTER_INTERVALS * 1e9 * node.advert_int_s + _ANNOUNCED_NS
        for frame in record.announcements:
            near = bisect_left(times, frame.time_ns - near_ns) < bisect_right(times, frame.time_ns + near_ns)
            if record.sender(frame) != host or near or record.unheard(host, frame.time_ns):
                continue
            # Of two masters one may be kept from advertising by the other's adverts, and announces all the same.
            if not any(host in owners for _, _, owners in record.owners(frame.time_ns, frame.time_ns + 1)):
                return f"{host} announced the VIP as its own, and has no advert around that"
    return None


def _releases_heard(record: Record, views: Sequence[FaultView]) -> str | None:
    for view in views:
        host, fault = view.new_master, view.summary.fault
        if host is None or not view.moments.first_advert_ns:
            continue
        heard = _family(record, host).release_heard
        if heard is None:
            continue
        lines = 0
        for line in record.router_logs.get(host, []):
            dated = _on_host_clock(record, host, line)
            if heard in line.message and dated is not None:
                lines += fault.earliest_ns <= dated[0] + dated[1] and dated[0] <= view.moments.first_advert_ns
        if lines and lines != view.summary.priority_zero:
            return f"{host} heard priority 0 {lines} times by its log, {view.summary.priority_zero} by the capture"
    return None


def _one_by_one(record: Record, views: Sequence[FaultView]) -> str | None:
    interval_ns = max((node.advert_int_s for node in record.info.nodes.values()), default=0.0) * 1e9
    last_ns: dict[str, int] = {}
    reloads = [event for event, _, kind in record.injected if Need.RELOAD in kind.needs]
    for before, after in pairwise(record.adverts):
        last_ns[before.src_ip] = before.time_ns
        same = (before.src_ip, before.priority) == (after.src_ip, after.priority) and after.priority
        others_ns = max((at_ns for sender, at_ns in last_ns.items() if sender != after.src_ip), default=0)
        answers = after.time_ns - others_ns < _ANSWERED_INTERVALS * interval_ns
        host = record.advertiser(after) or after.src_ip
        # keepalived sends one as it lays its configuration down, and one as it takes it up.
        reloaded = any(event["host"] == host and abs(after.time_ns - event.t_ns) < _RELOADED_NS for event in reloads)
        if same and not answers and not reloaded and after.time_ns - before.time_ns < _APART_INTERVALS * interval_ns:
            return f"{host} advertised twice within {(after.time_ns - before.time_ns) / 1000:.0f} µs"
    return None


def _who_is_who(record: Record, views: Sequence[FaultView]) -> str | None:
    return next(_mistaken(record), None)


def _mistaken(record: Record) -> Iterator[str]:
    """What `trial.json` says of a host and its own frames and log lines do not bear out."""
    info = record.info
    for advert in record.adverts:
        host, sender = record.advertiser(advert), record.host_by_mac(advert.src_mac)
        if host and sender and host != sender:
            yield f"an advert comes from the address of {host} and from the MAC of {sender}"
            break
    for host, node in info.nodes.items():
        adverts = record.adverts_of(host)
        if not adverts:
            continue
        first = adverts[0]
        if isinstance(first, Carp):
            if (first.advskew, first.advbase_s) != (node.advskew, node.advert_int_s):
                given = f"advskew {node.advskew} and advbase {node.advert_int_s:g} s"
                yield f"{host} advertises advskew {first.advskew} and advbase {first.advbase_s} s; it was given {given}"
            continue
        if info.protocol in _VERSION and first.version != _VERSION[info.protocol]:
            yield f"{host} advertises in version {first.version}; the trial was to be of {info.protocol}"
        if all(advert.priority != node.priority for advert in adverts):
            yield f"{host} advertises priority {first.priority}; it was given {node.priority}"
        # Version 2 counts whole seconds.
        resolution_s = 1.0 if first.version == 2 else 0.01
        if abs(first.advert_int_s - node.advert_int_s) >= resolution_s:
            yield f"{host} advertises every {first.advert_int_s:g} s; it was to every {node.advert_int_s:g} s"
        if not any(isinstance(advert, Advert) and info.vip in advert.addresses for advert in adverts):
            yield f"{host} advertises {', '.join(first.addresses)}; the VIP was to be {info.vip}"
    names = {station.hostname: name for name, station in info.stations.items()}
    for host, lines in record.logs.items():
        strangers = {names[line.host] for line in lines if line.host in names} - {host}
        if strangers:
            yield f"the log of {host} was written by {min(strangers)}"


WITNESSES = (
    Witness(
        name="census and capture",
        compares="each look of the owner census with its request and the answers to it in the capture",
        needs="`owners`",
        tolerance="50 ms (its thread may be late); an answer by one look; the first second",
        rule=_census,
    ),
    Witness(
        name="census and answers",
        compares="who answers requests with whom the owner census sees",
        needs="-",
        tolerance="0.5 s, which are two looks, before the request and after the answer, unless it and another advertise"
        " meanwhile",
        rule=_answers_by_owners,
    ),
    Witness(
        name="neighbour table and frames",
        compares="each change of the client's entry with the frame that told the client, and with the table as printed",
        needs="-",
        tolerance="20 ms late (netlink is read by a thread)",
        rule=_entry_explained,
    ),
    Witness(
        name="adverts and log",
        compares="the first advert of a new master with the line of its log",
        needs="a line with which daemons of its family say that they become master",
        tolerance=(
            "10 ms early, 150 ms late and for how long the host waited for a processor meanwhile, "
            "the line's own resolution, the uncertainty of the guest's clock"
        ),
        rule=_masters_logged,
    ),
    Witness(
        name="log and adverts",
        compares="each line of a log that says master with the adverts of that host",
        needs="-",
        tolerance="the same",
        rule=_masters_advertised,
    ),
    Witness(
        name="log and announcements",
        compares="what a new master logs of gratuitous ARP, or of neighbour advertisements, with the frames",
        needs="-",
        tolerance="0.5 s",
        rule=_announcements_logged,
    ),
    Witness(
        name="priority 0",
        compares="how often a new master heard priority 0, by its log, with those adverts",
        needs="-",
        tolerance="none",
        rule=_releases_heard,
    ),
    Witness(
        name="adverts one by one",
        compares="each advert with the one before it",
        needs="-",
        tolerance="no two of one host within a thousandth of its interval, unless of priority 0, soon after another's,"
        " or within 1 s of a reload",
        rule=_one_by_one,
    ),
    Witness(
        name="announcements and adverts",
        compares="who announces the VIP with who advertises",
        needs="daemons that advertise",
        tolerance="2.5 intervals and 0.5 s",
        rule=_announces_as_master,
    ),
    Witness(
        name="who is who",
        compares="`trial.json` with the addresses, priorities and intervals of adverts, and the host names of the logs",
        needs="-",
        tolerance="version 2 counts whole seconds",
        rule=_who_is_who,
    ),
)
