"""The IP authentication header that VRRP version 2 could have (RFC 2338 section 5.3.6.3), as keepalived builds it.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    |  Next (112)   |  Length (4)   |           Reserved            |
    |             SPI: the sender's IPv4 address                    |
    |                      Sequence number                          |
    |        HMAC-MD5-96 (12 octets, RFC 2403)                      |

The digest covers the IPv4 header with what routers may change set to zero, this header with a digest of zero, and the
VRRP packet. keepalived leaves the TTL in it for multicast, which no router forwards, and takes it out for unicast.
There is one sequence number for all who share the virtual router: a packet has to be newer than any before it,
whoever sent that. A new master therefore goes on from the last number that it received.
"""

from __future__ import annotations

import hmac
import struct

from vipd.protocol.packet import PROTOCOL, PROTOCOL_AH, ipv4_header
from vipd.protocol.validation import Discard

LENGTH = 24
LAST = 0xFFFF_FFFD  # past it the numbers are spent

_HEADER = struct.Struct("!BBHIL12s")
_WORDS = 4  # its length in 32-bit words, less two
_DIGEST = 12
_KEY = 8
_MULTICAST = 0xE


class AuthenticationHeader:
    """Seals and opens the packets of one virtual router.

    Attributes:
        sequence: the highest number seen or sent.
    """

    def __init__(self, password: bytes, tos: int, ttl: int) -> None:
        self.sequence = 0
        self._tos = tos
        self._ttl = ttl
        self._keyed = hmac.new(password[:_KEY].ljust(_KEY, b"\0"), digestmod="md5")

    @property
    def spent(self) -> bool:
        """No number is left."""
        return self.sequence > LAST

    def seal(self, message: bytes, source: int, destination: int) -> bytes:
        """The whole datagram, IPv4 header included, with the next sequence number."""
        self.sequence += 1
        number = self.sequence & 0xFFFF or 1  # a number of 0 the kernel would replace
        length = LENGTH + len(message)
        ip = ipv4_header(source, destination, length, PROTOCOL_AH, self._tos, self._ttl, number)
        fields = (PROTOCOL, _WORDS, 0, source, self.sequence)
        digest = self._digest(ip, _HEADER.pack(*fields, bytes(_DIGEST)) + message)
        return ip + _HEADER.pack(*fields, digest) + message

    def open(self, ip: bytes, payload: bytes) -> bytes | Discard:
        """The VRRP packet in `payload`, once its digest, sender and number are right, in this order."""
        if len(payload) < LENGTH or len(ip) < 20:
            return Discard.AH_FORM
        following, words, _, spi, sequence, digest = _HEADER.unpack_from(payload)
        if (following, words) != (PROTOCOL, _WORDS):
            return Discard.AH_FORM
        message = payload[LENGTH:]
        zeroed = payload[: LENGTH - _DIGEST] + bytes(_DIGEST) + message
        if not hmac.compare_digest(digest, self._digest(ip, zeroed)):
            return Discard.AH_DIGEST
        if spi != int.from_bytes(ip[12:16], "big"):
            return Discard.AH_SPI
        if sequence <= self.sequence:
            return Discard.AH_REPLAY
        self.sequence = sequence
        return message

    def _digest(self, ip: bytes, rest: bytes) -> bytes:
        ttl = ip[8:9] if ip[16] >> 4 == _MULTICAST else b"\0"
        keyed = self._keyed.copy()
        keyed.update(ip[:1] + b"\0" + ip[2:6] + b"\0\0" + ttl + ip[9:10] + b"\0\0" + ip[12:] + rest)
        return keyed.digest()[:_DIGEST]
