"""Where each frame of a capture lies and when it was seen, in columns: what the readers of both file formats yield."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

# libpcap's own limit on the bytes of one packet; a larger number means that the file is damaged.
LARGEST = 262_144
ETHERNET = 1
SECOND_NS = 1_000_000_000

Column = NDArray[np.int64]
Order = Literal["<", ">"]


class Frame(NamedTuple):
    """One captured frame; `no` counts from 1 as Wireshark does, `length` is what it had on the wire."""

    no: int
    time_ns: int
    length: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of a capture: its bytes, and for each frame its time, where it starts, and how much was kept of it."""

    data: bytes
    first_no: int
    time_ns: Column
    start: Column
    kept: Column
    length: Column

    def __len__(self) -> int:
        return len(self.start)

    def frames(self, which: Column | None = None) -> Iterator[Frame]:
        """The frames themselves, all of them or those at some positions."""
        at = np.arange(len(self)) if which is None else which
        start = self.start[at]
        columns = (at + self.first_no, self.time_ns[at], self.length[at], start, start + self.kept[at])
        for no, time_ns, length, begin, end in zip(*(column.tolist() for column in columns), strict=True):
            yield Frame(no, time_ns, length, self.data[begin:end])

    def head(self, count: int) -> Batch:
        """The first frames of it."""
        columns = (self.time_ns, self.start, self.kept, self.length)
        return Batch(self.data, self.first_no, *(column[:count] for column in columns))


def fields(data: bytes, at: Column, words: int, order: Order) -> NDArray[np.uint32]:
    """So many 32-bit words from each of these places, as a table with a row a place."""
    octets = np.frombuffer(data, np.uint8)[at[:, None] + np.arange(4 * words)]
    words_there: NDArray[np.uint32] = octets.view(np.dtype(np.uint32).newbyteorder(order))
    return words_there
