"""Interfaces and addresses of the kernel, over netlink.

pyroute2 encodes and decodes the messages. The sockets are our own: pyroute2's bring an event loop with them, which the
daemon has one of already, and importing them takes 100 ms natively, more than a second in an emulated guest.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from vipd.config import VirtualAddress

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP, _NLM_F_CREATE, _NLM_F_EXCL = 0x1, 0x4, 0x300, 0x400, 0x200
_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR = 0x1, 0x10
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_IFA_F_SECONDARY = 0x1
_SOL_NETLINK, _NETLINK_GET_STRICT_CHK = 270, 12
_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_RECEIVE = 1 << 18


class _LinkMessage(nlmsg):  # type: ignore[misc]
    """The few attributes of a link that matter here; pyroute2's own class knows them all, and takes 10 ms to import."""

    prefix = "IFLA_"
    fields = (("family", "B"), ("pad", "B"), ("type", "H"), ("index", "i"), ("flags", "I"), ("change", "I"))
    nla_map = (
        ("IFLA_UNSPEC", "none"),
        ("IFLA_ADDRESS", "l2addr"),
        ("IFLA_BROADCAST", "none"),
        ("IFLA_IFNAME", "asciiz"),
    )


class Link(NamedTuple):
    """An interface. `up` is what keepalived takes for up: IFF_UP and IFF_RUNNING."""

    ifindex: int
    name: str
    up: bool
    mac: bytes


class Netlink:
    """The kernel's interfaces and their primary IPv4 addresses as last reported, and a way to change addresses.

    Attributes:
        links: by name.
        primaries: addresses that are not secondary, oldest first, as integers, by interface index.
    """

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.primaries: dict[int, list[int]] = {}
        self._events = self._open(_RTMGRP_LINK | _RTMGRP_IPV4_IFADDR)
        self._events.setblocking(False)
        self._requests = self._open(0)
        self._sequence = 0
        self.refresh()

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._events.fileno()

    def refresh(self) -> None:
        """Read everything anew, at start and when the kernel says that reports were lost."""
        self.links.clear()
        self.primaries.clear()
        for message, kind in ((_LinkMessage(), _RTM_GETLINK), (ifaddrmsg(), _RTM_GETADDR)):
            for kind_read, data in self._asked(message, kind, _NLM_F_DUMP):
                self._take(kind_read, data)

    def read(self) -> None:
        """Take in what changed."""
        while True:
            try:
                data = self._events.recv(_RECEIVE)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.refresh()
                continue
            for kind, _, message in _messages(data):
                self._take(kind, message)

    def add(self, address: VirtualAddress) -> None:
        """Set an address; one that is there already is fine.

        Raises:
            OSError: the kernel refuses it, or there is no such interface.
        """
        self._change(address, _RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_EXCL, errno.EEXIST)

    def remove(self, address: VirtualAddress) -> None:
        """Remove an address; one that is not there is fine, and so is an interface that is gone.

        Raises:
            OSError: the kernel refuses it.
        """
        if address.device in self.links:
            self._change(address, _RTM_DELADDR, 0, errno.EADDRNOTAVAIL)

    def _change(self, address: VirtualAddress, kind: int, flags: int, fine: int) -> None:
        link = self.links.get(address.device)
        if link is None:
            raise OSError(errno.ENODEV, f"there is no interface {address.device}")
        message = ifaddrmsg()
        message["family"] = socket.AF_INET
        message["prefixlen"] = address.prefix_length
        message["scope"] = address.scope
        message["index"] = link.ifindex
        message["attrs"] = [("IFA_LOCAL", address.address), ("IFA_ADDRESS", address.address)]
        if address.broadcast:
            message["attrs"].append(("IFA_BROADCAST", address.broadcast))
        if address.label:
            message["attrs"].append(("IFA_LABEL", address.label))
        try:
            for _ in self._asked(message, kind, _NLM_F_ACK | flags):
                pass
        except OSError as error:
            if error.errno != fine:
                raise

    def _asked(self, message: nlmsg, kind: int, flags: int) -> Iterator[tuple[int, bytes]]:
        self._sequence += 1
        header = message["header"]
        header["type"], header["flags"], header["sequence_number"] = kind, _NLM_F_REQUEST | flags, self._sequence
        message.encode()
        self._requests.send(bytes(message.data))
        while True:
            for kind_read, sequence, data in _messages(self._requests.recv(_RECEIVE)):
                if sequence != self._sequence:
                    continue
                if kind_read == _NLMSG_DONE:
                    return
                if kind_read == _NLMSG_ERROR:
                    (code,) = _ERROR.unpack_from(data, _HEADER.size)
                    if code:
                        raise OSError(-code, errno.errorcode.get(-code, str(-code)))
                    return
                yield kind_read, data

    def _take(self, kind: int, data: bytes) -> None:
        take: dict[int, Callable[[bytes], None]] = {
            _RTM_NEWLINK: self._link_here,
            _RTM_DELLINK: self._link_gone,
            _RTM_NEWADDR: self._address_here,
            _RTM_DELADDR: self._address_gone,
        }
        if kind in take:
            take[kind](data)

    def _link_here(self, data: bytes) -> None:
        message = _decoded(_LinkMessage, data)
        index, flags = message["index"], message["flags"]
        name = message.get_attr("IFLA_IFNAME")
        if name is None:
            return
        self._forget(index)  # it may have been renamed
        mac = bytes.fromhex((message.get_attr("IFLA_ADDRESS") or "").replace(":", ""))
        self.links[name] = Link(index, name, bool(flags & _IFF_UP and flags & _IFF_RUNNING), mac)

    def _link_gone(self, data: bytes) -> None:
        index = _decoded(_LinkMessage, data)["index"]
        self._forget(index)
        self.primaries.pop(index, None)

    def _forget(self, index: int) -> None:
        for name in [name for name, link in self.links.items() if link.ifindex == index]:
            del self.links[name]

    def _address_here(self, data: bytes) -> None:
        index, address, secondary = _primary(data)
        if address is not None and not secondary:
            known = self.primaries.setdefault(index, [])
            if address not in known:
                known.append(address)

    def _address_gone(self, data: bytes) -> None:
        index, address, _ = _primary(data)
        if address is not None and address in self.primaries.get(index, ()):
            self.primaries[index].remove(address)

    @staticmethod
    def _open(groups: int) -> socket.socket:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        opened.bind((0, groups))
        return opened


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, sequence number, whole message) of each message in one read."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            return
        yield kind, sequence, data[at : at + length]
        at += length + 3 & ~3


def _decoded(kind: Callable[[bytes], nlmsg], data: bytes) -> nlmsg:
    message = kind(data)
    message.decode()
    return message


def _primary(data: bytes) -> tuple[int, int | None, bool]:
    message = _decoded(ifaddrmsg, data)
    local = message.get_attr("IFA_LOCAL")
    address = int.from_bytes(socket.inet_aton(local), "big") if local and message["family"] == socket.AF_INET else None
    return message["index"], address, bool(message["flags"] & _IFA_F_SECONDARY)
