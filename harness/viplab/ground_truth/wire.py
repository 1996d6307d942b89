"""Frames by `struct`, byte for byte as the RFCs draw them, and capture files around them in every form."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import ip_address

BROADCAST = "ff:ff:ff:ff:ff:ff"
SECOND_NS = 1_000_000_000
LARGEST = 262_144

_ARP, _IP, _IPV6 = 0x0806, 0x0800, 0x86DD
_ICMP, _UDP, _AH, _ICMPV6, _VRRP = 1, 17, 51, 58, 112
_GROUP, _GROUP_MAC = "224.0.0.18", "01:00:5e:00:00:12"
_GROUP6, _GROUP6_MAC = "ff02::12", "33:33:00:00:00:12"
_ALL_NODES, _ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"


def ethernet(src: str, dst: str, kind: int, payload: bytes) -> bytes:
    """An Ethernet II frame, unpadded as a bridge shows it."""
    return mac_bytes(dst) + mac_bytes(src) + struct.pack("!H", kind) + payload


def tagged(frame: bytes, *vlans: int) -> bytes:
    """A frame with VLAN tags, the outermost first: all but the last are service tags (IEEE 802.1ad)."""
    kinds = [*[0x88A8] * (len(vlans) - 1), 0x8100]
    tags = (struct.pack("!HH", kind, vlan) for kind, vlan in zip(kinds, vlans, strict=True))
    return frame[:12] + b"".join(tags) + frame[12:]


@cache
def mac_bytes(mac: str) -> bytes:
    """The six bytes of a MAC."""
    return bytes.fromhex(mac.replace(":", ""))


@cache
def ip_bytes(ip: str) -> bytes:
    """The four or sixteen bytes of an address."""
    return ip_address(ip).packed


def ip(macs: tuple[str, str], ips: tuple[str, str], protocol: int, payload: bytes, ttl: int = 64) -> bytes:
    """A packet of either IP version, by its addresses, in a frame; pairs are (from, to)."""
    src, dst = map(ip_bytes, ips)
    if len(src) == 4:
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, ttl, protocol, 0)
        return ethernet(*macs, _IP, header + src + dst + payload)
    header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl)
    return ethernet(*macs, _IPV6, header + src + dst + payload)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _summed(body: bytes, at: int, pseudo: bytes = b"") -> bytes:
    return body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2 :]


def advert(
    mac: str, source: str, vips: Sequence[str], vrid: int = 51, priority: int = 100, *, authenticated: bool = False
) -> bytes:
    """A VRRPv2 advert of 1 s (RFC 3768, section 5), behind an authentication header (RFC 2338, 5.3.6) if wanted."""
    auth_type = 2 if authenticated else 0
    body = struct.pack("!BBBBBBH", 0x21, vrid, priority, len(vips), auth_type, 1, 0)
    body = _summed(body + b"".join(map(ip_bytes, vips)) + bytes(8), 6)
    if authenticated:
        body = struct.pack("!BBHII", _VRRP, 4, 0, 1, 1) + bytes(12) + body
    return ip((mac, _GROUP_MAC), (source, _GROUP), _AH if authenticated else _VRRP, body, ttl=255)


def advert_v3(
    mac: str, source: str, vips: Sequence[str], vrid: int = 51, priority: int = 100, advert_cs: int = 100, *,
    pseudo: bool = True,
) -> bytes:  # fmt: skip
    """A VRRPv3 advert (RFC 9568, section 5) over the IP version of `source`; the interval is in centiseconds."""
    body = struct.pack("!BBBBHH", 0x31, vrid, priority, len(vips), advert_cs, 0) + b"".join(map(ip_bytes, vips))
    src = ip_bytes(source)
    group, mac_to = (_GROUP, _GROUP_MAC) if len(src) == 4 else (_GROUP6, _GROUP6_MAC)
    length = struct.pack("!BBH", 0, _VRRP, len(body)) if len(src) == 4 else struct.pack("!II", len(body), _VRRP)
    body = _summed(body, 6, src + ip_bytes(group) + length if pseudo else b"")
    return ip((mac, mac_to), (source, group), _VRRP, body, ttl=255)


def carp(mac: str, source: str, vhid: int = 51, advskew: int = 0) -> bytes:
    """ucarp's advertisement: version 2, type 1, 7 words of authentication, 36 bytes in all."""
    body = _summed(struct.pack("!BBBBBBH", 0x21, vhid, advskew, 7, 0, 1, 0) + bytes(28), 6)
    return ip((mac, _GROUP_MAC), (source, _GROUP), _VRRP, body, ttl=255)


def arp(src: str, dst: str, op: int, sender_ip: str, target_mac: str, target_ip: str) -> bytes:
    """An ARP request (1) or reply (2)."""
    body = struct.pack("!HHBBH", 1, _IP, 6, 4, op)
    body += mac_bytes(src) + ip_bytes(sender_ip) + mac_bytes(target_mac) + ip_bytes(target_ip)
    return ethernet(src, dst, _ARP, body)


