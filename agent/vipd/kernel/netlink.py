"""Interfaces and addresses of the kernel, over netlink.

pyroute2 encodes and decodes the messages. The sockets are our own: pyroute2's bring an event loop with them, which the
daemon has one of already, and importing them takes 100 ms natively, more than a second in an emulated guest.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from vipd.config.model import VirtualAddress

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP, _NLM_F_CREATE, _NLM_F_EXCL = 0x1, 0x4, 0x300, 0x400, 0x200
_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_IFA_F_SECONDARY, _IFA_F_NODAD, _IFA_F_TENTATIVE = 0x1, 0x2, 0x40
_LINK_LOCAL = b"\xfe\x80"
_SOL_NETLINK, _NETLINK_GET_STRICT_CHK = 270, 12
_HEADER = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_RECEIVE = 1 << 18
_IFINFO = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_IFALIAS = 1, 3, 5, 18, 20
_INFO_KIND, _INFO_DATA, _MACVLAN_MODE, _MACVLAN_MODE_BRIDGE = 1, 2, 1, 4
_FOREVER = 0xFFFF_FFFF


_LINK_ATTRIBUTES = {1: "ADDRESS", 3: "IFNAME", 5: "LINK", 20: "IFALIAS"}


class _LinkMessage(nlmsg):  # type: ignore[misc]
    """The few attributes of a link that matter here; pyroute2's own class knows them all, and takes 10 ms to import."""

    prefix = "IFLA_"
    fields = (("family", "B"), ("pad", "B"), ("type", "H"), ("index", "i"), ("flags", "I"), ("change", "I"))
    nla_map = tuple(
        (f"IFLA_{_LINK_ATTRIBUTES.get(number, number)}", kind)
        for number, kind in enumerate(["none", "l2addr", "none", "asciiz", "none", "uint32", *["none"] * 14, "asciiz"])
    )


class Link(NamedTuple):
    """An interface. `up` is what keepalived takes for up: IFF_UP and IFF_RUNNING.

    `lower` is the index of the interface that it lies on, if any; `alias` is what its maker wrote on it.
    """

    ifindex: int
    name: str
    up: bool
    mac: bytes
    lower: int = 0
    alias: str = ""
    raised: bool = True


