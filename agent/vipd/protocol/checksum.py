"""The Internet checksum (RFC 1071), and the pseudo-headers that VRRP version 3 puts under it."""

from __future__ import annotations

_ONES = 0xFFFF


def remainder(data: bytes) -> int:
    """The ones' complement sum of the 16-bit words of `data`, 0 standing for 0xFFFF, too.

    2**16 is 1 modulo 0xFFFF, so the sum of the words is the whole number's remainder: one division in C.
    """
    if len(data) % 2:
        data += b"\0"
    return int.from_bytes(data, "big") % _ONES


def checksum(data: bytes, pseudo: int = 0) -> int:
    """What the checksum field has to be over `data` with a field of zero, and over a pseudo-header of that remainder.

    Over data that carries its own right checksum this is 0, unless there is nothing but zero octets.
    """
    if not pseudo and not any(data):
        return _ONES
    return _ONES - ((remainder(data) + pseudo) % _ONES or _ONES)


def pseudo_header(source: int, destination: int, length: int, protocol: int) -> int:
    """The remainder of a pseudo-header, IPv4 or IPv6 (RFC 8200 section 8.1): leading zero words add nothing."""
    return (source + destination + length + protocol) % _ONES
