"""Captures, classic pcap and pcapng, indexed in integer nanoseconds by the megabyte; nothing is dissected.

Format: draft-ietf-opsawg-pcap, sections 4 (file header) and 5 (packet record); for the other one see `pcapng`. A record
says how long it is, so that finding them is a walk; all else is done for thousands of them at once. No more of the file
is in memory than the stretch that is being read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from viplab.capture.index import ETHERNET, LARGEST, SECOND_NS, Batch, Frame, Order, fields
from viplab.capture.pcapng import MAGIC as PCAPNG
from viplab.capture.pcapng import Blocks
from viplab.errors import InputError
from viplab.regular_files import open_regular

# First four bytes -> byte order of the file and nanoseconds per unit of the second time field.
_MAGIC: dict[bytes, tuple[Order, int]] = {
    bytes.fromhex("a1b2c3d4"): (">", 1000),
    bytes.fromhex("d4c3b2a1"): ("<", 1000),
    bytes.fromhex("a1b23c4d"): (">", 1),
    bytes.fromhex("4d3cb2a1"): ("<", 1),
}
LARGEST_FILE = 512 << 20
"""Octets; a probe at 2 kHz gives some 200 MB in eight minutes."""
_FILE_HEADER = 24
_RECORD_HEADER = 16
_STRETCH = 1 << 20


class Walker(Protocol):
    """Knows one file format."""

    def walk(self, data: bytes, path: Path, first_no: int) -> tuple[Batch, int, str | None]:
        """Index the whole records at the beginning of these bytes.

        Returns:
            what was found, how many bytes it took, and what is wrong with the record after it, None if nothing is.
        """
        ...


class Pcap:
    """A capture file; iterate over it for its frames, or take it in batches.

    `cut` is known once the last frame has been read: the file ends within a record, as it does when tcpdump was killed.
    All whole records before that are good.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        """Check the header.

        Args:
            path: the file.
            root: the folder below which no link is followed; the file's own where it is left out.

        Raises:
            InputError: the file is missing, empty, too large, of another format, or not of an Ethernet.
        """
        self.path = path
        self._root = root or path.parent
        self.cut = False
        with self._opened() as file:
            if os.fstat(file.fileno()).st_size > LARGEST_FILE:
                raise InputError(f"{path}: larger than {LARGEST_FILE >> 20} MiB, which no capture of a trial is")
            _walker(file, path)

    def __iter__(self) -> Iterator[Frame]:
        """The frames in the order of the file; errors as in `batches`."""
        for batch in self.batches():
            yield from batch.frames()

    def batches(self) -> Iterator[Batch]:
        """The frames in the order of the file, some thousands at a time.

        Raises:
            InputError: a record makes no sense; the frames before it have been given.
        """
        data, no = b"", 1
        with self._opened() as file:
            walker, at = _walker(file, self.path)
            file.seek(at)
            while more := self._read(file):
                data += more
                batch, taken, wrong = walker.walk(data, self.path, no)
                if len(batch):
                    yield batch
                no += len(batch)
                at += taken
                if wrong is not None:
                    raise InputError(f"{self.path}: record {no} at byte {at} is damaged ({wrong})")
                data = data[taken:]
        self.cut = bool(data)

    def _opened(self) -> BinaryIO:
        opened = open_regular(self._root, self.path)
        if opened is None:
            raise InputError(f"{self.path}: missing; this network was not captured")
        return opened

    def _read(self, file: BinaryIO) -> bytes:
        try:
            return file.read(_STRETCH)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror})") from None


class Records:
    """Records of a classic pcap file."""

    def __init__(self, order: Order, unit_ns: int) -> None:
        self._order, self._unit_ns = order, unit_ns

    def walk(self, data: bytes, path: Path, first_no: int) -> tuple[Batch, int, str | None]:
        """Index the whole records at the beginning of these bytes; see `Walker`."""
        places: list[int] = []
        found, size = places.append, struct.Struct(self._order + "I").unpack_from
        at, end, wrong = 0, len(data), None
        while at + _RECORD_HEADER <= end:
            (kept,) = size(data, at + 8)
            after = at + _RECORD_HEADER + kept
            if kept > LARGEST:
                wrong = f"kept {kept} bytes"
                break
            if after > end:
                break
            found(at)
            at = after
        start = np.array(places, np.int64)
        seconds, fraction, kept_bytes, length = fields(data, start, 4, self._order).astype(np.int64).T
        fraction_ns = fraction * self._unit_ns
        time_ns = seconds * SECOND_NS + fraction_ns
        batch = Batch(data, first_no, time_ns, start + _RECORD_HEADER, kept_bytes, length)
        impossible = np.flatnonzero(fraction_ns >= SECOND_NS)
        if len(impossible):
            bad = int(impossible[0])
            return batch.head(bad), places[bad], f"fraction {int(fraction[bad])}"
        return batch, at, wrong


def _walker(file: BinaryIO, path: Path) -> tuple[Walker, int]:
    """Who reads this file, and where the records begin."""
    header = file.read(_FILE_HEADER)
    magic = header[:4]
    if magic == PCAPNG:
        return Blocks(), 0
    if magic not in _MAGIC or len(header) < _FILE_HEADER:
        size = path.stat().st_size
        raise InputError(f"{path}: is not a pcap file ({size} bytes, first four: {magic.hex() or 'none'})")
    order, unit_ns = _MAGIC[magic]
    (link_type,) = struct.unpack_from(order + "I", header, 20)
    # The upper bits say whether a frame check sequence is kept; only the lower 16 are the type.
    if link_type & 0xFFFF != ETHERNET:
        raise InputError(f"{path}: link type {link_type & 0xFFFF}, need 1 (Ethernet); capture on a bridge or a tap")
    return Records(order, unit_ns), _FILE_HEADER
