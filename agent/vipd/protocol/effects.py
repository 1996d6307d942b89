"""What a router wants done, as data: the shell carries it out, in the order it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Union

from vipd.config.model import VirtualAddress
from vipd.protocol.log_messages import LogMessage
from vipd.protocol.table import State


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
    """Log this line with these fields, put together when it is read: an advert that comes before it does not wait."""

    line: LogMessage
    fields: Mapping[str, object]

    @property
    def text(self) -> str:
        """The line as it is to be read."""
        return self.line.template.format(**self.fields)

    @property
    def detail(self) -> bool:
        """Whether only `-D` shows it."""
        return self.line.detail


class Notify(NamedTuple):
    """The router is in another state now."""

    name: str
    state: State


class NotifyOfLower(NamedTuple):
    """A master has heard an advert of lower priority (keepalived's MASTER_RX_LOWER_PRI)."""

    name: str


Effect = Union[SendAdvert, AddAddresses, RemoveAddresses, SendGratuitousArp, Log, Notify, NotifyOfLower]
