"""Adverts as data, independent of their version, and the IP headers around them.

Every received octet is hostile: nothing here raises, allocates more than the packet holds, or trusts a length that
it has not counted itself.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple

from vipd.protocol.validation import Discard

PROTOCOL = 112  # RFC 3768 section 5.2.4, RFC 9568 section 5.1.1.4
PROTOCOL_AH = 51
GROUP = "224.0.0.18"  # RFC 3768 section 5.2.2
GROUP6 = "ff02::12"  # RFC 9568 section 5.1.2.2
GROUPS = {4: 0xE0000012, 6: 0xFF02 << 112 | 0x12}
TTL = 255  # RFC 3768 section 5.2.3, RFC 9568 sections 5.1.1.3 and 5.1.2.3
ADVERTISEMENT = 1
PRIORITY_OWNER = 255  # RFC 3768 section 5.3.4, RFC 9568 section 5.2.4
PRIORITY_STOP = 0

NO_AUTH = bytes(8)
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_DONT_FRAGMENT = 0x4000


class ChecksumForm(Enum):
    """What a checksum covers."""

    __hash__ = object.__hash__

    MESSAGE = "message only"  # version 2, and version 3 over IPv4 by RFC 9568 section 5.2.8
    PSEUDO_HEADER = "with pseudo-header"  # RFC 5798 section 5.2.8; over IPv6 by RFC 9568, too
    GROUP_HEADER = "with the pseudo-header of a multicast"  # unicast by keepalived before 2.1


class Advert(NamedTuple):
    """One advertisement. The address list is kept as on the wire, 4 or 16 octets each.

    `auth_type` and `auth_data` are of version 2; `form` is what the received checksum covers.
    """

    version: int
    vrid: int
    priority: int
    advert_int_ns: int
    addresses: bytes
    auth_type: int = 0
    auth_data: bytes = NO_AUTH
    form: ChecksumForm = ChecksumForm.MESSAGE


class Origin(NamedTuple):
    """The address that an advert came from, formatted when read."""

    address: int
    family: int

    def __str__(self) -> str:
        """Format the address."""
        if self.family == 4:
            return ".".join(str(octet) for octet in self.address.to_bytes(4, "big"))
        from ipaddress import IPv6Address  # not before it is needed: it takes 4 ms to import

        return str(IPv6Address(self.address))


class Datagram(NamedTuple):
    """A datagram from a raw IPv4 socket, cut at the length that its IP header gives."""

    source: int
    destination: int
    ttl: int
    header: bytes
    payload: bytes


def ipv4_header(source: int, destination: int, length: int, protocol: int, tos: int, ttl: int, number: int) -> bytes:
    """The header of a datagram with `length` octets in it; the kernel fills in the checksum, and a `number` of 0."""
    return _IPV4.pack(
        0x45,
        tos,
        20 + length,
        number,
        _DONT_FRAGMENT,
        ttl,
        protocol,
        0,
        source.to_bytes(4, "big"),
        destination.to_bytes(4, "big"),
    )


def ipv6_header(source: int, destination: int, length: int, traffic_class: int, hop_limit: int) -> bytes:
    """The header of a VRRP datagram over IPv6."""
    addresses = source.to_bytes(16, "big"), destination.to_bytes(16, "big")
    return _IPV6.pack(6 << 28 | traffic_class << 20, length, PROTOCOL, hop_limit, *addresses)


def is_unicast(address: int, family: int) -> bool:
    """Whether an address is that of one host: neither a group nor IPv4's broadcast address."""
    return address >> 28 < 0xE if family == 4 else address >> 120 != 0xFF


def open_datagram(frame: bytes) -> Datagram | Discard:
    """Take the IPv4 header off; Ethernet's padding beyond the IP total length is cut off with it."""
    if len(frame) < 20:
        return Discard.NOT_IP
    first, _, total, _, _, ttl, _, _, source, destination = _IPV4.unpack_from(frame)
    header = (first & 0xF) * 4
    if first >> 4 != 4 or header < 20 or not header <= total <= len(frame):
        return Discard.NOT_IP
    return Datagram(
        int.from_bytes(source, "big"), int.from_bytes(destination, "big"), ttl, frame[:header], frame[header:total]
    )


def addresses_of(octets: bytes, family: int) -> list[bytes]:
    """Split an address list as on the wire into addresses."""
    size = 4 if family == 4 else 16
    return [octets[at : at + size] for at in range(0, len(octets), size)]
