"""Captures as tcpdump writes them (classic pcap), read into integer nanoseconds and raw bytes; nothing is dissected.

Format: draft-ietf-opsawg-pcap, section 4 (file header) and 5 (packet record).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from viplab.errors import InputError

# First four bytes -> byte order of the file and nanoseconds per unit of the second time field.
_MAGIC = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}
_PCAPNG = bytes.fromhex("0a0d0d0a")
_ETHERNET = 1
_FILE_HEADER = 24
_RECORD_HEADER = 16
# libpcap's own limit on the bytes of one packet; a larger figure means that the file is damaged.
_LARGEST = 262_144


class Frame(NamedTuple):
    """One captured frame; `no` counts from 1 as Wireshark does, `length` is what it had on the wire."""

    no: int
    time_ns: int
    length: int
    raw: bytes


class Pcap:
    """A capture file; iterate over it for its frames.

    `cut` is known once the last frame has been read: the file ends within a record, as it does when tcpdump was killed.
    All whole records before that are good.
    """

    def __init__(self, path: Path) -> None:
        """Check the header.

        Raises:
            InputError: the file is missing, empty, of another format, or not of an Ethernet.
        """
        self.path = path
        self.cut = False
        try:
            self._data = path.read_bytes()
        except FileNotFoundError:
            raise InputError(f"{path}: missing; this network was not captured") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        magic = self._data[:4]
        if magic == _PCAPNG:
            raise InputError(f"{path}: is pcapng; convert it with `editcap -F nsecpcap`")
        if magic not in _MAGIC or len(self._data) < _FILE_HEADER:
            raise InputError(
                f"{path}: is not a pcap file ({len(self._data)} bytes, first four: {magic.hex() or 'none'})"
            )
        self._order, self._unit_ns = _MAGIC[magic]
        (link_type,) = struct.unpack_from(self._order + "I", self._data, 20)
        # The upper bits say whether a frame check sequence is kept; only the lower 16 are the type.
        if link_type & 0xFFFF != _ETHERNET:
            raise InputError(f"{path}: link type {link_type & 0xFFFF}, need 1 (Ethernet); capture on a bridge or a tap")

    def __iter__(self) -> Iterator[Frame]:
        """The frames in the order of the file.

        Raises:
            InputError: a record header makes no sense; the frames before it have been given.
        """
        header = struct.Struct(self._order + "IIII")
        data, unit_ns, end = self._data, self._unit_ns, len(self._data)
        at, no = _FILE_HEADER, 0
        while at + _RECORD_HEADER <= end:
            seconds, fraction, kept, length = header.unpack_from(data, at)
            no += 1
            if kept > _LARGEST or fraction * unit_ns >= 1_000_000_000:
                raise InputError(f"{self.path}: record {no} at byte {at} is damaged (kept {kept}, fraction {fraction})")
            start = at + _RECORD_HEADER
            at = start + kept
            if at > end:
                self.cut = True
                return
            yield Frame(no, seconds * 1_000_000_000 + fraction * unit_ns, length, data[start:at])
        self.cut = at != end
