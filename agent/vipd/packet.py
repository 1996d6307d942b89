"""VRRP version 2 on the wire (RFC 3768 section 5.3), and every reason to refuse a packet.

Every received octet is hostile: `decode` never raises, allocates no more than the packet holds, and trusts no length
but its own count of the octets.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |Version| Type  | Virtual Rtr ID|   Priority    | Count IP Addrs|
    |   Auth Type   |   Adver Int   |          Checksum             |
    |                       IP Address (1 .. n)                     |
    |                Authentication Data (8 octets)                 |
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple

VERSION = 2
PROTOCOL = 112  # RFC 3768 section 5.2.4
GROUP = "224.0.0.18"  # section 5.2.2
TTL = 255  # section 5.2.3
PRIORITY_OWNER = 255  # section 5.3.4
PRIORITY_STOP = 0
AUTH_NONE = 0

_HEADER = struct.Struct("!BBBBBBH")
_AUTH_LENGTH = 8
_IP_HEADER = struct.Struct("!BxH4xBx2x4s4x")  # first octet, total length, TTL, source


class Discard(Enum):
    """Why a packet was not listened to; each reason has a counter of this name."""

    NOT_IP = "no whole IPv4 header"
    TTL = "TTL is not 255"
    TOO_SHORT = "shorter than a VRRP header"
    VERSION = "not VRRP version 2"
    TYPE = "not an advertisement"
    LENGTH = "length is not that of its address count"
    CHECKSUM = "bad checksum"
    VRID = "no such virtual router on this interface"
    AUTH_TYPE = "authentication type is not the configured one"
    INTERVAL = "advertisement interval is not the configured one"
    ADDRESSES = "address list is not the configured one"
    OWNER = "this router owns the addresses"
    LOOPED = "sent by this router itself"


class Advert(NamedTuple):
    """One advertisement, version 2. The address list is kept as on the wire, four octets each."""

    vrid: int
    priority: int
    advert_int_s: int
    addresses: bytes


class Datagram(NamedTuple):
    """What a raw socket hands over, cut at the length that the IP header gives."""

    source: int
    ttl: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum of RFC 1071 over `data`; 0 over data that carries its own right checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))  # noqa: UP031 - cheaper than format() on the advert path
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def encode(advert: Advert) -> bytes:
    """The octets of an advertisement without authentication: its data is eight zero octets (section 5.3.10)."""
    count = len(advert.addresses) // 4
    tail = advert.addresses + bytes(_AUTH_LENGTH)
    fields = (VERSION << 4 | 1, advert.vrid, advert.priority, count, AUTH_NONE, advert.advert_int_s)
    return _HEADER.pack(*fields, checksum(_HEADER.pack(*fields, 0) + tail)) + tail


def decode(payload: bytes) -> Advert | Discard:
    """The advertisement in `payload`, or why there is none.

    The length is compared before the checksum, and exactly: a CARP packet shares protocol, group and first octet with
    VRRP version 2 and has a good checksum of its own; 36 octets where its count field asks for 44 give it away.
    """
    if len(payload) < _HEADER.size:
        return Discard.TOO_SHORT
    kind, vrid, priority, count, auth_type, advert_int_s, _ = _HEADER.unpack_from(payload)
    if kind >> 4 != VERSION:
        return Discard.VERSION
    if kind & 0xF != 1:
        return Discard.TYPE
    if len(payload) != _HEADER.size + 4 * count + _AUTH_LENGTH:
        return Discard.LENGTH
    if checksum(payload):
        return Discard.CHECKSUM
    if auth_type != AUTH_NONE:
        return Discard.AUTH_TYPE
    return Advert(vrid, priority, advert_int_s, payload[_HEADER.size : -_AUTH_LENGTH])


def open_datagram(frame: bytes) -> Datagram | Discard:
    """Take the IPv4 header off; Ethernet's padding beyond the IP total length is cut off with it."""
    if len(frame) < 20:
        return Discard.NOT_IP
    first, total, ttl, source = _IP_HEADER.unpack_from(frame)
    header = (first & 0xF) * 4
    if first >> 4 != 4 or header < 20 or not header <= total <= len(frame):
        return Discard.NOT_IP
    return Datagram(int.from_bytes(source, "big"), ttl, frame[header:total])
