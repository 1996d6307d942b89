"""Frames as lines that can be compared, and a daemon's own advert as another router would send it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import NamedTuple

IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
_VRRP, _AH, _ICMPV6, _NEIGHBOUR_ADVERTISEMENT = 112, 51, 58, 136
_ETHERNET = 14
_AUTH = {0: "none", 1: "pass", 2: "ah"}


class Advert(NamedTuple):
    """A VRRP advertisement on a wire; `frame` is all of it."""

    interface: str
    version: int
    vrid: int
    priority: int
    interval_s: float
    source: str
    target: str
    ttl: int
    auth: str
    addresses: tuple[str, ...]
    frame: bytes

    def line(self, names: Mapping[str, str]) -> str:
        """All that is compared, with MAC addresses by the name of whose they are."""
        fields = f"v{self.version} vrid {self.vrid} prio {self.priority} int {self.interval_s:g} auth {self.auth}"
        whom = f"{self.source} > {self.target} ttl {self.ttl} from {_named(self.frame[6:12], names)}"
        return f"{self.interface} {whom} {fields} [{' '.join(self.addresses)}]"


class Announcement(NamedTuple):
    """A gratuitous ARP or an unsolicited neighbour advertisement."""

    interface: str
    address: str
    kind: str
    frame: bytes

    def line(self, names: Mapping[str, str]) -> str:
        """All that is compared, with MAC addresses by the name of whose they are."""
        whom = f"from {_named(self.frame[6:12], names)} to {_named(self.frame[:6], names)}"
        return f"{self.interface} {self.kind} {self.address} {whom}"


def read(interface: str, frame: bytes) -> Advert | Announcement | None:
    """The advert or announcement that a frame is, if it is one."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    body = frame[_ETHERNET:]
    if kind == ARP:
        return _arp(interface, body, frame)
    if kind == IPV4 and len(body) >= 20:
        header, length = (body[0] & 15) * 4, int.from_bytes(body[2:4], "big")
        source, target = (socket.inet_ntop(socket.AF_INET, body[at : at + 4]) for at in (12, 16))
        return _advert(interface, body[9], body[header:length], source, target, body[8], frame)
    if kind == IPV6 and len(body) >= 40:
        source, target = (socket.inet_ntop(socket.AF_INET6, body[at : at + 16]) for at in (8, 24))
        payload = body[40 : 40 + int.from_bytes(body[4:6], "big")]
        if body[6] == _ICMPV6 and payload[:1] == bytes([_NEIGHBOUR_ADVERTISEMENT]):
            return _neighbour(interface, payload, frame)
        return _advert(interface, body[6], payload, source, target, body[7], frame)
    return None


def _arp(interface: str, body: bytes, frame: bytes) -> Announcement | None:
    sender, target = body[14:18], body[24:28]
    if sender != target or sender == bytes(4):
        return None
    kind = "request" if body[7] == 1 else "reply"
    return Announcement(interface, socket.inet_ntop(socket.AF_INET, sender), f"gratuitous ARP {kind}", frame)


def _neighbour(interface: str, payload: bytes, frame: bytes) -> Announcement | None:
    router, solicited, override = (payload[4] >> bit & 1 for bit in (7, 6, 5))
    if solicited:
        return None
    address = socket.inet_ntop(socket.AF_INET6, payload[8:24])
    return Announcement(interface, address, f"unsolicited NA R={router} O={override}", frame)


def _advert(
    interface: str, protocol: int, payload: bytes, source: str, target: str, ttl: int, frame: bytes
) -> Advert | None:
    auth = None
    if protocol == _AH:
        protocol, payload, auth = payload[0], payload[(payload[1] + 2) * 4 :], "ah"
    if protocol != _VRRP or len(payload) < 8:
        return None
    version, vrid, priority, count = payload[0] >> 4, payload[1], payload[2], payload[3]
    family, size = (socket.AF_INET6, 16) if ":" in source else (socket.AF_INET, 4)
    ends = [8 + size * number for number in range(count + 1)]
    addresses = tuple(
        socket.inet_ntop(family, payload[at : at + size]) for at in ends[:-1] if len(payload) >= at + size
    )
    if version == 2:
        interval_s = float(payload[5])
        auth = auth or _AUTH.get(payload[4], str(payload[4]))
        if auth == "pass":
            auth += f" {payload[ends[-1] : ends[-1] + 8].rstrip(bytes(1)).decode(errors='replace')}"
    else:
        interval_s, auth = (int.from_bytes(payload[4:6], "big") & 0xFFF) / 100, "none"
    return Advert(
        interface, version, vrid, priority, interval_s, source, target, ttl, auth, addresses, frame
    )  # fmt: skip


def spoken_by(advert: Advert, priority: int, source: str, source_mac: bytes, target_mac: bytes | None) -> bytes:
    """The frame of an advert as another router of this priority would send it.

    Args:
        advert: what the daemon has sent itself.
        priority: the other router's.
        source: its IP address.
        source_mac: its MAC address.
        target_mac: that of the daemon's interface, for an advert to one peer; None for the group's.
    """
    body = bytearray(advert.frame[_ETHERNET:])
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    own, other = (socket.inet_pton(family, one) for one in (advert.source, source))
    if family == socket.AF_INET:
        start = (body[0] & 15) * 4
        target = bytes(body[16:20]) if target_mac is None else own
        body[12:20] = other + target
        body[10:12] = bytes(2)
        body[10:12] = _checksum(bytes(body[:start]))
        end = int.from_bytes(body[2:4], "big")
    else:
        start, target = 40, bytes(body[24:40]) if target_mac is None else own
        body[8:40] = other + target
        end = 40 + int.from_bytes(body[4:6], "big")
    pseudo = b""
    if advert.version == 3:
        pseudo = other + target + (struct.pack("!BBH", 0, _VRRP, end - start) if family == socket.AF_INET else b"")
        pseudo += struct.pack("!IHBB", end - start, 0, 0, _VRRP) if family == socket.AF_INET6 else b""
    body[start + 2] = priority
    body[start + 6 : start + 8] = bytes(2)
    # The password of version 2 is not covered (RFC 2338 section 5.3.8 covers all; keepalived and RFC 3768 take both).
    body[start + 6 : start + 8] = _checksum(pseudo + bytes(body[start:end]))
    return (target_mac or advert.frame[:6]) + source_mac + advert.frame[12:14] + bytes(body)


def _checksum(data: bytes) -> bytes:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")


def _named(mac: bytes, names: Mapping[str, str]) -> str:
    text = mac.hex(":")
    return names.get(text, text)