def unsolicited_na(mac: str, address: str) -> bytes:
    """An unsolicited neighbour advertisement with the override flag (RFC 4861, section 7.2.6)."""
    return _advertisement((mac, _ALL_NODES_MAC), (address, _ALL_NODES), 0x2000_0000)


def solicited_na(macs: tuple[str, str], ips: tuple[str, str]) -> bytes:
    """A neighbour advertisement to who asked for the source (RFC 4861, section 7.2.4); pairs are (from, to)."""
    return _advertisement(macs, ips, 0x6000_0000)


def _advertisement(macs: tuple[str, str], ips: tuple[str, str], flags: int) -> bytes:
    body = struct.pack("!BBHI", 136, 0, 0, flags) + ip_bytes(ips[0]) + struct.pack("!BB", 2, 1) + mac_bytes(macs[0])
    return _icmpv6(macs, ips, body, hops=255)


def solicitation(mac: str, source: str, target: str) -> bytes:
    """A neighbour solicitation to the target's solicited-node group (RFC 4861, section 4.3)."""
    tail = ip_bytes(target)[-3:]
    group = str(ip_address(bytes.fromhex("ff0200000000000000000001ff") + tail))
    body = struct.pack("!BBHI", 135, 0, 0, 0) + ip_bytes(target) + struct.pack("!BB", 1, 1) + mac_bytes(mac)
    return _icmpv6((mac, "33:33:ff:" + tail.hex(":")), (source, group), body, hops=255)


def echo(
    macs: tuple[str, str], ips: tuple[str, str], ident: int, seq: int, payload: bytes = bytes(56), *, request: bool
) -> bytes:
    """An echo request or reply of either IP version."""
    if ":" in ips[0]:
        return _icmpv6(macs, ips, struct.pack("!BBHHH", 128 if request else 129, 0, 0, ident, seq) + payload)
    return ip(macs, ips, _ICMP, _summed(struct.pack("!BBHHH", 8 if request else 0, 0, 0, ident, seq) + payload, 2))


def probe_payload(number: int, handed_ns: int) -> bytes:
    """What the probe writes into its requests."""
    return b"viplabpr" + struct.pack("!QQ", number, handed_ns)


def ping_payload(sent_ns: int) -> bytes:
    """What iputils' ping writes into its requests: its `struct timeval`, and a pattern up to 56 bytes."""
    return struct.pack("<QQ", sent_ns // SECOND_NS, sent_ns % SECOND_NS // 1000) + bytes(range(16, 56))


def udp(macs: tuple[str, str], ips: tuple[str, str], ports: tuple[int, int], payload: bytes) -> bytes:
    """A UDP datagram, without a checksum as IPv4 allows."""
    return ip(macs, ips, _UDP, struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload)


def tcp(macs: tuple[str, str], ips: tuple[str, str], payload: bytes) -> bytes:
    """A TCP segment that nobody here reads."""
    return ip(macs, ips, 6, struct.pack("!HHIIBBHHH", 22, 40000, 1, 1, 0x50, 0x18, 512, 0, 0) + payload)


def _icmpv6(macs: tuple[str, str], ips: tuple[str, str], body: bytes, hops: int = 64) -> bytes:
    pseudo = ip_bytes(ips[0]) + ip_bytes(ips[1]) + struct.pack("!II", len(body), _ICMPV6)
    return ip(macs, ips, _ICMPV6, _summed(body, 2, pseudo), ttl=hops)


# --- files ---


def pcap_bytes(frames: Iterable[tuple[int, bytes]], order: str = "<", *, nano: bool = True) -> bytes:
    """A classic capture file; frames are (time in ns, bytes) and are put in order of time."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, LARGEST, 1)]
    for time_ns, raw in sorted(frames, key=lambda frame: frame[0]):
        fraction = time_ns % SECOND_NS if nano else time_ns % SECOND_NS // 1000
        parts.append(struct.pack(order + "IIII", time_ns // SECOND_NS, fraction, len(raw), len(raw)) + raw)
    return b"".join(parts)


def pcapng_bytes(frames: Iterable[tuple[int, bytes]], order: str = "<", resolution: int | None = 9) -> bytes:
    """A pcapng file of one section and one interface; a resolution of None leaves the option out: microseconds.

    A resolution with its highest bit set is a power of two, as in the format.
    """
    digits = 6 if resolution is None else resolution & 0x7F
    ticks_per_s = 2**digits if (resolution or 0) & 0x80 else 10**digits
    option = b"" if resolution is None else struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    interface = struct.pack(order + "HHI", 1, 0, LARGEST) + option
    parts = [
        _block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
        _block(order, 1, interface),
        _block(order, 5, bytes(8)),
    ]
    for time_ns, raw in sorted(frames, key=lambda frame: frame[0]):
        ticks = time_ns * ticks_per_s // SECOND_NS
        header = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFF_FFFF, len(raw), len(raw))
        parts.append(_block(order, 6, header + raw + bytes(-len(raw) % 4)))
    return b"".join(parts)


def _block(order: str, kind: int, body: bytes) -> bytes:
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size
