"""The other capture format, as Wireshark and `dumpcap` write it: blocks, in sections, from several interfaces.

Format: draft-ietf-opsawg-pcapng, section 3 (blocks) and 4 (their types). Of the blocks those count that describe an
interface or hold a packet with its time; all others are skipped. Stateful: a section sets the byte order, an
interface the unit of its times.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from viplab.capture.index import ETHERNET, LARGEST, SECOND_NS, Batch, Column, Order, fields
from viplab.errors import InputError

MAGIC = bytes.fromhex("0a0d0d0a")
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_UNUSABLE = {2: "a packet block of the format's first draft", 3: "a packet without a time"}
_ORDER: dict[bytes, Order] = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
# Type, length, the length again at the end.
_SMALLEST = 12
_LARGEST_BLOCK = 1 << 24
_PACKET_HEADER = 28
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14
_LAST = 2**63 - 1
_LAST_TICK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Clock:
    """How an interface counts time: ticks of `base` to the power of `-digits` seconds, from `offset_s` on."""

    base: int = 10
    digits: int = 6
    offset_s: int = 0

    def to_ns(self, ticks: NDArray[np.uint64]) -> Column:
        """Nanoseconds, cut and not rounded."""
        offset_ns = np.int64(max(-_LAST, min(self.offset_s * SECOND_NS, _LAST)))
        if self.base == 10 and self.digits <= 9:
            return (ticks * np.uint64(10 ** (9 - self.digits))).astype(np.int64) + offset_ns
        if self.base == 10:
            return (ticks // np.uint64(10 ** min(19, self.digits - 9))).astype(np.int64) + offset_ns
        whole = ticks >> np.uint64(self.digits)
        rest = ticks - (whole << np.uint64(self.digits))
        # A second has fewer than 2**30 nanoseconds: what is finer than that is cut, so that the product fits.
        finer = max(0, self.digits - 30)
        rest_ns = ((rest >> np.uint64(finer)) * np.uint64(SECOND_NS)) >> np.uint64(self.digits - finer)
        return (whole * np.uint64(SECOND_NS) + rest_ns).astype(np.int64) + offset_ns

    @property
    def last_tick(self) -> int:
        """The last moment that 63 bits of nanoseconds can say, as far as 64 bits of ticks reach."""
        most = (_LAST - abs(self.offset_s) * SECOND_NS) * self.base**self.digits // SECOND_NS
        return int(max(0, min(most, _LAST_TICK)))


@dataclass(slots=True)
class _Section:
    """Packets that were told in one byte order, and which of the clocks is that of the section's interface 0."""

    order: Order
    first_clock: int
    places: list[int] = field(default_factory=list)


class Blocks:
    """Blocks of a pcapng file."""

    def __init__(self) -> None:
        self._clocks: list[Clock] = []
        self._section = _Section("<", 0)

    def walk(self, data: bytes, path: Path, first_no: int) -> tuple[Batch, int, str | None]:
        """Index the whole blocks at the beginning of these bytes; see `pcap.Walker`."""
        sections = [_Section(self._section.order, self._section.first_clock)]
        head, found = struct.Struct(sections[0].order + "II").unpack_from, sections[0].places.append
        at, end = 0, len(data)
        wrong: str | None = None
        while at + _SMALLEST <= end:
            kind, size = head(data, at)
            if kind == _SECTION:
                order = _ORDER.get(data[at + 8 : at + 12])
                if order is None:
                    wrong = "no byte order"
                    break
                sections.append(_Section(order, len(self._clocks)))
                head, found = struct.Struct(order + "II").unpack_from, sections[-1].places.append
                kind, size = head(data, at)
            if size < _SMALLEST or size % 4 or size > _LARGEST_BLOCK:
                wrong = f"block of {size} bytes"
                break
            if at + size > end:
                break
            if kind == _PACKET and size >= _PACKET_HEADER:
                found(at)
            elif kind == _INTERFACE and size >= _SMALLEST + 8:
                self._clocks.append(_clock(data, at, size, sections[-1].order, path))
            elif kind in _UNUSABLE:
                wrong = _UNUSABLE[kind]
                break
            at += size
        self._section = _Section(sections[-1].order, sections[-1].first_clock)
        return self._index(data, first_no, sections, at, wrong)

    def _index(
        self, data: bytes, first_no: int, sections: list[_Section], at: int, wrong: str | None
    ) -> tuple[Batch, int, str | None]:
        parts = [self._columns(data, section) for section in sections]
        time_ns, start, kept, length = (np.concatenate(column) for column in zip(*parts, strict=True))
        batch = Batch(data, first_no, time_ns, start, kept, length)
        impossible = np.flatnonzero(time_ns < 0)
        if len(impossible):
            bad = int(impossible[0])
            return batch.head(bad), int(start[bad]) - _PACKET_HEADER, "no such interface, time or length"
        return batch, at, wrong

    def _columns(self, data: bytes, section: _Section) -> tuple[Column, Column, Column, Column]:
        """Time, start, bytes kept and length on the wire of each packet; a time of -1 where the block is impossible."""
        places = np.array(section.places, np.int64)
        words = fields(data, places, 7, section.order)
        size, interface, kept, length = words[:, [1, 2, 5, 6]].astype(np.int64).T
        ticks = words[:, 3].astype(np.uint64) << np.uint64(32) | words[:, 4]
        time_ns = np.full(len(places), -1, np.int64)
        clocks = self._clocks[section.first_clock :]
        for number, clock in enumerate(clocks):
            which = (interface == number) & (ticks <= np.uint64(clock.last_tick))
            time_ns[which] = clock.to_ns(ticks[which])
        time_ns[(kept > LARGEST) | (kept > size - _PACKET_HEADER - 4)] = -1
        return time_ns, places + _PACKET_HEADER, kept, length


def _clock(data: bytes, at: int, size: int, order: Order, path: Path) -> Clock:
    """Read an interface description block.

    Raises:
        InputError: what it captures is no Ethernet.
    """
    (link_type,) = struct.unpack_from(order + "H", data, at + 8)
    if link_type != ETHERNET:
        raise InputError(f"{path}: link type {link_type}, need 1 (Ethernet); capture on a bridge or a tap")
    clock = Clock()
    option, end = at + 16, at + size - 4
    while option + 4 <= end:
        code, length = struct.unpack_from(order + "HH", data, option)
        value = data[option + 4 : option + 4 + length]
        if code == _OPTION_RESOLUTION and len(value) == 1:
            # The highest bit chooses between a power of two and one of ten.
            clock = replace(clock, base=2 if value[0] & 0x80 else 10, digits=min(value[0] & 0x7F, 63))
        elif code == _OPTION_OFFSET and len(value) == 8:
            clock = replace(clock, offset_s=int.from_bytes(value, "big" if order == ">" else "little", signed=True))
        option += 4 + length + -length % 4
    return clock
