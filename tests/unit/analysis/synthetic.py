"""Run folders with exactly known answers: frames made by `struct`, events by hand, every case for both families."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
REFERENCE = REPOSITORY / "results" / "reference" / "article.yaml"
START_NS = 1_800_000_000_000_000_000
MS = 1_000_000
S = 1_000 * MS

VIP = "192.168.122.50"
CLIENT_MAC, CLIENT_IP, PROBE_IP = "52:54:00:41:29:4f", "192.168.122.1", "192.168.122.2"
OBSERVER_MAC = "02:76:69:70:6c:62"
MAC = {"A": "52:54:00:03:ba:f2", "B": "52:54:00:56:c3:f4"}
WIRE_MAC = {"A": "52:54:00:00:00:0a", "B": "52:54:00:00:00:0b"}
WIRE_IP = {"A": "10.10.10.11", "B": "10.10.10.12"}
BROADCAST = "ff:ff:ff:ff:ff:ff"
SKEW_NS = {101: 605_468_750, 102: 601_562_500}
FAMILIES = ("keepalived-1.2.2", "keepalived-2")


def mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ip_bytes(ip: str) -> bytes:
    return bytes(int(part) for part in ip.split("."))


def ethernet(src: str, dst: str, kind: int, payload: bytes) -> bytes:
    return mac_bytes(dst) + mac_bytes(src) + struct.pack("!H", kind) + payload


def ipv4(src_mac: str, dst_mac: str, src: str, dst: str, protocol: int, payload: bytes, ttl: int = 64) -> bytes:
    header = (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, ttl, protocol, 0) + ip_bytes(src) + ip_bytes(dst)
    )
    return ethernet(src_mac, dst_mac, 0x0800, header + payload)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF


def advert(host: str, priority: int, vrid: int = 51) -> bytes:
    body = struct.pack("!BBBBBBH", 0x21, vrid, priority, 1, 0, 1, 0) + ip_bytes(VIP) + bytes(8)
    body = body[:6] + struct.pack("!H", checksum(body)) + body[8:]
    return ipv4(WIRE_MAC[host], "01:00:5e:00:00:12", WIRE_IP[host], "224.0.0.18", 112, body, ttl=255)


def carp(host: str) -> bytes:
    """ucarp's advertisement: version 2, type 1, authlen 7, 36 bytes in all."""
    body = struct.pack("!BBBBBBH", 0x21, 51, 0, 7, 0, 1, 0) + bytes(28)
    body = body[:6] + struct.pack("!H", checksum(body)) + body[8:]
    return ipv4(WIRE_MAC[host], "01:00:5e:00:00:12", WIRE_IP[host], "224.0.0.18", 112, body, ttl=255)


def arp(src: str, dst: str, op: int, sender_ip: str, target_mac: str, target_ip: str) -> bytes:
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op)
    body += mac_bytes(src) + ip_bytes(sender_ip) + mac_bytes(target_mac) + ip_bytes(target_ip)
    return ethernet(src, dst, 0x0806, body)


def echo(src_mac: str, dst_mac: str, src: str, dst: str, kind: int, ident: int, seq: int) -> bytes:
    return ipv4(src_mac, dst_mac, src, dst, 1, struct.pack("!BBHHH", kind, 0, 0, ident, seq) + bytes(56))


def datagram(payload: bytes) -> bytes:
    return ipv4(
        "52:54:00:00:00:aa",
        BROADCAST,
        "10.0.0.2",
        "10.0.0.1",
        17,
        struct.pack("!HHHH", 9, 9, 8 + len(payload), 0) + payload,
    )


