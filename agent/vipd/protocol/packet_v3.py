"""VRRP version 3 on the wire (RFC 9568 section 5.2, and RFC 5798).

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |Version| Type  | Virtual Rtr ID|   Priority    |IPvX Addr Count|
    |Reserve| Max Advertise Interval|          Checksum             |
    |                       IPvX Address (1 .. n)                   |

Over IPv6 the checksum covers a pseudo-header. Over IPv4 it does so by RFC 5798 and does not by RFC 9568; the packets of
both are on today's networks, and nothing else in them tells which is meant. So both are read, and which one is sent is
configured.
"""

from __future__ import annotations

import struct

from vipd.protocol.checksum import checksum, pseudo_header, remainder
from vipd.protocol.packet import ADVERTISEMENT, GROUPS, PROTOCOL, Advert, ChecksumForm
from vipd.protocol.validation import Discard

VERSION = 3
CENTISECOND_NS = 10_000_000
LONGEST_CS = 4095

_HEADER = struct.Struct("!BBBBHH")
_SIZE = {4: 4, 6: 16}
_ONES = 0xFFFF


def encode(advert: Advert, family: int, source: int, destination: int) -> bytes:
    """The octets of an advertisement; its interval goes as centiseconds, rounded up (section 5.2.7).

    The checksum covers a pseudo-header of `source` and `destination` unless `advert.form` is `Form.MESSAGE`.
    """
    count = len(advert.addresses) // _SIZE[family]
    centiseconds = min(-(-advert.advert_int_ns // CENTISECOND_NS), LONGEST_CS)
    fields = (VERSION << 4 | ADVERTISEMENT, advert.vrid, advert.priority, count, centiseconds)
    plain = _HEADER.pack(*fields, 0) + advert.addresses
    pseudo = 0 if advert.form is ChecksumForm.MESSAGE else pseudo_header(source, destination, len(plain), PROTOCOL)
    return _HEADER.pack(*fields, checksum(plain, pseudo)) + advert.addresses


def decode(payload: bytes, family: int, source: int, destination: int) -> Advert | Discard:
    """The advertisement in `payload`, or why there is none.

    Args:
        payload: all that followed the IP header.
        family: 4 or 6, of the IP header and so of the addresses (section 5.2.9).
        source: address, for the pseudo-header.
        destination: the same.
    """
    if len(payload) < _HEADER.size:
        return Discard.TOO_SHORT
    kind, vrid, priority, count, interval, _ = _HEADER.unpack_from(payload)
    if kind >> 4 != VERSION:
        return Discard.VERSION
    if kind & 0xF != ADVERTISEMENT:
        return Discard.TYPE
    if len(payload) != _HEADER.size + _SIZE[family] * count:
        return Discard.LENGTH
    form = _form(payload, family, source, destination)
    if form is None:
        return Discard.CHECKSUM
    if count == 0:
        return Discard.NO_ADDRESS
    if interval & LONGEST_CS == 0:
        return Discard.NO_INTERVAL
    addresses = payload[_HEADER.size :]
    return Advert(VERSION, vrid, priority, (interval & LONGEST_CS) * CENTISECOND_NS, addresses, form=form)


def _form(payload: bytes, family: int, source: int, destination: int) -> ChecksumForm | None:
    """What the checksum covers, if it fits anything."""
    total = remainder(payload)
    if (total + pseudo_header(source, destination, len(payload), PROTOCOL)) % _ONES == 0:
        return ChecksumForm.PSEUDO_HEADER
    if family == 4 and total == 0:
        return ChecksumForm.MESSAGE
    if (total + pseudo_header(source, GROUPS[family], len(payload), PROTOCOL)) % _ONES == 0:
        return ChecksumForm.GROUP_HEADER  # here only if the destination is not the group
    return None