class Netlink:
    """The kernel's interfaces and their addresses as last reported, and a way to change both.

    Attributes:
        links: by name.
        primaries: IPv4 addresses that are not secondary, oldest first, as integers, by interface index.
        link_locals: the same of IPv6's link-local addresses that have passed duplicate detection.
        held: every address, as on the wire, by interface index.
    """

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.primaries: dict[int, list[int]] = {}
        self.link_locals: dict[int, list[int]] = {}
        self.held: dict[int, set[bytes]] = {}
        self._events = self._open(_RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR)
        self._events.setblocking(False)
        self._requests = self._open(0)
        self._sequence = 0
        self.refresh()

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._events.fileno()

    def refresh(self) -> None:
        """Read everything anew, at start and when the kernel says that reports were lost."""
        for known in (self.links, self.primaries, self.link_locals, self.held):
            known.clear()
        for message, kind in ((_LinkMessage(), _RTM_GETLINK), (ifaddrmsg(), _RTM_GETADDR)):
            for kind_read, data in self._asked(_body(message), kind, _NLM_F_DUMP):
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

    def make_macvlan(self, name: str, lower: Link, mac: bytes, alias: str) -> None:
        """Make a macvlan on an interface, down, and write `alias` on it.

        Raises:
            OSError: the kernel refuses it, or there is one of that name.
        """
        # In mode private, what another master sends from the same MAC would reach the macvlan and not its interface.
        mode = _attribute(_MACVLAN_MODE, _ERROR.pack(_MACVLAN_MODE_BRIDGE))
        info = _attribute(_INFO_KIND, b"macvlan") + _attribute(_INFO_DATA, mode)
        body = (
            _IFINFO.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
            + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
            + _attribute(_IFLA_LINK, _ERROR.pack(lower.ifindex))
            + _attribute(_IFLA_ADDRESS, mac)
            + _attribute(_IFLA_LINKINFO, info)
        )
        self._done(body, _RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL)
        named = _IFINFO.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        self._done(named + _attribute(_IFLA_IFALIAS, alias.encode()), _RTM_NEWLINK, 0)
        self.read()

    def remove_link(self, link: Link) -> None:
        """Delete an interface.

        Raises:
            OSError: the kernel refuses it.
        """
        self._done(_IFINFO.pack(socket.AF_UNSPEC, 0, link.ifindex, 0, 0), _RTM_DELLINK, 0)
        self.read()

    def raise_link(self, link: Link, up: bool) -> None:
        """Bring an interface up or take it down.

        Raises:
            OSError: the kernel refuses it, or it is gone.
        """
        self._done(_IFINFO.pack(socket.AF_UNSPEC, 0, link.ifindex, _IFF_UP if up else 0, _IFF_UP), _RTM_NEWLINK, 0)

    def _change(self, address: VirtualAddress, kind: int, flags: int, fine: int) -> None:
        link = self.links.get(address.device)
        if link is None:
            raise OSError(errno.ENODEV, f"there is no interface {address.device}")
        try:
            self._done(_address_body(address, link.ifindex), kind, flags)
        except OSError as error:
            if error.errno != fine:
                raise

    def change(self, body: bytes, kind: int, flags: int, fine: tuple[int, ...] = ()) -> None:
        """Send a request for a change; errors listed in `fine` are ignored.

        Raises:
            OSError: the kernel refuses it.
        """
        try:
            self._done(body, kind, flags)
        except OSError as error:
            if error.errno not in fine:
                raise

    def _done(self, body: bytes, kind: int, flags: int) -> None:
        for _ in self._asked(body, kind, _NLM_F_ACK | flags):
            pass

    def _asked(self, body: bytes, kind: int, flags: int) -> Iterator[tuple[int, bytes]]:
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST | flags, self._sequence, 0)
        self._requests.send(header + body)
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
        lower, alias = message.get_attr("IFLA_LINK") or 0, message.get_attr("IFLA_IFALIAS") or ""
        up = bool(flags & _IFF_UP and flags & _IFF_RUNNING)
        self.links[name] = Link(index, name, up, mac, lower, alias, bool(flags & _IFF_UP))

    def _link_gone(self, data: bytes) -> None:
        index = _decoded(_LinkMessage, data)["index"]
        self._forget(index)
        for known in (self.primaries, self.link_locals, self.held):
            known.pop(index, None)

    def _forget(self, index: int) -> None:
        for name in [name for name, link in self.links.items() if link.ifindex == index]:
            del self.links[name]

    def _address_here(self, data: bytes) -> None:
        index, octets, flags = _address(data)
        if octets is None:
            return
        self.held.setdefault(index, set()).add(octets)
        listed = self._listed(index, octets)
        address = int.from_bytes(octets, "big")
        if listed is not None and not flags & (_IFA_F_SECONDARY | _IFA_F_TENTATIVE) and address not in listed:
            listed.append(address)

    def _address_gone(self, data: bytes) -> None:
        index, octets, _ = _address(data)
        if octets is None:
            return
        self.held.get(index, set()).discard(octets)
        listed = self._listed(index, octets)
        address = int.from_bytes(octets, "big")
        if listed is not None and address in listed:
            listed.remove(address)

    def _listed(self, index: int, octets: bytes) -> list[int] | None:
        """The list of source addresses that such an address belongs in, if any."""
        if len(octets) == 4:
            return self.primaries.setdefault(index, [])
        return self.link_locals.setdefault(index, []) if octets.startswith(_LINK_LOCAL) else None

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


def _body(message: nlmsg) -> bytes:
    message.encode()
    return bytes(message.data)[_HEADER.size :]


@lru_cache(maxsize=4096)
def _address_body(address: VirtualAddress, ifindex: int) -> bytes:
    """Encode an address for the kernel.

    Cached, since encoding takes longer than the kernel's work: the removal of leftover addresses at start fills the
    cache for the takeover.
    """
    message = ifaddrmsg()
    message["family"] = socket.AF_INET if address.family == 4 else socket.AF_INET6
    message["prefixlen"] = address.prefix_length
    message["scope"] = address.scope
    message["index"] = ifindex
    message["attrs"] = [("IFA_LOCAL", address.address), ("IFA_ADDRESS", address.peer or address.address)]
    if address.family == 6:
        # Whoever held it a moment ago may hold it still; waiting for duplicate detection would be an outage.
        message["flags"] = _IFA_F_NODAD | address.flags & 0xFF
    if address.broadcast:
        message["attrs"].append(("IFA_BROADCAST", address.broadcast))
    if address.label:
        message["attrs"].append(("IFA_LABEL", address.label))
    if address.flags:
        message["attrs"].append(("IFA_FLAGS", message["flags"] | address.flags))
    if address.preferred_lft is not None:
        lifetimes = {"ifa_preferred": address.preferred_lft, "ifa_valid": _FOREVER, "cstamp": 0, "tstamp": 0}
        message["attrs"].append(("IFA_CACHEINFO", lifetimes))
    return _body(message)


def _attribute(kind: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _address(data: bytes) -> tuple[int, bytes | None, int]:
    message = _decoded(ifaddrmsg, data)
    family = message["family"]
    text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    octets = socket.inet_pton(family, text) if text and family in (socket.AF_INET, socket.AF_INET6) else None
    return message["index"], octets, message["flags"]
