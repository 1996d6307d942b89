"""The sockets that send and receive adverts, and send gratuitous ARP and unsolicited neighbour advertisements."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from vipd.kernel.picture import Link
from vipd.kernel.rtnetlink import name_octets
from vipd.protocol.garp import ETH_P_ARP, ETH_P_IPV6, gratuitous_arp, unsolicited_neighbour_advert

_SO_BINDTODEVICE = 25
_SO_SNDBUFFORCE = 32
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
_IPV6_FREEBIND = 78
_MREQN = struct.Struct("=4s4si")
_MREQ6 = struct.Struct("=16si")
_INT = struct.Struct("=i")
_PKTINFO = struct.Struct("=16si")
_TC_PRIO_INTERACTIVE = 6
_MSG_PROBE = 0x10
_RECEIVE = 8192  # more than an advert of 255 IPv6 addresses: 8 + 4080
_ANCILLARY = 128
_LINK_DOWN = (errno.ENETDOWN, errno.ENODEV)
_SEND_BUFFER = 1 << 22  # adverts of hundreds of routers that fall due at once
_FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


_T = TypeVar("_T")


class ReceivedDatagram(NamedTuple):
    """A datagram from an IPv6 socket, which hands over no header."""

    payload: bytes
    source: str
    hop_limit: int
    destination: int


class AdvertReceiver:
    """Receives one protocol of one family on one interface.

    Attributes:
        ifindex: of the interface. One that is deleted and made again has another, and needs another receiver.
        family: 4 or 6.
    """

    def __init__(self, link: Link, family: int, protocol: int, buffer: int = 0) -> None:
        """Open the socket, which has joined no group yet.

        Raises:
            OSError: there are no more descriptors, or the interface is gone.
        """
        self.ifindex = link.ifindex
        self.family = family
        self._groups: set[bytes] = set()
        domain = socket.AF_INET if family == 4 else socket.AF_INET6
        self._socket = socket.socket(domain, socket.SOCK_RAW | _FLAGS, protocol)
        # Bound first: a raw socket receives from every interface until then.
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, name_octets(link.name))
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        if family == 4:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        else:
            for option in (socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVPKTINFO):
                self._socket.setsockopt(socket.IPPROTO_IPV6, option, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)

    def join(self, groups: Iterable[bytes]) -> dict[bytes, OSError]:
        """Join those of these groups that it has not joined; returns why the kernel refuses one."""
        refused = {}
        for group in set(groups) - self._groups:
            try:
                if self.family == 4:
                    joined = _MREQN.pack(group, bytes(4), self.ifindex)
                    self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
                else:
                    joined = _MREQ6.pack(group, self.ifindex)
                    self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joined)
                self._groups.add(group)
            except OSError as error:
                refused[group] = error
        return refused

    def fileno(self) -> int:
        """Readable when a datagram has come."""
        return self._socket.fileno()

    def frame(self) -> bytes | None:
        """The next IPv4 datagram, header included; None if there is no more.

        Raises:
            OSError: nothing can be received.
        """
        try:
            return _again_if_down(self._socket.recv, _RECEIVE)
        except BlockingIOError:
            return None

    def datagram(self) -> ReceivedDatagram | None:
        """The next IPv6 datagram; None if there is no more.

        Raises:
            OSError: nothing can be received.
        """
        try:
            payload, ancillary, _, address = _again_if_down(self._socket.recvmsg, _RECEIVE, _ANCILLARY)
        except BlockingIOError:
            return None
        hop_limit = destination = 0
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_HOPLIMIT and len(data) >= _INT.size:
                (hop_limit,) = _INT.unpack_from(data)
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO and len(data) >= _PKTINFO.size:
                destination = int.from_bytes(data[:16], "big")
        return ReceivedDatagram(payload, address[0].partition("%")[0], hop_limit, destination)

    def close(self) -> None:
        """Leave the groups."""
        self._socket.close()


def _again_if_down(receive: Callable[..., _T], *sizes: int) -> _T:
    """Receive; where the first answer is that the link went down, which the kernel says once, a second time."""
    try:
        return receive(*sizes)
    except OSError as error:
        if error.errno not in _LINK_DOWN:
            raise
    return receive(*sizes)


class AdvertSender:
    """Sends whole datagrams, IP header included, out of one interface.

    vipd writes the header itself, so that the source is the router's own whatever other addresses the interface has; a
    macvlan has none but the virtual ones.

    Attributes:
        ifindex: of the interface.
    """

    def __init__(self, link: Link, family: int) -> None:
        self.ifindex = link.ifindex
        self._family = family
        self._domain = socket.AF_INET if family == 4 else socket.AF_INET6
        self._socket = socket.socket(self._domain, socket.SOCK_RAW | _FLAGS, socket.IPPROTO_RAW)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, name_octets(link.name))
        if family == 4:
            self._socket.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, _MREQN.pack(bytes(4), bytes(4), link.ifindex)
            )
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, link.ifindex)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
        # Adverts go before the bulk of what leaves the interface.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _TC_PRIO_INTERACTIVE)
        self._bound = 0
        self._addresses: dict[int, tuple[str, int] | tuple[str, int, int, int]] = {}

    def send(self, datagram: bytes, source: int, destination: int) -> None:
        """Send a datagram.

        Raises:
            OSError: the interface is down or gone.
        """
        self._socket.sendto(datagram, self._address(source, destination))

    def probe(self, datagram: bytes, source: int, destination: int) -> None:
        """Go the way of a datagram through the kernel up to its route, and send nothing.

        Raises:
            OSError: the interface is down or gone.
        """
        self._socket.sendto(datagram, _MSG_PROBE, self._address(source, destination))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _address(self, source: int, destination: int) -> tuple[str, int] | tuple[str, int, int, int]:
        if source != self._bound and self._family == 6:
            # Where the interface has no address of its own, the kernel finds no route without one.
            text = socket.inet_ntop(self._domain, source.to_bytes(16, "big"))
            self._socket.bind((text, 0, 0, self.ifindex))
            self._bound = source
        address = self._addresses.get(destination)
        if address is None:
            address = self._addresses[destination] = self._named(destination)
        return address

    def _named(self, destination: int) -> tuple[str, int] | tuple[str, int, int, int]:
        text = socket.inet_ntop(self._domain, destination.to_bytes(4 if self._family == 4 else 16, "big"))
        return (text, 0) if self._family == 4 else (text, 0, 0, self.ifindex)


class GarpSender:
    """Sends gratuitous ARP and unsolicited neighbour advertisements on any interface."""

    def __init__(self) -> None:
        """Open the socket, if there is a descriptor for it; else `send` tries again."""
        self._socket: socket.socket | None = None
        with suppress(OSError, MemoryError):
            self._open()

    def send(self, link: Link, address: bytes) -> None:
        """Announce to every host on the link that the address is at this interface.

        Raises:
            OSError: the interface is down or gone, or there is no descriptor.
        """
        opened = self._socket or self._open()
        if len(address) == 4:
            opened.sendto(gratuitous_arp(link.mac, address), (link.name, ETH_P_ARP))
        else:
            opened.sendto(unsolicited_neighbour_advert(link.mac, address), (link.name, ETH_P_IPV6))

    def _open(self) -> socket.socket:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | _FLAGS, 0)
        return self._socket
