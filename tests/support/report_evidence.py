"""The evidence of a trial made by hand: adverts, requests, swim lanes, frames, logs and a transcript that agree."""

from __future__ import annotations

from typing import Any, Literal

from viplab.analysis.views import AdvertSeen, FrameRow, Interval, LogLine, RoundTrip, SwimLane

ZERO_NS = 1_790_000_000_000_000_000
MAC = {"A": "52:54:00:03:ba:f2", "B": "52:54:00:56:c3:f4"}
VIP = "192.168.122.50"


def arp(owner: str) -> str:
    lines = ((VIP, owner), ("192.168.122.102", "B"))
    return "".join(f"? ({address}) at {MAC[host]} [ether] on virbr0\n" for address, host in lines)


def ns(moment_s: float) -> int:
    return ZERO_NS + round(moment_s * 1e9)


def adverts(takeover_s: float | None) -> list[AdvertSeen]:
    adverts = [AdvertSeen(at_s=number - 12.3129, host="A", priority=102) for number in range(13)]
    if takeover_s is not None:
        adverts += [AdvertSeen(at_s=takeover_s + number, host="B", priority=101) for number in range(20)]
    return adverts


def probe(garp_s: float | None, outage_s: float | None) -> list[RoundTrip]:
    trips = []
    for seq in range(2000):
        sent_s = -12.0 + seq * 0.02
        gone = bool(outage_s) and 0 <= sent_s <= (outage_s or 0)
        after = garp_s is not None and sent_s > garp_s
        trips.append(
            RoundTrip(
                seq=seq,
                sent_s=sent_s,
                rtt_ms=None if gone else round(0.3 + (seq * 37 % 101) / 400, 4),
                mac=None if gone else MAC["B" if after else "A"],
            )
        )
    return trips


def swim_lanes(takeover_s: float | None, garp_s: float | None, outage_s: float | None) -> list[SwimLane]:
    if takeover_s is None or garp_s is None:
        owner = [Interval(start_s=-12.8, end_s=28.0, label="A")]
        return [SwimLane(name="owners", label="VIP answered by", intervals=owner)]
    gone = bool(outage_s)
    return [
        SwimLane(
            name="A",
            label="A",
            intervals=[
                Interval(start_s=-14.2, end_s=-13.1, label="off"),
                Interval(start_s=-13.1, end_s=0.0, label="advertising"),
                Interval(start_s=0.0, end_s=28.0, label="off" if gone else "silent"),
            ],
        ),
        SwimLane(
            name="B",
            label="B",
            intervals=[
                Interval(start_s=-13.9, end_s=takeover_s, label="silent"),
                Interval(start_s=takeover_s, end_s=28.0, label="advertising"),
            ],
        ),
        SwimLane(
            name="owners",
            label="VIP answered by",
            intervals=[
                Interval(start_s=-12.8, end_s=0.0, label="A"),
                Interval(start_s=0.0, end_s=garp_s, label="none" if gone else "A"),
                Interval(start_s=garp_s, end_s=28.0, label="B" if gone else "A+B"),
            ],
        ),
        SwimLane(
            name="client",
            label="client's ARP entry",
            intervals=[
                Interval(start_s=-12.4, end_s=garp_s + 0.0003, label="A"),
                Interval(start_s=garp_s + 0.0003, end_s=28.0, label="B"),
            ],
        ),
    ]


