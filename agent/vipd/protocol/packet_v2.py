"""VRRP version 2 on the wire (RFC 3768 section 5.3).

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

from vipd.config.behaviour import SECOND_NS
from vipd.protocol.checksum import checksum, remainder
from vipd.protocol.packet import ADVERTISEMENT, Advert
from vipd.protocol.validation import Discard

VERSION = 2
LONGEST_S = 255

_HEADER = struct.Struct("!BBBBBBH")
_AUTH_LENGTH = 8
_CARP_LENGTH, _CARP_COUNT = 36, 7


def encode(advert: Advert) -> bytes:
    """The octets of an advertisement; its interval goes as whole seconds, rounded up (section 5.3.7)."""
    count = len(advert.addresses) // 4
    tail = advert.addresses + advert.auth_data
    seconds = min(-(-advert.advert_int_ns // SECOND_NS), LONGEST_S)
    fields = (VERSION << 4 | ADVERTISEMENT, advert.vrid, advert.priority, count, advert.auth_type, seconds)
    return _HEADER.pack(*fields, checksum(_HEADER.pack(*fields, 0) + tail)) + tail


def decode(payload: bytes) -> Advert | Discard:
    """The advertisement in `payload`, or why there is none.

    The length is compared before the checksum, and exactly: a CARP packet shares protocol, group and first octet with
    VRRP version 2 and has a good checksum of its own; 36 octets where its count field asks for 44 give it away.
    """
    if len(payload) < _HEADER.size:
        return Discard.TOO_SHORT
    kind, vrid, priority, count, auth_type, seconds, _ = _HEADER.unpack_from(payload)
    if kind >> 4 != VERSION:
        return Discard.VERSION
    if kind & 0xF != ADVERTISEMENT:
        return Discard.TYPE
    if len(payload) != _HEADER.size + 4 * count + _AUTH_LENGTH:
        return Discard.CARP if (len(payload), count) == (_CARP_LENGTH, _CARP_COUNT) else Discard.LENGTH
    if remainder(payload):
        return Discard.CHECKSUM
    addresses, auth_data = payload[_HEADER.size : -_AUTH_LENGTH], payload[-_AUTH_LENGTH:]
    return Advert(VERSION, vrid, priority, seconds * SECOND_NS, addresses, auth_type, auth_data)
