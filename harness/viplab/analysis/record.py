"""One trial's evidence as it was read, and what follows from it without judging: who is who, what was when."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import Any

from viplab.address_family import AddressFamily, family_of
from viplab.analysis.asked import read_asked
from viplab.analysis.fault_time import dated, narrowed
from viplab.analysis.logs import Line
from viplab.analysis.run_delays import RunDelays
from viplab.analysis.streams import Trip, lateness_ns, round_trips
from viplab.analysis.summary import CaptureSummary, Fault
from viplab.analysis.views import PingView, Stream
from viplab.capture.frames import AddressResolution, Advert, Arp, Carp, Datagram, Echo, Neighbour
from viplab.errors import ViplabError
from viplab.faults import Effect, FaultKind, UnknownFaultError, fault_kind
from viplab.subjects.family import BEGINS_WITHIN_INTERVALS, Family, TimingModel
from viplab.subjects.registry import find_family
from viplab.types import Daemon, Event, HostName, HttpRequest, NetworkName, Station, TrialInfo

NETWORKS: tuple[NetworkName, ...] = ("public", "interconnect")
Claim = Advert | Carp | Arp | Neighbour
"""A frame by which a host says that it is master."""
_LONGEST_REASON = 300
_STEP = ("step_started", "step_finished")


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """All packets of a capture, whether or not they concern the trial.

    `backwards_ns` is the furthest that a stamp lies before the one before it, `twice` how many frames are those before
    them once more, with the same stamp.
    """

    packets: int = 0
    first_ns: int = 0
    last_ns: int = 0
    backwards_ns: int = 0
    twice: int = 0


@dataclass(frozen=True)
class Record:
    """What was seen in one trial. `issues` lists what is missing or damaged, one sentence each."""

    name: str
    info: TrialInfo
    scenario: str
    config: dict[HostName, dict[str, str | None]]
    events: list[Event]
    adverts: list[Advert | Carp]
    carps: list[Carp]
    arps: list[Arp]
    neighbours: list[Neighbour]
    echoes: list[Echo]
    markers: list[Datagram]
    ping: PingView | None
    logs: dict[HostName, list[Line]]
    audit: dict[HostName, list[str]] = field(default_factory=dict)
    """Lines of the audit log, of hosts that have one."""
    http: list[HttpRequest] = field(default_factory=list)
    captures: dict[NetworkName, CaptureFile] = field(default_factory=dict)
    issues: list[str] = field(default_factory=list)

    @cached_property
    def start_ns(self) -> int:
        """The first event."""
        return self.events[0].t_ns if self.events else min(self._frame_times(), default=0)

    @cached_property
    def end_ns(self) -> int:
        """The last event or frame, whichever is later."""
        return max([event.t_ns for event in self.events] + list(self._frame_times()), default=0)

    @cached_property
    def faults(self) -> list[Fault]:
        """The faults that were injected in the measured steps, in order of time; the first one is the headline."""
        return self._injected("steps")

    @cached_property
    def setup_faults(self) -> list[Fault]:
        """The faults that brought about what the scenario starts from; they are not measured."""
        return self._injected("setup")

    @cached_property
    def injected(self) -> list[tuple[Event, Event | None, FaultKind]]:
        """Each fault that can be told of: its injection, its healing (None where there was none), its kind."""
        return [
            (event, self._healing(event), fault_kind(event["kind"]))
            for event in self.all("fault_injected")
            if not self._unread(event)
        ]

    @cached_property
    def families(self) -> dict[HostName, Family | str]:
        """The family of each host's daemon, or why it is not known."""
        return {host: self._family(self.info.daemon(host)) for host in self.info.nodes}

    def _family(self, daemon: Daemon) -> Family | str:
        try:
            return find_family(daemon.family, daemon.subject)
        except ViplabError as error:
            return str(error)

    @cached_property
    def router_logs(self) -> dict[HostName, list[Line]]:
        """Each host's log without what it says of other virtual routers than the one that the client asks."""
        return {host: [line for line in lines if self._concerns(host, line)] for host, lines in self.logs.items()}

    def _concerns(self, host: HostName, line: Line) -> bool:
        family, own = self.families.get(host), self.info.instance
        if own is None or not isinstance(family, Family):
            return True
        prefix = line.message.removesuffix(family.log_body(line.message))
        return not prefix or f"({own})" in prefix

    def garp_bursts(self, host: HostName) -> int:
        """How often a host announces the VIP as it becomes master; once where its family is not known."""
        family = self.families.get(host)
        return family.garp_bursts if isinstance(family, Family) else 1

    @cached_property
    def timing(self) -> dict[HostName, TimingModel | str]:
        """The timing model of each host's daemon, or why there is none."""
        if why := self.asked.get("unpredicted"):
            return dict.fromkeys(self.families, f"no outage can be predicted: {str(why)[:_LONGEST_REASON]}")
        return {host: _timing(family) for host, family in self.families.items()}

    @property
    def held_back_s(self) -> float:
        """For how long what is below the daemons may have held back a takeover."""
        return max((model.held_back_s for model in self.timing.values() if isinstance(model, TimingModel)), default=0.0)

    def cuts_adverts(self, fault: Fault) -> bool:
        """Whether a fault ended a link on the network that adverts travel on, so that no word of it left the host."""
        return any(
            event.get("network") == self.info.adverts_on and self._date(event) == fault for event, _, _ in self.injected
        )

    def dates(self, event: Event, fault: Fault) -> bool:
        """Whether an injection is that of this fault."""
        return self._date(event) == fault

    def unheard(self, host: HostName | None, at_ns: int, network: NetworkName | None = None) -> bool:
        """Whether a fault that had not ended then kept what a host sent from the others, and from the capture, too.

        It is asked of the network that adverts travel on where none is named.
        """
        return any(
            event.get("network") == (network or self.info.adverts_on)
            and event.get("host") in (None, host)
            and not kind.heard.from_it
            and event.t_ns <= at_ns <= (end.t_ns if end else self.end_ns)
            for event, end, kind in self.injected
        )

    def client_told(self, fault: Fault) -> bool:
        """Whether the client heard who has the address after a fault; one with a virtual MAC needs no word of it."""
        return self.info.virtual_mac is not None or all(
            kind.client_told or (end is not None and end.t_ns < fault.earliest_ns) or event.t_ns > fault.latest_ns
            for event, end, kind in self.injected
        )

    @cached_property
    def client_cuts(self) -> list[tuple[Event, Event | None]]:
        """Each known outage of the client's with its end, None where it was not healed."""
        return [(begin, end) for begin, end, kind in self.injected if kind.effect is Effect.CLIENT_CUT]

    @cached_property
    def unread_faults(self) -> list[str]:
        """Why a fault that was injected cannot be told of, one sentence each; what happened is then not known."""
        return [why for event in self.all("fault_injected") if (why := self._unread(event))]

    @cached_property
    def capture(self) -> CaptureSummary:
        """Packets and drops of all captures by tcpdump's own count, None where it did not say."""
        stopped = self.all("capture_stopped")
        packets = [event.get("packets") for event in stopped]
        dropped = [event.get("dropped") for event in stopped]
        return CaptureSummary(
            packets=sum(packets) if packets and None not in packets else None,
            dropped=sum(dropped) if dropped and None not in dropped else None,
        )

    @cached_property
    def streams(self) -> dict[Stream, list[Trip]]:
        """Both echo streams as round trips."""
        info, client = self.info, self.station("client")
        sources: dict[Stream, str | None] = {"probe": info.probe_source, "ping": client.public_ip if client else None}
        return {
            stream: round_trips(self.echoes, source, info.vip, self.end_ns) if source else []
            for stream, source in sources.items()
        }

    @cached_property
    def requests(self) -> dict[Stream, list[Echo]]:
        """The requests of both streams as they were captured, without those that never came to be."""
        return {stream: self._captured(trips) for stream, trips in self.streams.items()}

    def _captured(self, trips: list[Trip]) -> list[Echo]:
        sent_ns = trips[0].sent_ns if trips else None
        first = next((echo for echo in self.echoes if echo.request and echo.time_ns == sent_ns), None)
        if first is None:
            return []
        stream = (first.src_ip, first.dst_ip, first.via, first.ident)
        return [e for e in self.echoes if e.request and (e.src_ip, e.dst_ip, e.via, e.ident) == stream]

    @cached_property
    def asked(self) -> dict[Any, Any]:
        """The scenario as it was read, empty where it cannot be."""
        return read_asked(self.scenario)

    @cached_property
    def trips(self) -> list[Trip]:
        """The stream that outages are measured with: the probe, or the ping where there was no probe."""
        return self.streams["probe"] or self.streams["ping"]

    @property
    def interval_s(self) -> float:
        """Time between two requests of that stream."""
        probed = self.info.probe_interval_s if self.streams["probe"] else None
        return probed or self.info.ping_interval_s

    @cached_property
    def lateness_ns(self) -> list[int]:
        """How late the probe's requests were."""
        return lateness_ns(self.streams["probe"], round((self.info.probe_interval_s or 0) * 1_000_000_000))

    @cached_property
    def measured_span_ns(self) -> tuple[int, int]:
        """From the first measured step to the end of the last one."""
        steps = [event.t_ns for event in self.events if event.event in _STEP and event.get("phase") == "steps"]
        return (min(steps), max(steps)) if steps else (self.start_ns, self.end_ns)

    @cached_property
    def family(self) -> AddressFamily:
        """The family of the VIP."""
        return family_of(self.info.vip)

    @cached_property
    def resolutions(self) -> list[AddressResolution]:
        """Who asked for addresses and who said that he has them, by ARP or ND, in the order of time."""
        return sorted([*self.arps, *self.neighbours], key=lambda frame: frame.time_ns)

    @cached_property
    def announcements(self) -> list[AddressResolution]:
        """Who said unasked that the VIP is his: gratuitous ARP, and unsolicited neighbour advertisements."""
        return self.announcements_of([self.info.vip])

    def announcements_of(self, vips: Collection[str]) -> list[AddressResolution]:
        """Who said unasked that one of these addresses is his, in the order of time."""
        return [frame for frame in self.resolutions if frame.gratuitous and frame.sender_ip in vips]

    def all(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[str, list[Event]]:
        found: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.event].append(event)
        return dict(found)

    def station(self, name: str) -> Station | None:
        """The addresses of a host or of the `client`."""
        return self.info.stations.get(name)

    def host_by_mac(self, mac: str | None) -> HostName | None:
        """The host that has this address on either network."""
        return self._macs.get(mac.lower()) if mac else None

    @cached_property
    def _macs(self) -> dict[str, HostName]:
        """Whose address each is; the first host by name that has it."""
        found: dict[str, HostName] = {}
        for host in self.info.hosts:
            station = self.info.stations[host]
            for mac in filter(None, (station.public_mac, station.interconnect_mac)):
                found.setdefault(mac.lower(), host)
        return found

    def advertiser(self, advert: Advert | Carp) -> HostName | None:
        """The host that sent an advert, by its addresses."""
        for host in self.info.hosts:
            station = self.station(host)
            if station and advert.src_ip in (station.interconnect_ip, station.public_ip):
                return host
        return self.host_by_mac(advert.src_mac)

    def sender(self, frame: AddressResolution) -> HostName | None:
        """The host that sent a frame; from the virtual MAC, the one that advertised last, as a switch learns it.

        Of daemons that announce first, it is the one that begins to advertise within an interval.
        """
        if frame.src_mac != self.info.virtual_mac:
            return self.host_by_mac(frame.src_mac)
        index = bisect_right(self.adverts, frame.time_ns, key=lambda advert: advert.time_ns)
        return self._begins_behind(frame.time_ns) or (self.advertiser(self.adverts[index - 1]) if index else None)

    def announces_first(self, host: HostName | None) -> bool:
        """Whether a host, as it becomes master, announces the VIP before it advertises."""
        family = self.families.get(host) if host is not None else None
        return isinstance(family, Family) and self.family in family.announces_first

    def _begins_behind(self, time_ns: int) -> HostName | None:
        """The host whose first advert after a silence comes within an interval, where it announces before that."""
        for host in filter(self.announces_first, self.info.nodes):
            interval_ns = round(BEGINS_WITHIN_INTERVALS * self.info.nodes[host].advert_int_s * 1e9)
            claims = self.adverts_of(host)
            index = bisect_right(claims, time_ns, key=lambda advert: advert.time_ns)
            silent = index == 0 or time_ns - claims[index - 1].time_ns > interval_ns
            if silent and index < len(claims) and claims[index].time_ns - time_ns <= interval_ns:
                return host
        return None

    def adverts_of(self, host: HostName | None) -> list[Advert | Carp]:
        """The adverts of one host that claim mastership; those of priority 0 give it up and are left out."""
        return self._claims.get(host, [])

    @cached_property
    def _claims(self) -> dict[HostName | None, list[Advert | Carp]]:
        found: defaultdict[HostName | None, list[Advert | Carp]] = defaultdict(list)
        for advert in self.adverts:
            if advert.priority:
                found[self.advertiser(advert)].append(advert)
        return dict(found)

    def claims_of(self, host: HostName | None) -> Sequence[Claim]:
        """The frames by which one host says that it is master: its adverts, or where none are sent its announcements.

        An announcement is made once, so that the last one to make it is master until another does.
        """
        return self.adverts_of(host) if self.info.advertises else self._announced.get(host, [])

    @cached_property
    def _announced(self) -> dict[HostName | None, list[Arp | Neighbour]]:
        found: defaultdict[HostName | None, list[Arp | Neighbour]] = defaultdict(list)
        for frame in self.announcements:
            found[self.sender(frame)].append(frame)
        return dict(found)

    def last_claim(self, until_ns: int) -> tuple[int, HostName] | None:
        """The last such frame of a host that runs the daemon, by a moment: when it was sent, and by whom."""
        claims = (
            (claim.time_ns, host)
            for host in self.info.nodes
            for claim in self.claims_of(host)
            if claim.time_ns <= until_ns
        )
        return max(claims, default=None)

    def windows(self) -> Iterator[tuple[Fault, int]]:
        """Each fault with the moment up to which what happens is its doing: the next fault, or the end."""
        faults = self.faults
        yield from ((fault, following.at_ns) for fault, following in pairwise(faults))
        if faults:
            yield faults[-1], self.end_ns

    def owners(self, since_ns: int, until_ns: int) -> list[tuple[int, int, list[str]]]:
        """The owner census between two moments: (from, to, owners); one observation holds until the next.

        An owner is a host, or the MAC of somebody else.
        """
        seen = self.all("owners")
        ends = [event.t_ns for event in seen[1:]] + [self.end_ns]
        return [
            (max(event.t_ns, since_ns), min(end, until_ns), self._owners(event))
            for event, end in zip(seen, ends, strict=False)
            if end > since_ns and event.t_ns < until_ns
        ]

    def _owners(self, event: Event) -> list[str]:
        macs = sorted(map(str, event.get("macs") or []))
        # By the port at which an answer came in, where that was looked at: a virtual MAC does not tell hosts apart.
        return list(map(str, event.get("hosts") or [])) or [self.host_by_mac(mac) or mac for mac in macs]

    @cached_property
    def client_entries(self) -> list[tuple[int, str | None]]:
        """What is known of that entry: the table's own events, and the table as it was printed."""
        vip = self.info.vip
        changes = [event for event in self.all("neighbour") if event.get("ip") == vip]
        entries = [(event.t_ns, None if event.get("deleted") else event.get("mac")) for event in changes]
        entries += [(event.t_ns, self.family.entry(str(event.get("text", "")), vip)) for event in self.all("arp")]
        return sorted(entries, key=lambda entry: entry[0])

    def client_entry(self, at_ns: int) -> str | None:
        """The MAC that the client's neighbour table has for the VIP at a moment, None for none and for not known."""
        index = bisect_right(self.client_entries, at_ns, key=itemgetter(0))
        return self.client_entries[index - 1][1] if index else None

    @cached_property
    def run_delays(self) -> RunDelays:
        """For how long each host waited for a processor."""
        return RunDelays(self.all("run_delay"))

    def to_host_clock(self, host: HostName) -> tuple[int, int] | None:
        """What to take from a guest's clock to have the host's, and how sure that is; None where not measured."""
        measured = [event for event in self.all("guest_clock") if event.get("host") == host]
        if not measured:
            return (0, 0) if self.info.clock == "shared" else None
        offsets = [int(event["offset_ns"]) for event in measured]
        spread = (max(offsets) - min(offsets)) // 2
        return sum(offsets) // len(offsets), max(int(event["uncertainty_ns"]) for event in measured) + spread

    def _injected(self, phase: str) -> list[Fault]:
        faults = [
            self._date(event)
            for event, _, kind in self.injected
            if event.get("phase", "steps") == phase and kind.effect is not Effect.CLIENT_CUT
        ]
        return sorted(faults, key=lambda fault: fault.at_ns)

    def _unread(self, event: Event) -> str | None:
        try:
            kind = fault_kind(event["kind"])
        except UnknownFaultError as error:
            return str(error)
        if kind.part is not None and event.get("host") not in self.info.hosts:
            return f"a fault of kind {kind.name!r} does not say which host it struck"
        return None

    def _healing(self, begin: Event) -> Event | None:
        same = [event for event in self.all("fault_healed") if event["kind"] == begin["kind"]]
        return next((end for end in same if end.t_ns >= begin.t_ns and end.get("host") == begin.get("host")), None)

    def _date(self, event: Event) -> Fault:
        fault = dated(event, self.markers)
        claims = {host: [advert.time_ns for advert in self.adverts_of(host)] for host in self.info.nodes}
        own_ns = claims.pop(fault.host, []) if fault.host else []
        return narrowed(fault, own_ns, [at_ns for others_ns in claims.values() for at_ns in others_ns])

    def _frame_times(self) -> Iterator[int]:
        for frames in (self.adverts, self.resolutions, self.echoes):
            if frames:
                yield frames[-1].time_ns


def _timing(family: Family | str) -> TimingModel | str:
    if isinstance(family, str):
        return f"no outage can be predicted: {family}"
    return family.timing or f"no outage can be predicted: the family {family.name!r} has no timing model"
