"""The sockets that adverts and gratuitous ARPs travel through."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from vipd.netlink import Link
from vipd.packet import GROUP, PROTOCOL, TTL

_ETH_P_ARP = 0x0806
_SO_BINDTODEVICE = 25
_MREQN = struct.Struct("=4s4si")
_ARP = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
_TC_PRIO_INTERACTIVE = 6
_BROADCAST = b"\xff" * 6
_RECEIVE = 2048  # more than an advert of 255 addresses: 20 + 8 + 1020 + 8


class Port:
    """A raw socket on one interface: the adverts of every router there go out and come in through it.

    Attributes:
        ifindex: of the interface. One that is deleted and made again has another, and needs another port.
    """

    def __init__(self, link: Link, tos: int) -> None:
        self.ifindex = link.ifindex
        self._source: int | None = None
        self._socket = socket.socket(
            socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, PROTOCOL
        )
        # Bound first: a raw socket hears every interface until then.
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, link.name.encode())
        group = socket.inet_aton(GROUP)
        for option, value in (
            (socket.IP_ADD_MEMBERSHIP, _MREQN.pack(group, bytes(4), link.ifindex)),
            (socket.IP_MULTICAST_TTL, TTL),
            (socket.IP_MULTICAST_LOOP, 0),
            (socket.IP_TOS, tos),
        ):
            self._socket.setsockopt(socket.IPPROTO_IP, option, value)
        # After IP_TOS, which sets it too: adverts go before the bulk of what leaves the interface.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _TC_PRIO_INTERACTIVE)

    def fileno(self) -> int:
        """Readable when an advert has come."""
        return self._socket.fileno()

    def send(self, packet: bytes, source: int) -> None:
        """Send to the group from this address of the interface (RFC 3768 section 7.2).

        Raises:
            OSError: the interface is down or has lost the address.
        """
        if source != self._source:
            option = _MREQN.pack(bytes(4), source.to_bytes(4, "big"), self.ifindex)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, option)
            self._source = source
        self._socket.sendto(packet, (GROUP, 0))

    def frames(self) -> Iterator[bytes]:
        """What has come, IP headers included, until there is no more."""
        while True:
            try:
                yield self._socket.recv(_RECEIVE)
            except OSError:
                return

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


class ArpSocket:
    """Sends gratuitous ARP on any interface."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)

    def announce(self, link: Link, address: bytes) -> None:
        """Tell everybody on the link that the address is at this interface.

        Raises:
            OSError: the interface is down or gone.
        """
        self._socket.sendto(gratuitous_arp(link.mac, address), (link.name, _ETH_P_ARP))


def gratuitous_arp(mac: bytes, address: bytes) -> bytes:
    """The 42 octets that keepalived sends: a broadcast ARP request, sender and target the address, target MAC ff."""
    return _ARP.pack(_BROADCAST, mac, _ETH_P_ARP, 1, 0x0800, 6, 4, 1, mac, address, _BROADCAST, address)
