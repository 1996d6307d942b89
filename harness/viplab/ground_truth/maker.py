"""A trial's folder made by arithmetic: who advertises, announces, owns and serves when, and what was done.

Times are nanoseconds after `START_NS`. The folder is what the experiment would have written, in every file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from viplab.ground_truth import wire

START_NS = 1_800_000_000_000_000_000
MS = 1_000_000
S = 1_000 * MS

VIP = "192.168.122.50"
CLIENT_MAC, CLIENT_IP, PROBE_IP = "52:54:00:41:29:4f", "192.168.122.1", "192.168.122.2"
VIP6, CLIENT_IP6, PROBE_IP6 = "2001:db8::50", "2001:db8::1", "2001:db8::2"
WIRE_IP6 = {"A": "fe80::a", "B": "fe80::b"}
OBSERVER_MAC, OBSERVER_IP6 = "02:76:69:70:6c:62", "fe80::76:69ff:fe70:6c62"
MAC = {"A": "52:54:00:03:ba:f2", "B": "52:54:00:56:c3:f4"}
WIRE_MAC = {"A": "52:54:00:00:00:0a", "B": "52:54:00:00:00:0b"}
WIRE_IP = {"A": "10.10.10.11", "B": "10.10.10.12"}
BROADCAST = wire.BROADCAST
# (256 - priority) / 256 s, worked out by hand.
SKEW_NS = {101: 605_468_750, 102: 601_562_500}
FAMILIES = ("keepalived-1.2.2", "keepalived-2")
PROBE_FROM = 500 * MS
CENSUS_EVERY = 250 * MS
PROBE_IDENT, PING_IDENT = 0x1111, 0x2222
State = TypeVar("State")

arp = wire.arp


def advert(host: str, priority: int, vrid: int = 51) -> bytes:
    """A VRRPv2 advert of a host."""
    return wire.advert(WIRE_MAC[host], WIRE_IP[host], [VIP], vrid, priority)


def carp(host: str) -> bytes:
    """A CARP packet of a host."""
    return wire.carp(WIRE_MAC[host], WIRE_IP[host])


def echo(
    src_mac: str, dst_mac: str, src: str, dst: str, kind: int, ident: int, seq: int, payload: bytes = b""
) -> bytes:
    """An echo request (8) or reply (0)."""
    return wire.echo((src_mac, dst_mac), (src, dst), ident, seq, payload or bytes(56), request=kind == 8)


def datagram(payload: bytes) -> bytes:
    """A marker on `mgmt`."""
    return wire.udp(("52:54:00:00:00:aa", BROADCAST), ("10.0.0.2", "10.0.0.1"), (9, 9), payload)


@dataclass
class Trial:
    """A trial in the making; times are nanoseconds after its start."""

    scenario: str
    family: str
    owner: str
    priorities: tuple[int, int] = (102, 101)
    tracked: tuple[str, ...] = ()
    subject: str = "vipd"
    end: int = 40 * S
    probe_interval: int = 20 * MS
    frames: dict[str, list[tuple[int, bytes]]] = field(
        default_factory=lambda: {"public": [], "interconnect": [], "mgmt": []}
    )
    events: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    advertised: list[int] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=lambda: {"A": [], "B": []})
    precise: dict[str, list[str]] = field(default_factory=lambda: {"A": [], "B": []})
    # Who answers the client, over time: (from, host or None). The last entry that has begun holds.
    serving: list[tuple[int, str | None]] = field(default_factory=list)
    owning: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    slow: dict[int, int] = field(default_factory=dict)
    transcript: str = ""
    # Requests of the probe at these places are lost, whoever serves.
    lost: set[int] = field(default_factory=set)
    # Both hosts answer requests sent between these moments.
    doubled: tuple[int, int] = (0, 0)
    # Every request is handed over this late; the first one of all is punctual.
    late: int = 0
    lab: str = "libvirt"
    protocol: str = "vrrp2"
    ipv6: bool = False
    advert_int: int = S
    # The known answers, in nanoseconds or counts, by the name of the metric.
    truth: dict[str, int | None] = field(default_factory=dict)
    ping_from: int = 1 * S + 7 * MS
    ping_to: int | None = None
    second_burst: int = 5 * S

    def event(self, at: int, name: str, /, **keys: object) -> None:
        """One line of the timeline."""
        self.events.append((at, name, keys))

    def adverts(self, host: str, start: int, until: int, priority: int | None = None) -> int:
        """Adverts of one host; gives the time of the last one."""
        chosen = self.priorities[0 if host == "A" else 1] if priority is None else priority
        at = last = start
        while at < until:
            self.frames["interconnect"].append((at, self._advert(host, chosen)))
            self.advertised += [at] if chosen else []
            last, at = at, at + self.advert_int
        return last

    def _advert(self, host: str, priority: int) -> bytes:
        if self.protocol == "vrrp2":
            return advert(host, priority)
        source = (WIRE_IP6 if self.ipv6 else WIRE_IP)[host]
        return wire.advert_v3(WIRE_MAC[host], source, [self.vip], 51, priority, self.advert_int // (10 * MS))

    @property
    def vip(self) -> str:
        """The virtual address."""
        return VIP6 if self.ipv6 else VIP

    @property
    def client_ip(self) -> str:
        """Where the ping comes from."""
        return CLIENT_IP6 if self.ipv6 else CLIENT_IP

    @property
    def probe_ip(self) -> str:
        """Where the probe comes from."""
        return PROBE_IP6 if self.ipv6 else PROBE_IP

    def sent_between(self, begin: int, end: int) -> int:
        """Requests that the probe sends from one moment until before another."""
        first = max(0, -((PROBE_FROM - begin) // self.probe_interval))
        return max(0, -((PROBE_FROM - end) // self.probe_interval) - first)

    def garps(self, host: str, at: int) -> None:
        """Two bursts of five."""
        for burst in (at, at + self.second_burst):
            for number in range(5):
                frame = wire.unsolicited_na(MAC[host], VIP6) if self.ipv6 else _gratuitous(host)
                if burst + number * 10_000 < self.end:
                    self.frames["public"].append((burst + number * 10_000, frame))

    def neighbour(self, at: int, host: str) -> None:
        """The client's entry comes to name a host."""
        self.event(at, "neighbour", ip=self.vip, mac=MAC[host], state="REACHABLE", deleted=False)

    def fault(
        self, kind: str, host: str, at: int, phase: str = "steps", marker: str | None = None, width: int = 200
    ) -> None:
        """A fault whose true moment is `at`; without a marker its bracket is `width` wide around it."""
        if marker:
            self.frames["mgmt"].append((START_NS + at, datagram(marker.encode())))
        before, after = START_NS + at - width // 2, START_NS + at + width // 2
        step = {"step": f"{kind}: host {host}", "phase": phase}
        self.event(at - width // 2 - MS, "step_started", **step)
        self.event(
            at, "fault_injected", kind=kind, host=host, before_ns=before, after_ns=after, marker=marker, phase=phase
        )
        self.event(at + width // 2 + MS, "step_finished", **step, waited_s=0.0)

    def log(self, host: str, at: int, message: str) -> None:
        """A line of a host's log, in its family's form."""
        moment = START_NS + at
        prefix = "VRRP_Instance(VI_1) " if self.family == "keepalived-1.2.2" else "(VI_1) "
        ident = "Keepalived_vrrp" if self.family == "keepalived-1.2.2" else "Keepalived_vrrp[409]"
        second = datetime.fromtimestamp(moment // S, UTC)
        text = message if message.startswith(("Kernel", "Netlink")) else prefix + message
        stamp = f"{second:%b} {second.day:2d} {second:%H:%M:%S}"
        if self.family == "keepalived-2":
            stamp = _precise(moment)
        self.logs[host].append(f"{stamp} centOS-host{host} {ident}: {text}")
        self.precise[host].append(f"{_precise(moment)} centOS-host{host} {ident}: {text}")

    def takeover(self, host: str, first_advert: int, until: int) -> int:
        """First advert, announcement and log lines of a new master, as its family does it; gives its first ARP."""
        self.adverts(host, first_advert, until)
        old = self.family == "keepalived-1.2.2"
        garp = first_advert + (1_000 * MS + 777_777 if old else 1 * MS + 777_777)
        if old:
            self.log(host, first_advert, "Transition to MASTER STATE")
        self.log(host, garp, "Entering MASTER STATE")
        self.log(host, garp, "setting protocol VIPs." if old else "setting VIPs.")
        words = "Sending gratuitous ARPs" if old else "Sending/queueing gratuitous ARPs"
        self.log(host, garp, f"{words} on eth1 for {self.vip}")
        if garp + self.second_burst < min(until, self.end):
            self.log(host, garp + self.second_burst, f"{words} on eth1 for {self.vip}")
        self.garps(host, garp)
        self.neighbour(garp + 150_000, host)
        self.event(first_advert - MS, "step_started", step=f"wait: master {host}", phase="steps")
        waited_s = round((garp + MS - first_advert) / S, 3)
        self.event(garp, "step_finished", step=f"wait: master {host}", phase="steps", waited_s=waited_s)
        return garp

    def write(self, root: Path, number: int) -> Path:
        """Write the folder."""
        folder = root / "trials" / f"{number:03d}-{self.scenario}-{self.subject}"
        (folder / "capture").mkdir(parents=True)
        self._serve()
        self._placed()
        counts = {}
        for network, frames in self.frames.items():
            shifted = [(at if at >= START_NS else START_NS + at, raw) for at, raw in frames]
            counts[network] = len(shifted)
            (folder / "capture" / f"{network}.pcap").write_bytes(wire.pcap_bytes(shifted))
        self._events(folder, counts)
        (folder / "trial.json").write_text(json.dumps(self.info(number)))
        (folder / "scenario.yaml").write_text(self._scenario())
        if self.transcript:
            (folder / "ping.txt").write_text(self.transcript)
        for host, lines in self.logs.items():
            (folder / "hosts" / host).mkdir(parents=True)
            (folder / "hosts" / host / "messages.log").write_text("".join(line + "\n" for line in lines))
            (folder / "hosts" / host / "precise.log").write_text("".join(f"{line}\n" for line in self.precise[host]))
            (folder / "hosts" / host / "keepalived.conf").write_text("vrrp_instance VI_1 {\n}\n")
        return folder

    def _scenario(self) -> str:
        """What was asked for: the faults of the measured steps, and who owns the VIP at the end."""
        faults = [keys for _, name, keys in self.events if name == "fault_injected" and keys.get("phase") == "steps"]
        steps = ", ".join(f"{{{keys['kind']}: {{host: {keys['host']}}}}}" for keys in faults)
        return f"scenario: {self.scenario}\nsteps: [{steps}]\nexpect: {{owner: {self.owner}}}\n"

    def _placed(self) -> None:
        """State where in the advert interval each fault strikes that strikes within one."""
        for at, name, keys in self.events:
            if name == "fault_injected" and keys.get("host") and keys["phase"] == "steps":
                since = at - max((moment for moment in self.advertised if moment <= at), default=-S)
                keys["place"] = since / self.advert_int if since < self.advert_int else None

    def info(self, number: int) -> dict[str, Any]:
        """`trial.json`."""
        stations = {
            host: {
                "hostname": f"centOS-host{host}",
                "public_mac": MAC[host],
                "public_ip": f"192.168.122.{11 if host == 'A' else 12}",
                "interconnect_mac": WIRE_MAC[host],
                "interconnect_ip": WIRE_IP[host],
            }
            for host in "AB"
        }
        client = {"hostname": "host", "public_mac": CLIENT_MAC, "public_ip": self.client_ip}
        return {
            "scenario": self.scenario,
            "title": self.scenario,
            "subject": self.subject,
            "subject_version": "1",
            "profile": self.family,
            "family": self.family,
            "protocol": self.protocol,
            "lab": self.lab,
            "accel": "qemu" if self.lab == "libvirt" else None,
            "trial": number,
            "vip": self.vip,
            "virtual_router_id": 51,
            "stations": {**stations, "client": client},
            "nodes": {
                "A": {"state": "MASTER", "priority": self.priorities[0], "advert_int_s": self.advert_int / S},
                "B": {"state": "BACKUP", "priority": self.priorities[1], "advert_int_s": self.advert_int / S},
            },
            "tracked": list(self.tracked),
            "probe_interval_s": self.probe_interval / S,
            "probe_source": self.probe_ip,
            "ping_interval_s": 1.0,
        }

    def _serve(self) -> None:
        """Echo of both streams and the owner census, from who serves and who owns."""
        frames, until = self.frames["public"], self.end - S
        streams = (
            (self.probe_ip, PROBE_IDENT, PROBE_FROM, self.probe_interval, until),
            (self.client_ip, PING_IDENT, self.ping_from, S, self.ping_to or until),
        )
        lines = []
        for source, ident, start, interval, stop in streams:
            seq, sent = 0, start
            times: list[float] = []
            while sent < stop:
                seq += 1
                probing = ident == PROBE_IDENT
                late = self.late if probing and seq > 1 else 0
                payload = (
                    wire.probe_payload(seq - 1, START_NS + sent + late)
                    if probing
                    else wire.ping_payload(START_NS + sent)
                )
                frames.append(
                    (sent + late, echo(CLIENT_MAC, MAC["A"], source, self.vip, 8, ident, seq & 0xFFFF, payload))
                )
                host = None if probing and seq - 1 in self.lost else _at(self.serving, sent)
                answering = "AB" if probing and self.doubled[0] <= sent < self.doubled[1] else host or ""
                rtt = self.slow.get(sent, 300_000)
                for turn, who in enumerate(answering):
                    answer = echo(MAC[who], CLIENT_MAC, self.vip, source, 0, ident, seq & 0xFFFF, payload)
                    frames.append((sent + late + rtt + turn * 50_000, answer))
                if host and not probing:
                    times.append(rtt / MS)
                    lines.append(f"64 bytes from {self.vip}: icmp_req={seq} ttl=64 time={rtt / MS:.3g} ms")
                sent += interval
            if ident == PING_IDENT:
                lines += ["", f"--- {self.vip} ping statistics ---"]
                answered, lost = len(times), 100 * (seq - len(times)) // seq
                lines.append(
                    f"{seq} packets transmitted, {answered} received, {lost}% packet loss, time {seq - 1}000ms"
                )
                middle = sum(times) / answered
                lines.append(f"rtt min/avg/max/mdev = {min(times):.3f}/{middle:.3f}/{max(times):.3f}/0.900 ms")
                self.event(start, "ping_started", target=self.vip)
                self.event(sent, "ping_stopped", target=self.vip)
            else:
                self.event(start - MS, "probe_started", kind="icmp", rate=S // interval)
                self.event(sent, "probe_stopped", sent=seq, unsent=0, interval_s=interval / S)
        self.transcript = f"PING {self.vip} ({self.vip}) 56(84) bytes of data.\n" + "\n".join(lines) + "\n"
        for at in range(0, self.end - S, CENSUS_EVERY):
            owners = _at(self.owning, at) or ()
            self.event(at, "owners", macs=[MAC[host] for host in owners])
            frames.append((at + MS // 10, self._question()))
            frames += [(at + MS // 2, self._answer(host)) for host in owners]

    def _question(self) -> bytes:
        """What the census asks."""
        if self.ipv6:
            return wire.solicitation(OBSERVER_MAC, OBSERVER_IP6, VIP6)
        return arp(OBSERVER_MAC, BROADCAST, 1, "0.0.0.0", "00:00:00:00:00:00", VIP)

    def _answer(self, host: str) -> bytes:
        """What an owner says to that."""
        if self.ipv6:
            return wire.solicited_na((MAC[host], OBSERVER_MAC), (VIP6, OBSERVER_IP6))
        return arp(MAC[host], OBSERVER_MAC, 2, VIP, OBSERVER_MAC, "0.0.0.0")

    def _table(self, host: str) -> str:
        """The client's neighbour table as it is printed."""
        if self.ipv6:
            return f"{VIP6} dev virbr0 lladdr {MAC[host]} REACHABLE"
        return f"? ({VIP}) at {MAC[host]} [ether] on virbr0"

    def _events(self, folder: Path, counts: dict[str, int]) -> None:
        self.event(-S, "trial_started")
        self.event(-S, "clock", realtime_ns=START_NS - S, monotonic_ns=5_000)
        self.event(self.end, "clock", realtime_ns=START_NS + self.end, monotonic_ns=5_000 + self.end + S)
        for host in "AB":
            self.event(-S, "guest_clock", host=host, offset_ns=0, uncertainty_ns=100_000)
        self.event(-S, "environment", stp=False, forward_delay_s=0, steal_share=0.0, load1=1.0)
        self.event(-S, "arp", when="before", text=self._table(_first(self.serving)))
        self.event(self.end, "arp", when="after", text=self._table(self.owner))
        for network, packets in counts.items():
            self.event(-S, "capture_started", network=network)
            self.event(self.end, "capture_stopped", network=network, packets=packets, dropped=0)
        self.event(self.end, "trial_finished")
        ordered = sorted(self.events, key=lambda event: event[0])
        lines = [json.dumps({"t_ns": START_NS + at, "event": kind, **keys}) for at, kind, keys in ordered]
        (folder / "timeline.jsonl").write_text("".join(line + "\n" for line in lines))


def _precise(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment // S, UTC):%Y-%m-%dT%H:%M:%S}.{moment % S // 1000:06d}+00:00"


def _gratuitous(host: str) -> bytes:
    return arp(MAC[host], BROADCAST, 1, VIP, BROADCAST, VIP)


def _at(states: Sequence[tuple[int, State]], at: int) -> State | None:
    current: State | None = None
    for since, value in states:
        if since <= at:
            current = value
    return current


def _first(states: list[tuple[int, str | None]]) -> str:
    return next(host for _, host in states if host)


def write_run(root: Path, trials: Sequence[Trial], reference: str) -> Path:
    """A whole run folder, judged against that reference file's text."""
    root.mkdir(parents=True, exist_ok=True)
    provenance = {"git": "abc", "argv": ["viplab"], "host_kernel": "6", "qemu": None, "libvirt": None, "accel": None}
    info = {
        "schema": 1,
        "id": root.name,
        "started": "2027-01-15T08:00:00Z",
        "provenance": {**provenance, "image": None},
    }
    (root / "run.json").write_text(json.dumps(info))
    (root / "reference.yaml").write_text(reference)
    for number, trial in enumerate(trials, 1):
        trial.write(root, number)
    return root
