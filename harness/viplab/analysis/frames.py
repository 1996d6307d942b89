"""Frames by what they mean: adverts, ARP, echo, markers.

Echo is read by `struct`, for there are many; adverts and ARP, a few a second, are read by scapy: per packet it takes
some 300 us and a `struct` walk half of one. Never import `scapy.contrib.carp`: it unbinds VRRP for the whole process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from scapy.layers.l2 import ARP
from scapy.layers.vrrp import VRRP

from viplab.analysis.pcap import Frame

BROADCAST = "ff:ff:ff:ff:ff:ff"
UNSPECIFIED = "0.0.0.0"

_ETHERNET = 14
_TYPE_IP, _TYPE_ARP = 0x0800, 0x0806
_ICMP, _UDP, _VRRP = 1, 17, 112
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
# RFC 3768, section 5.3: version 2, type 1, then 8 bytes of header, the addresses, 8 bytes of authentication data.
_ADVERT_V2 = 0x21


@dataclass(frozen=True, slots=True)
class Seen:
    """What every frame has: its number in the capture, its time, its length, and who sent it to whom."""

    no: int
    time_ns: int
    length: int
    src_mac: str
    dst_mac: str


@dataclass(frozen=True, slots=True)
class Advert(Seen):
    """A VRRPv2 advertisement."""

    src_ip: str
    dst_ip: str
    ttl: int
    virtual_router_id: int
    priority: int
    advert_int_s: float
    auth_type: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arp(Seen):
    """An ARP request or reply for IPv4 over Ethernet."""

    request: bool
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str

    @property
    def gratuitous(self) -> bool:
        """Announces the sender's own address (RFC 5227, section 3); a probe from 0.0.0.0 does not."""
        return self.sender_ip == self.target_ip != UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Echo(Seen):
    """An ICMP echo request or reply."""

    src_ip: str
    dst_ip: str
    request: bool
    ident: int
    seq: int


@dataclass(frozen=True, slots=True)
class Datagram(Seen):
    """A UDP datagram; on `mgmt` one whose payload holds a token is the marker that dates a fault."""

    src_ip: str
    dst_ip: str
    payload: bytes


Meaning = Advert | Arp | Echo | Datagram


def decode(frames: Iterable[Frame]) -> Iterator[Meaning]:
    """Give what each frame means; frames that mean nothing here, or are too short or damaged, are left out."""
    for frame in frames:
        meaning = _decode(frame)
        if meaning is not None:
            yield meaning


def _decode(frame: Frame) -> Meaning | None:
    raw = frame.raw
    if len(raw) < _ETHERNET:
        return None
    (ether_type,) = struct.unpack_from("!H", raw, 12)
    if ether_type == _TYPE_IP:
        return _ip(frame, raw)
    if ether_type == _TYPE_ARP:
        return _arp(frame, raw)
    return None


def _ip(frame: Frame, raw: bytes) -> Meaning | None:
    if len(raw) < _ETHERNET + 20 or raw[_ETHERNET] >> 4 != 4:
        return None
    header = (raw[_ETHERNET] & 0x0F) * 4
    total, fragment = struct.unpack_from("!H2xH", raw, _ETHERNET + 2)
    # Short frames are padded to 60 bytes on the wire: what counts ends where the IP header says.
    payload = raw[_ETHERNET + header : _ETHERNET + total]
    if header < 20 or fragment & 0x1FFF:
        return None
    protocol = raw[_ETHERNET + 9]
    if protocol == _ICMP:
        return _echo(frame, raw, payload)
    if protocol == _VRRP:
        return _advert(frame, raw, payload)
    if protocol == _UDP and len(payload) >= 8:
        return Datagram(*_seen(frame, raw), *_addresses(raw), payload=payload[8:])
    return None


def _echo(frame: Frame, raw: bytes, payload: bytes) -> Echo | None:
    if len(payload) < 8 or payload[0] not in (_ECHO_REQUEST, _ECHO_REPLY):
        return None
    ident, seq = struct.unpack_from("!HH", payload, 4)
    return Echo(*_seen(frame, raw), *_addresses(raw), request=payload[0] == _ECHO_REQUEST, ident=ident, seq=seq)


def _advert(frame: Frame, raw: bytes, payload: bytes) -> Advert | None:
    # CARP shares protocol number, group and first byte with VRRPv2. Its header has 36 bytes and a 7 where VRRP counts
    # its addresses (which would make 44): only the exact length tells them apart.
    if (
        len(payload) < 16
        or payload[0] != _ADVERT_V2
        or len(payload) != 16 + 4 * payload[3]
        or _ones_complement(payload)
    ):
        return None
    packet = VRRP(payload)
    return Advert(
        *_seen(frame, raw),
        *_addresses(raw),
        ttl=raw[_ETHERNET + 8],
        virtual_router_id=packet.vrid,
        priority=packet.priority,
        advert_int_s=float(packet.adv),
        auth_type=packet.authtype,
        addresses=tuple(packet.addrlist),
    )


def _arp(frame: Frame, raw: bytes) -> Arp | None:
    # Hardware type Ethernet, protocol IPv4, address lengths 6 and 4 (RFC 826).
    if len(raw) < _ETHERNET + 28 or raw[_ETHERNET : _ETHERNET + 6] != bytes.fromhex("000108000604"):
        return None
    packet = ARP(raw[_ETHERNET : _ETHERNET + 28])
    if packet.op not in (1, 2):
        return None
    return Arp(
        *_seen(frame, raw),
        request=packet.op == 1,
        sender_mac=packet.hwsrc,
        sender_ip=packet.psrc,
        target_mac=packet.hwdst,
        target_ip=packet.pdst,
    )


def _seen(frame: Frame, raw: bytes) -> tuple[int, int, int, str, str]:
    return frame.no, frame.time_ns, frame.length, raw[6:12].hex(":"), raw[:6].hex(":")


def _addresses(raw: bytes) -> tuple[str, str]:
    source, destination = raw[_ETHERNET + 12 : _ETHERNET + 16], raw[_ETHERNET + 16 : _ETHERNET + 20]
    return str(IPv4Address(source)), str(IPv4Address(destination))


def _ones_complement(data: bytes) -> int:
    """The Internet checksum over data that contains its own checksum: 0 where it is right (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
