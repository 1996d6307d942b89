"""The effects of a router as data: the caller carries them out, in their order."""

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
    """Add these addresses; one that exists already is no error."""

    addresses: tuple[VirtualAddress, ...]


class RemoveAddresses(NamedTuple):
    """Remove these addresses; one that does not exist is no error."""

    addresses: tuple[VirtualAddress, ...]


class SendGratuitousArp(NamedTuple):
    """Announce these addresses, all of them in each of `repeat` rounds: IPv6 ones by unsolicited neighbour adverts."""

    addresses: tuple[VirtualAddress, ...]
    repeat: int


class ResolvePeers(NamedTuple):
    """Tell the unicast peers where this router is, and look up where they are: an advert waits for both."""

    peers: tuple[str, ...]


class Log(NamedTuple):
    """Log this message with these fields; it is formatted when read, so that an advert before it does not wait."""

    line: LogMessage
    fields: Mapping[str, object]

    @property
    def text(self) -> str:
        """The formatted line."""
        return self.line.template.format(**self.fields)

    @property
    def detail(self) -> bool:
        """Whether only `-D` shows it."""
        return self.line.detail


class Notify(NamedTuple):
    """Notify of the router's new state."""

    name: str
    state: State


class NotifyOfLower(NamedTuple):
    """Notify that a master received an advert of lower priority (keepalived's MASTER_RX_LOWER_PRI)."""

    name: str


Effect = Union[SendAdvert, AddAddresses, RemoveAddresses, SendGratuitousArp, ResolvePeers, Log, Notify, NotifyOfLower]
