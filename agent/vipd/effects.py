"""What a router wants done, as data: the shell carries it out, in the order it comes."""

from __future__ import annotations

from typing import NamedTuple, Union

from vipd.config import VirtualAddress
from vipd.table import State


class SendAdvert(NamedTuple):
    """Send this, now: it comes before any slower work.

    Attributes:
        priority: that it carries.
        packet: the VRRP message, or over IPv4 with authentication header that and the message.
        destination: address of the group or of one peer, as an integer.
        datagram: all of it, IP header included.
    """

    priority: int
    packet: bytes
    destination: int
    datagram: bytes


class AddAddresses(NamedTuple):
    """Set these addresses; one that is there already is fine."""

    addresses: tuple[VirtualAddress, ...]


class RemoveAddresses(NamedTuple):
    """Remove these addresses; one that is not there is fine."""

    addresses: tuple[VirtualAddress, ...]


class SendGratuitousArp(NamedTuple):
    """Announce these addresses, all of them in each of `repeat` rounds: IPv6 ones by unsolicited neighbour adverts."""

    addresses: tuple[VirtualAddress, ...]
    repeat: int


class Log(NamedTuple):
    """Log this line; `detail` marks those that only `-D` shows."""

    text: str
    detail: bool


class Notify(NamedTuple):
    """The router is in another state now."""

    name: str
    state: State


class NotifyOfLower(NamedTuple):
    """A master has heard an advert of lower priority (keepalived's MASTER_RX_LOWER_PRI)."""

    name: str


Effect = Union[SendAdvert, AddAddresses, RemoveAddresses, SendGratuitousArp, Log, Notify, NotifyOfLower]
