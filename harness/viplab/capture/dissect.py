"""Frames by what they mean.

Which frames are worth a look is decided for a whole batch at once; those are then read by `struct`. A frame with VLAN
tags means what it means without them, and keeps the numbers of its VLANs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

import numpy as np

from viplab.address_family import link_address
from viplab.capture.frames import Advert, Arp, Carp, Datagram, Echo, Meaning, Neighbour
from viplab.capture.index import Batch, Column, Frame

_ARP = struct.Struct("!H6s4s6s4s")
PROBE_MAGIC = b"viplabpr"
_DAY_NS = 86_400_000_000_000

_ETHERNET, _IPV6 = 14, 40
_TYPE_IP, _TYPE_ARP, _TYPE_IPV6 = 0x0800, 0x0806, 0x86DD
# Customer and service tag (IEEE 802.1Q, clause 9.5; the latter came with 802.1ad); the lower twelve bits are the VLAN.
_TAGS, _TAG, _VLAN = (0x8100, 0x88A8), 4, 0x0FFF
_ICMP, _UDP, _AH, _ICMPV6, _VRRP = 1, 17, 51, 58, 112
_ECHO = {_ICMP: {8: True, 0: False}, _ICMPV6: {128: True, 129: False}}
_SOLICITATION, _ADVERTISEMENT = 135, 136
# RFC 3768, section 5.3: version 2, type 1; RFC 9568, section 5.2: version 3, type 1.
_ADVERT_V2, _ADVERT_V3 = 0x21, 0x31
# Version 2 ends with eight octets of authentication data; version 3 has four reserved bits before its interval.
_AUTH_DATA, _INTERVAL_V3 = 8, 0x0FFF
_CARP_LENGTH, _CARP_AUTH_WORDS = 36, 7
_SOLICITED, _OVERRIDE = 0x40, 0x20
# Of what is not listed here nothing is read.
_WANTED = np.zeros(256, bool)
_WANTED[[_ICMP, _UDP, _AH, _ICMPV6, _VRRP]] = True


class _Packet(NamedTuple):
    """An IP packet without its header; `ends` are its two addresses as they stand in there."""

    src: str
    dst: str
    ttl: int
    protocol: int
    payload: bytes
    ends: bytes

    @property
    def pseudo(self) -> bytes:
        """What version 3 of VRRP and ICMPv6 put before the payload in a checksum (RFC 9568, 5.2.8; RFC 8200, 8.1)."""
        length = len(self.payload)
        if len(self.ends) == 8:
            return self.ends + struct.pack("!BBH", 0, self.protocol, length)
        return self.ends + struct.pack("!II", length, self.protocol)


def meanings(batch: Batch) -> Iterator[Meaning]:
    """Give what each frame of a batch means, as `decode` does, without a look at those that can mean nothing."""
    yield from decode(batch.frames(_worth_a_look(batch)))


def decode(frames: Iterable[Frame]) -> Iterator[Meaning]:
    """Give what each frame means; frames that mean nothing here, or are too short or damaged, are left out."""
    for frame in frames:
        meaning = _decode(frame)
        if meaning is not None:
            yield meaning


def _worth_a_look(batch: Batch) -> Column:
    octets = np.frombuffer(batch.data, np.uint8)
    # A frame without these bytes is looked up beyond its end, within the data, and then left out by its length.
    last = max(0, len(octets) - 1)

    def octet(offset: int) -> Column:
        return octets[np.minimum(batch.start + offset, last)].astype(np.int64)

    kind = octet(12) << 8 | octet(13)
    ip = (kind == _TYPE_IP) & _WANTED[octet(_ETHERNET + 9)]
    ipv6 = (kind == _TYPE_IPV6) & _WANTED[octet(_ETHERNET + 6)]
    other = (kind == _TYPE_ARP) | np.isin(kind, _TAGS)
    return np.flatnonzero((batch.kept >= _ETHERNET + 20) & (ip | ipv6 | other))


def _decode(frame: Frame) -> Meaning | None:
    raw = frame.raw
    if len(raw) < _ETHERNET + 20:
        return None
    (kind,) = struct.unpack_from("!H", raw, 12)
    if kind not in _TAGS:
        return _untagged(frame, kind)
    tags, at = [], 12
    while kind in _TAGS and at + 2 * _TAG <= len(raw):
        tag, kind = struct.unpack_from("!HH", raw, at + 2)
        tags.append(tag & _VLAN)
        at += _TAG
    meaning = _untagged(frame._replace(raw=raw[:12] + raw[at:]), kind)
    # A tag with the number 0 gives a priority and no VLAN.
    return replace(meaning, vlans=tuple(filter(None, tags))) if meaning is not None else None


def _untagged(frame: Frame, kind: int) -> Meaning | None:
    raw = frame.raw
    if len(raw) < _ETHERNET + 20:
        return None
    if kind == _TYPE_ARP:
        return _arp(frame)
    packet = _ip(raw) if kind == _TYPE_IP else _ipv6(raw) if kind == _TYPE_IPV6 else None
    if packet is None:
        return None
    if packet.protocol in _ECHO:
        return _echo(frame, packet) or _neighbour(frame, packet)
    if packet.protocol == _UDP:
        return _datagram(frame, packet)
    if packet.protocol == _AH:
        return _authenticated(frame, packet)
    return _advert(frame, packet) or _carp(frame, packet) if packet.protocol == _VRRP else None


def _ip(raw: bytes) -> _Packet | None:
    version, total, fragment, ttl, protocol, src, dst = struct.unpack_from("!BxH2xHBB2x4s4s", raw, _ETHERNET)
    header = (version & 0x0F) * 4
    if version >> 4 != 4 or header < 20 or fragment & 0x1FFF:
        return None
    # Short frames are padded to 60 bytes on the wire: what counts ends where the IP header says.
    payload = raw[_ETHERNET + header : _ETHERNET + total]
    return _Packet(_address(src), _address(dst), ttl, protocol, payload, raw[_ETHERNET + 12 : _ETHERNET + 20])


def _ipv6(raw: bytes) -> _Packet | None:
    if len(raw) < _ETHERNET + _IPV6 or raw[_ETHERNET] >> 4 != 6:
        return None
    length, protocol, hops, src, dst = struct.unpack_from("!HBB16s16s", raw, _ETHERNET + 4)
    payload = raw[_ETHERNET + _IPV6 : _ETHERNET + _IPV6 + length]
    return _Packet(_address(src), _address(dst), hops, protocol, payload, src + dst)


def _echo(frame: Frame, packet: _Packet) -> Echo | None:
    payload = packet.payload
    if len(payload) < 8 or payload[0] not in _ECHO[packet.protocol]:
        return None
    ident, seq = struct.unpack_from("!HH", payload, 4)
    request = _ECHO[packet.protocol][payload[0]]
    number, handed_ns = _stamp(payload[8:32])
    if number is None:
        handed_ns = _timeval(payload[8:24], frame.time_ns)
    return Echo(*_seen(frame), packet.src, packet.dst, request, ident, seq, number, handed_ns)


def _datagram(frame: Frame, packet: _Packet) -> Echo | Datagram | None:
    if len(packet.payload) < 8:
        return None
    from_port, to_port = struct.unpack_from("!HH", packet.payload)
    number, handed_ns = _stamp(packet.payload[8:32])
    if number is None:
        return Datagram(*_seen(frame), packet.src, packet.dst, payload=packet.payload[8:])
    # The responder has the lower port, the prober one of those that the kernel hands out.
    ports, request = (from_port, to_port), to_port < from_port
    whom = (packet.src, packet.dst)
    return Echo(*_seen(frame), *whom, request, max(ports), number & 0xFFFF, number, handed_ns, via="udp")


def _stamp(payload: bytes) -> tuple[int, int] | tuple[None, None]:
    if len(payload) < 24 or not payload.startswith(PROBE_MAGIC):
        return None, None
    number, handed_ns = struct.unpack_from("!QQ", payload, 8)
    return number, handed_ns


def _timeval(payload: bytes, near_ns: int) -> int | None:
    """When iputils' ping says that it sent a request: seconds and microseconds as its own processor has them.

    They are taken for that where they are within a day of the capture.
    """
    if len(payload) < 16:
        return None
    for order in "<>":
        seconds, microseconds = struct.unpack(order + "QQ", payload)
        sent_ns = seconds * 1_000_000_000 + microseconds * 1000
        if microseconds < 1_000_000 and abs(sent_ns - near_ns) < _DAY_NS:
            return int(sent_ns)
    return None


def _authenticated(frame: Frame, packet: _Packet) -> Advert | None:
    """VRRP behind an authentication header (RFC 2402, section 2: its length counts words, less two)."""
    payload = packet.payload
    if len(payload) < 12 or payload[0] != _VRRP:
        return None
    return _advert(frame, packet._replace(payload=payload[(payload[1] + 2) * 4 :]))


def _advert(frame: Frame, packet: _Packet) -> Advert | None:
    payload = packet.payload
    if len(payload) < 8:
        return None
    width = len(packet.ends) // 2
    if payload[0] == _ADVERT_V2 and width == 4:
        # CARP shares protocol number, group and first byte with VRRPv2. Its header has 36 bytes and a 7 where VRRP
        # counts its addresses (which would make 44): only the exact length tells them apart.
        if len(payload) != 16 + 4 * payload[3] or _sum(payload):
            return None
        auth_type, interval_s, end = payload[4], float(payload[5]), len(payload) - _AUTH_DATA
    elif payload[0] == _ADVERT_V3:
        # RFC 5798 puts a pseudo-header into the checksum for IPv4 too; some leave it out, and both are read.
        sums = (packet.pseudo + payload, payload) if width == 4 else (packet.pseudo + payload,)
        if len(payload) != 8 + width * payload[3] or all(map(_sum, sums)):
            return None
        interval = int.from_bytes(payload[4:6]) & _INTERVAL_V3
        auth_type, interval_s, end = 0, interval / 100, len(payload)
    else:
        return None
    return Advert(
        *_seen(frame),
        packet.src,
        packet.dst,
        ttl=packet.ttl,
        version=2 if payload[0] == _ADVERT_V2 else 3,
        virtual_router_id=payload[1],
        priority=payload[2],
        advert_int_s=interval_s,
        auth_type=auth_type,
        addresses=tuple(_address(payload[at : at + width]) for at in range(8, end, width)),
    )


def _carp(frame: Frame, packet: _Packet) -> Carp | None:
    """ucarp's and BSD's header: version and type, host id, skew, 7 words of authentication, a spare byte, base."""
    payload = packet.payload
    if len(payload) != _CARP_LENGTH or payload[0] != _ADVERT_V2 or payload[3] != _CARP_AUTH_WORDS:
        return None
    skew, base_s = payload[2], payload[5]
    return Carp(*_seen(frame), packet.src, packet.dst, virtual_host_id=payload[1], advskew=skew, advbase_s=base_s)


def _arp(frame: Frame) -> Arp | None:
    raw = frame.raw
    # Hardware type Ethernet, protocol IPv4, address lengths 6 and 4 (RFC 826).
    if len(raw) < _ETHERNET + 28 or raw[_ETHERNET : _ETHERNET + 6] != bytes.fromhex("000108000604"):
        return None
    operation, sender_mac, sender_ip, target_mac, target_ip = _ARP.unpack_from(raw, _ETHERNET + 6)
    if operation not in (1, 2):
        return None
    return Arp(
        *_seen(frame),
        request=operation == 1,
        sender_mac=_mac(sender_mac),
        sender_ip=_address(sender_ip),
        target_mac=_mac(target_mac),
        target_ip=_address(target_ip),
    )


def _neighbour(frame: Frame, packet: _Packet) -> Neighbour | None:
    payload = packet.payload
    known = len(payload) >= 24 and payload[0] in (_SOLICITATION, _ADVERTISEMENT)
    if not known or packet.protocol != _ICMPV6 or _sum(packet.pseudo + payload):
        return None
    request = payload[0] == _SOLICITATION
    solicited = request or bool(payload[4] & _SOLICITED)
    whom = (packet.src, packet.dst)
    return Neighbour(
        *_seen(frame),
        request,
        *whom,
        target_ip=_address(payload[8:24]),
        solicited=solicited,
        override=not request and bool(payload[4] & _OVERRIDE),
        link_address=link_address(payload),
    )


def _seen(frame: Frame) -> tuple[int, int, int, str, str]:
    return frame.no, frame.time_ns, frame.length, _mac(frame.raw[6:12]), _mac(frame.raw[:6])


# A trial has a handful of addresses and a hundred thousand frames.
@lru_cache(maxsize=4096)
def _mac(octets: bytes) -> str:
    return octets.hex(":")


@lru_cache(maxsize=4096)
def _address(octets: bytes) -> str:
    return str(ip_address(octets))


def _sum(data: bytes) -> int:
    """The Internet checksum over data that contains its own checksum: 0 where it is right (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