def pcap_bytes(frames: list[tuple[int, bytes]], order: str = "<", nano: bool = True) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)]
    for time_ns, raw in sorted(frames, key=lambda frame: frame[0]):
        fraction = time_ns % S if nano else time_ns % S // 1000
        parts.append(struct.pack(order + "IIII", time_ns // S, fraction, len(raw), len(raw)) + raw)
    return b"".join(parts)


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
        default_factory=lambda: {"virbr0": [], "interconnect": [], "mgmt": []}
    )
    events: list[tuple[int, str, dict[str, object]]] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=lambda: {"A": [], "B": []})
    # Who answers the client, over time: (from, host or None). The last entry that has begun holds.
    serving: list[tuple[int, str | None]] = field(default_factory=list)
    owning: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    slow: dict[int, int] = field(default_factory=dict)
    transcript: str = ""
    # Requests at these moments never come back, whoever serves.
    ping_from: int = 1 * S + 7 * MS
    ping_to: int | None = None

    def event(self, at: int, name: str, /, **keys: object) -> None:
        self.events.append((at, name, keys))

    def adverts(self, host: str, start: int, until: int, every: int = S, priority: int | None = None) -> int:
        """Adverts of one host; gives the time of the last one."""
        chosen = self.priorities[0 if host == "A" else 1] if priority is None else priority
        at = last = start
        while at < until:
            self.frames["interconnect"].append((at, advert(host, chosen)))
            last, at = at, at + every
        return last

    def garps(self, host: str, at: int) -> None:
        for burst in (at, at + 5 * S):
            for number in range(5):
                frame = arp(MAC[host], BROADCAST, 1, VIP, BROADCAST, VIP)
                if burst + number * 10_000 < self.end:
                    self.frames["virbr0"].append((burst + number * 10_000, frame))

    def neighbour(self, at: int, host: str) -> None:
        self.event(at, "neighbour", ip=VIP, mac=MAC[host], state="REACHABLE", deleted=False)

    def fault(
        self, kind: str, host: str, at: int, phase: str = "steps", marker: str | None = None, width: int = 200
    ) -> None:
        """A fault whose true moment is `at`; without a marker its bracket is `width` wide around it."""
        if marker:
            self.frames["mgmt"].append((START_NS + at, datagram(marker.encode())))
        before, after = START_NS + at - width // 2, START_NS + at + width // 2
        self.event(
            at, "fault_injected", kind=kind, host=host, before_ns=before, after_ns=after, marker=marker, phase=phase
        )

    def log(self, host: str, at: int, message: str) -> None:
        moment = START_NS + at
        prefix = "VRRP_Instance(VI_1) " if self.family == "keepalived-1.2.2" else "(VI_1) "
        ident = "Keepalived_vrrp" if self.family == "keepalived-1.2.2" else "Keepalived_vrrp[409]"
        second = datetime.fromtimestamp(moment // S, UTC)
        text = message if message.startswith(("Kernel", "Netlink")) else prefix + message
        stamp = f"{second:%b} {second.day:2d} {second:%H:%M:%S}"
        if self.family == "keepalived-2":
            stamp = f"{second:%Y-%m-%dT%H:%M:%S}.{moment % S // 1000:06d}+00:00"
        self.logs[host].append(f"{stamp} centOS-host{host} {ident}: {text}")

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
        self.log(host, garp, f"{words} on eth1 for {VIP}")
        if garp + 5 * S < min(until, self.end):
            self.log(host, garp + 5 * S, f"{words} on eth1 for {VIP}")
        self.garps(host, garp)
        self.neighbour(garp + 150_000, host)
        return garp

    def write(self, root: Path, number: int) -> Path:
        """Write the folder."""
        folder = root / "trials" / f"{number:03d}-{self.scenario}-{self.subject}"
        (folder / "capture").mkdir(parents=True)
        self._serve()
        counts = {}
        for network, frames in self.frames.items():
            shifted = [(at if at >= START_NS else START_NS + at, raw) for at, raw in frames]
            counts[network] = len(shifted)
            (folder / "capture" / f"{network}.pcap").write_bytes(pcap_bytes(shifted))
        self._events(folder, counts)
        (folder / "trial.json").write_text(json.dumps(self.info(number)))
        (folder / "scenario.yaml").write_text(f"scenario: {self.scenario}\nexpect: {{owner: {self.owner}}}\n")
        if self.transcript:
            (folder / "ping.txt").write_text(self.transcript)
        for host, lines in self.logs.items():
            (folder / "hosts" / host).mkdir(parents=True)
            (folder / "hosts" / host / "messages.log").write_text("".join(line + "\n" for line in lines))
            (folder / "hosts" / host / "keepalived.conf").write_text("vrrp_instance VI_1 {\n}\n")
        return folder

    def info(self, number: int) -> dict[str, object]:
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
        client = {"hostname": "host", "public_mac": CLIENT_MAC, "public_ip": CLIENT_IP}
        return {
            "scenario": self.scenario,
            "title": self.scenario,
            "subject": self.subject,
            "subject_version": "1",
            "profile": self.family,
            "family": self.family,
            "lab": "libvirt",
            "accel": "qemu",
            "trial": number,
            "vip": VIP,
            "virtual_router_id": 51,
            "stations": {**stations, "client": client},
            "nodes": {
                "A": {"state": "MASTER", "priority": self.priorities[0], "advert_int_s": 1},
                "B": {"state": "BACKUP", "priority": self.priorities[1], "advert_int_s": 1},
            },
            "tracked": list(self.tracked),
            "probe_interval_s": self.probe_interval / S,
            "probe_source": PROBE_IP,
            "ping_interval_s": 1.0,
        }

    def _serve(self) -> None:
        """Echo of both streams and the owner census, from who serves and who owns."""
        frames, until = self.frames["virbr0"], self.end - S
        streams = (
            (PROBE_IP, 0x1111, 500 * MS, self.probe_interval, until),
            (CLIENT_IP, 0x2222, self.ping_from, S, self.ping_to or until),
        )
        lines = []
        for source, ident, start, interval, stop in streams:
            seq, sent, answered = 0, start, 0
            while sent < stop:
                seq += 1
                frames.append((sent, echo(CLIENT_MAC, MAC["A"], source, VIP, 8, ident, seq & 0xFFFF)))
                host = _at(self.serving, sent)
                if host:
                    rtt = self.slow.get(sent, 300_000) if ident == 0x2222 else 300_000
                    frames.append((sent + rtt, echo(MAC[host], CLIENT_MAC, VIP, source, 0, ident, seq & 0xFFFF)))
                    if ident == 0x2222:
                        answered += 1
                        lines.append(f"64 bytes from {VIP}: icmp_req={seq} ttl=64 time={rtt / MS:.3g} ms")
                sent += interval
            if ident == 0x2222:
                lines += ["", f"--- {VIP} ping statistics ---"]
                lost = 100 * (seq - answered) // seq
                lines.append(
                    f"{seq} packets transmitted, {answered} received, {lost}% packet loss, time {seq - 1}000ms"
                )
                lines.append("rtt min/avg/max/mdev = 0.300/0.310/20.100/0.900 ms")
        self.transcript = f"PING {VIP} ({VIP}) 56(84) bytes of data.\n" + "\n".join(lines) + "\n"
        for at in range(0, self.end - S, 250 * MS):
            owners = _at(self.owning, at) or ()
            frames.append((at - 1 * MS, arp(OBSERVER_MAC, BROADCAST, 1, "0.0.0.0", "00:00:00:00:00:00", VIP)))
            for host in owners:
                frames.append((at - MS // 2, arp(MAC[host], OBSERVER_MAC, 2, VIP, OBSERVER_MAC, "0.0.0.0")))
            self.event(at, "owners", macs=[MAC[host] for host in owners])

    def _events(self, folder: Path, counts: dict[str, int]) -> None:
        self.event(-S, "trial_started")
        self.event(-S, "clock", realtime_ns=START_NS - S, monotonic_ns=5_000)
        self.event(self.end, "clock", realtime_ns=START_NS + self.end, monotonic_ns=5_000 + self.end + S)
        for host in "AB":
            self.event(-S, "guest_clock", host=host, offset_ns=0, uncertainty_ns=100_000)
        self.event(-S, "environment", stp=False, forward_delay_s=0, steal_share=0.0, load1=1.0)
        self.event(-S, "arp", when="before", text=f"? ({VIP}) at {MAC[_first(self.serving)]} [ether] on virbr0")
        self.event(self.end, "arp", when="after", text=f"? ({VIP}) at {MAC[self.owner]} [ether] on virbr0")
        for network, packets in counts.items():
            self.event(self.end, "capture_stopped", network=network, packets=packets, dropped=0)
        self.event(self.end, "trial_finished")
        ordered = sorted(self.events, key=lambda event: event[0])
        lines = [json.dumps({"t_ns": START_NS + at, "event": kind, **keys}) for at, kind, keys in ordered]
        (folder / "timeline.jsonl").write_text("".join(line + "\n" for line in lines))


def _at(states: list[tuple[int, object]], at: int):  # type: ignore[no-untyped-def]
    current = None
    for since, value in states:
        if since <= at:
            current = value
    return current


def _first(states: list[tuple[int, str | None]]) -> str:
    return next(host for _, host in states if host)


# What the takeover timer of the synthetic daemons is late by.
LATE = 2_000_001


def case_a(family: str) -> Trial:
    """A's daemon is killed 0.4 s after its advert at 10 s; its kernel goes on answering."""
    trial = Trial("case-a", family, "B")
    last = trial.adverts("A", 0, 10 * S + 1)
    trial.fault("kill", "A", last + 400 * MS, marker="token-a")
    first = last + 3 * S + SKEW_NS[101] + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (garp + 150_000, "B")]
    trial.owning = [(0, ("A",)), (garp, ("A", "B"))]
    _resolve(trial, garp)
    return trial


def _resolve(trial: Trial, garp: int) -> None:
    """The new master asks for the client within the first round trip of the ping after its announcement."""
    sent = trial.ping_from
    while sent < garp + 150_000:
        sent += S
    trial.slow[sent] = 20_100_000
    frames = trial.frames["virbr0"]
    frames.append((sent + 200_000, arp(MAC["B"], BROADCAST, 1, VIP, "00:00:00:00:00:00", CLIENT_IP)))
    frames.append((sent + 250_000, arp(CLIENT_MAC, MAC["B"], 2, CLIENT_IP, MAC["B"], VIP)))


def case_b(family: str) -> Trial:
    """A's daemon returns at 20 s; 1.2.2 claims at B's next advert and leaves a gap, 2.x waits and leaves none."""
    trial = Trial("case-b", family, "A")
    trial.fault("kill", "A", 0, phase="setup")
    trial.fault("bring_back", "A", 20 * S + 300 * MS)
    first = 21 * S + 50 * MS if family == "keepalived-1.2.2" else 24 * S + 100 * MS
    trial.adverts("B", 0, first)
    garp = trial.takeover("A", first, trial.end)
    words = ("Received higher prio advert", "Entering BACKUP STATE", "removing protocol VIPs.")
    if family == "keepalived-2":
        words = (
            "Master received advert from 10.10.10.11 with higher priority 102, ours 101",
            words[1],
            "removing VIPs.",
        )
    for message in words:
        trial.log("B", first + 500_000, message)
    gap = [(first + 500_000, None)] if family == "keepalived-1.2.2" else []
    trial.serving = [(0, "B"), *gap, (garp + 150_000, "A")]
    trial.owning = [(0, ("A", "B")), (first + 500_000, ("A",))]
    return trial


def case_c(family: str) -> Trial:
    """A's eth1 goes down 0.4 s after its advert at 10 s."""
    trial = Trial("case-c", family, "B", priorities=(101, 101), tracked=("eth1",))
    last = trial.adverts("A", 0, 10 * S + 1)
    down = last + 400 * MS
    trial.fault("link_down", "A", down, marker="token-c")
    if family == "keepalived-1.2.2":
        first = last + 3 * S + SKEW_NS[101] + LATE
        noticed = last + S
        words = (
            "Kernel is reporting: interface eth1 DOWN",
            "Entering FAULT STATE",
            "removing protocol VIPs.",
            "Now in FAULT state",
        )
    else:
        for zero in (down + 5 * MS, down + 6 * MS):
            trial.adverts("A", zero, zero + 1, priority=0)
        first = down + 6 * MS + SKEW_NS[101] + LATE
        noticed = down + 4 * MS
        words = ("Netlink reports eth1 down", "Entering FAULT STATE", "removing VIPs.")
    for message in words:
        trial.log("A", noticed, message)
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (down, None), (garp + 150_000, "B")]
    trial.owning = [(0, ("A",)), (down, ()), (garp, ("B",))]
    return trial


def case_d(family: str) -> Trial:
    """A's eth1 returns at 10 s, B stays; B is shut down at 22 s and goes 0.8 s later."""
    trial = Trial("case-d", family, "A", priorities=(101, 101), tracked=("eth1",))
    trial.fault("link_down", "A", 0, phase="setup")
    trial.fault("link_up", "A", 10 * S + 300 * MS)
    if family == "keepalived-2":
        trial.log("A", 10 * S + 310 * MS, "Netlink reports eth1 up")
    trial.log("A", 10 * S + 350 * MS, "Entering BACKUP STATE")
    trial.fault("shutdown", "B", 22 * S)
    gone = 22 * S + 800 * MS
    last = trial.adverts("B", 0, gone)
    if family == "keepalived-1.2.2":
        first = last + 3 * S + SKEW_NS[101] + LATE
    else:
        trial.adverts("B", gone, gone + 1, priority=0)
        first = gone + SKEW_NS[101] + LATE
    garp = trial.takeover("A", first, trial.end)
    trial.serving = [(0, "B"), (gone, None), (garp + 150_000, "A")]
    trial.owning = [(0, ("B",)), (gone, ()), (garp, ("A",))]
    trial.ping_to = 21 * S
    return trial


def case_d_preempt(family: str) -> Trial:
    """A's eth1 returns at 10 s and A, with the higher priority, takes the VIP back."""
    trial = Trial("case-d-preempt", family, "A", tracked=("eth1",))
    trial.fault("link_down", "A", 0, phase="setup")
    trial.fault("link_up", "A", 10 * S + 300 * MS)
    first = 11 * S + 1 * MS if family == "keepalived-1.2.2" else 13 * S + 300 * MS + SKEW_NS[102]
    trial.adverts("B", 0, first)
    garp = trial.takeover("A", first, trial.end)
    gap = [(first + 500_000, None)] if family == "keepalived-1.2.2" else []
    trial.serving = [(0, "B"), *gap, (garp + 150_000, "A")]
    trial.owning = [(0, ("B",)), (first + 500_000, ()), (garp, ("A",))]
    return trial


def power_cut(family: str) -> Trial:
    """A is destroyed 0.4 s after its advert at 10 s."""
    trial = Trial("power-cut", family, "B")
    last = trial.adverts("A", 0, 10 * S + 1)
    cut = last + 400 * MS
    trial.fault("power_cut", "A", cut, width=10 * MS)
    first = last + 3 * S + SKEW_NS[101] + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (cut, None), (garp + 150_000, "B")]
    trial.owning = [(0, ("A",)), (cut, ()), (garp, ("B",))]
    return trial


def part_1(family: str) -> Trial:
    """No fault; every set-up check holds."""
    trial = Trial("part-1", family, "A", end=8 * S)
    trial.adverts("A", 0, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    for number in range(1, 11):
        trial.event(5 * S, "check", claim=f"P{number}", ok=True, detail=f"detail of P{number}")
    return trial


CASES: dict[str, Callable[[str], Trial]] = {
    "part-1": part_1,
    "case-a": case_a,
    "case-b": case_b,
    "case-c": case_c,
    "case-d": case_d,
    "case-d-preempt": case_d_preempt,
    "power-cut": power_cut,
}


def write_run(root: Path, trials: list[Trial]) -> Path:
    """A whole run folder."""
    root.mkdir(parents=True, exist_ok=True)
    provenance = {"git": "abc", "argv": ["viplab"], "host_kernel": "6", "qemu": None, "libvirt": None, "accel": None}
    info = {
        "schema": 1,
        "id": root.name,
        "started": "2027-01-15T08:00:00Z",
        "provenance": {**provenance, "image": None},
    }
    (root / "run.json").write_text(json.dumps(info))
    shutil.copy(REFERENCE, root / "reference.yaml")
    for number, trial in enumerate(trials, 1):
        trial.write(root, number)
    return root