def frames(takeover_s: float | None, garp_s: float | None) -> list[FrameRow]:
    def advert(no: int, time_s: float, host: str, priority: int, mark: str | None = None) -> FrameRow:
        return FrameRow(
            no=no,
            time_s=time_s,
            source=f"10.77.0.{1 if host == 'A' else 2}",
            destination="224.0.0.18",
            protocol="VRRP",
            length=54,
            info=f"Announcement (v2), VRID 51, priority {priority}",
            network="interconnect",
            mark=mark,
        )

    frames = [advert(no, no - 5.3129, "A", 102) for no in range(1, 5)]
    frames.append(advert(5, -0.3129, "A", 102, "last advert of A"))
    if takeover_s is None or garp_s is None:
        return frames
    frames.append(advert(6, takeover_s, "B", 101, "first advert of B"))
    frames += [
        FrameRow(
            no=700 + copy,
            time_s=garp_s + copy * 1e-5,
            source=MAC["B"],
            destination="ff:ff:ff:ff:ff:ff",
            protocol="ARP",
            length=42,
            info=f"Gratuitous ARP for {VIP} (Request)",
            network="public",
            mark="B claims the address" if copy == 0 else None,
        )
        for copy in range(5)
    ]
    frames += [
        FrameRow(
            no=709,
            time_s=garp_s + 0.4,
            source="192.168.122.1",
            destination=VIP,
            protocol="ICMP",
            length=98,
            info="Echo (ping) request  id=0x0b1c, seq=17",
            network="public",
            mark="the ping's request that B answers first",
        ),
        FrameRow(
            no=710,
            time_s=garp_s + 0.4012,
            source=MAC["B"],
            destination="ff:ff:ff:ff:ff:ff",
            protocol="ARP",
            length=42,
            info=f"Who has 192.168.122.1? Tell {VIP}",
            network="public",
            mark="B asks for the client's MAC",
        ),
        FrameRow(
            no=711,
            time_s=garp_s + 0.4013,
            source="52:54:00:aa:00:01",
            destination=MAC["B"],
            protocol="ARP",
            length=42,
            info="192.168.122.1 is at 52:54:00:aa:00:01",
            network="public",
            mark="the client answers",
        ),
        FrameRow(
            no=712,
            time_s=garp_s + 0.4201,
            source=VIP,
            destination="192.168.122.1",
            protocol="ICMP",
            length=98,
            info="Echo (ping) reply  id=0x0b1c, seq=17",
            network="public",
            mark="first answer of B to the ping",
        ),
    ]
    return frames


def log(host: Literal["A", "B"], time_s: float | None, message: str, ident: str = "Keepalived_vrrp") -> LogLine:
    stamp = f"Sep 14 10:15:{int((time_s or 0) + 20):02}"
    raw = f"{stamp} centOS-host{host} {ident}: {message}"
    return LogLine(
        host=host,
        stamp=stamp,
        time_s=time_s,
        uncertainty_s=None if time_s is None else 0.5,
        ident=ident,
        message=message,
        raw=raw,
    )


def logs(takeover_s: float | None) -> dict[Any, list[LogLine]]:
    lines = {
        "A": [
            log("A", -13.1, "VRRP_Instance(VI_1) Transition to MASTER STATE"),
            log("A", -12.1, "VRRP_Instance(VI_1) Entering MASTER STATE"),
        ],
        "B": [log("B", -13.9, "VRRP_Instance(VI_1) Entering BACKUP STATE")],
    }
    if takeover_s is not None:
        messages = (
            (0.0, "Transition to MASTER STATE"),
            (1.0, "Entering MASTER STATE"),
            (1.0, "setting protocol VIPs."),
            (1.0, f"Sending gratuitous ARPs on eth1 for {VIP}"),
            (6.0, f"Sending gratuitous ARPs on eth1 for {VIP}"),
        )
        lines["B"] += [log("B", takeover_s + after_s, f"VRRP_Instance(VI_1) {text}") for after_s, text in messages]
    return lines


def transcript(lost: list[int]) -> str:
    replies = [
        f"64 bytes from {VIP}: icmp_seq={seq} ttl=64 time={20.1 if seq == 17 else 0.3 + seq % 7 / 50:.3g} ms"
        for seq in range(1, 41)
        if seq not in lost
    ]
    share = len(lost) * 100 // 40
    return "\n".join(
        [
            f"PING {VIP} ({VIP}) 56(84) bytes of data.",
            *replies,
            "",
            f"--- {VIP} ping statistics ---",
            f"40 packets transmitted, {40 - len(lost)} received, {share}% packet loss, time 39051ms",
            "rtt min/avg/max/mdev = 0.198/0.742/20.167/2.472 ms",
            "",
        ]
    )
