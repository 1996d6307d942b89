"""The messages about links and addresses of rtnetlink(7): encoded to octets, and decoded from them. Does no I/O.

Written out by hand: importing a library for them took longer than all else of a start, and a takeover waits for what it
takes to encode an address.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from vipd.config.model import VirtualAddress, packed
from vipd.kernel.picture import LINK_LOCAL, Address, Link

NEWLINK, DELLINK, GETLINK, NEWADDR, DELADDR, GETADDR = 16, 17, 18, 20, 21, 22
GETROUTE, NEWNEIGH = 26, 28
ERROR, DONE = 2, 3
REQUEST, ACK, DUMP_INTERRUPTED, EXCL, DUMP, CREATE = 0x1, 0x4, 0x10, 0x200, 0x300, 0x400  # NLM_F_...
IFF_UP, IFF_RUNNING = 0x1, 0x40
IFA_F_SECONDARY, IFA_F_NODAD, IFA_F_DADFAILED, IFA_F_TENTATIVE = 0x1, 0x2, 0x8, 0x40
AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBi")  # struct ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=8BI")  # struct rtmsg: family, length of the destination, ..., flags
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # struct ndmsg: family, index, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")
_INT, _CACHEINFO = struct.Struct("=i"), struct.Struct("=IIII")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_IFALIAS = 1, 3, 5, 18, 20
_INFO_KIND, _INFO_DATA, _MACVLAN_MODE, _MACVLAN_MODE_BRIDGE = 1, 2, 1, 4
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_CACHEINFO, _IFA_FLAGS = 1, 2, 3, 4, 6, 8
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_NDA_DST, _NTF_USE = 1, 1
_TYPE_MASK = 0x3FFF  # the two bits above are flags
_FOREVER = 0xFFFF_FFFF


class Message(NamedTuple):
    """A message. `body` is what follows its header; `sender` the port of whose request it reports, 0 for the kernel."""

    kind: int
    flags: int
    sequence: int
    body: bytes
    sender: int = 0


def messages(data: bytes) -> Iterator[Message]:
    """Take apart what one read returned."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, flags, sequence, sender = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            return
        yield Message(kind, flags, sequence, data[at + _HEADER.size : at + length], sender)
        at += length + 3 & ~3


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """Encode a message."""
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def name_octets(name: str) -> bytes:
    """A name as the kernel takes it, with the NUL at its end; octets that are no UTF-8 stay what they were."""
    return name.encode("utf-8", "surrogateescape") + b"\0"


def attribute(kind: int, data: bytes) -> bytes:
    """Encode an attribute."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(body: bytes, at: int) -> dict[int, bytes]:
    """The attributes that begin at an offset, by type."""
    found = {}
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if not _ATTRIBUTE.size <= length <= len(body) - at:
            break
        found[kind & _TYPE_MASK] = body[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3
    return found


def error(body: bytes) -> int:
    """The errno of an answer, 0 for an acknowledgement."""
    return -int(_INT.unpack_from(body)[0])


# -- links


def link(body: bytes) -> Link | None:
    """The link that a message is about.

    None for those of another family: a bridge reports its ports with messages of the same types, in which DELLINK says
    that an interface has left the bridge.
    """
    family, _, ifindex, flags, _ = _LINK.unpack_from(body)
    found = attributes(body, _LINK.size)
    if family != AF_UNSPEC or _IFLA_IFNAME not in found:
        return None
    return Link(
        ifindex,
        _text(found[_IFLA_IFNAME]),
        bool(flags & IFF_UP and flags & IFF_RUNNING),
        found.get(_IFLA_ADDRESS, b""),
        _INT.unpack(found[_IFLA_LINK])[0] if _IFLA_LINK in found else 0,
        _text(found.get(_IFLA_IFALIAS, b"")),
        bool(flags & IFF_UP),
    )


def link_request(ifindex: int = 0, flags: int = 0, change: int = 0, name: str = "", alias: str = "") -> bytes:
    """Encode a request about one link, or about all."""
    named = attribute(_IFLA_IFNAME, name_octets(name)) if name else b""
    return (
        _LINK.pack(AF_UNSPEC, 0, ifindex, flags, change)
        + named
        + (attribute(_IFLA_IFALIAS, alias.encode("utf-8", "surrogateescape")) if alias else b"")
    )


def macvlan_request(name: str, lower: int, mac: bytes) -> bytes:
    """Encode a request for a macvlan."""
    # In mode private, what another master sends from the same MAC would reach the macvlan and not its interface.
    mode = attribute(_MACVLAN_MODE, _INT.pack(_MACVLAN_MODE_BRIDGE))
    info = attribute(_INFO_KIND, b"macvlan") + attribute(_INFO_DATA, mode)
    return (
        link_request(name=name)
        + attribute(_IFLA_LINK, _INT.pack(lower))
        + attribute(_IFLA_ADDRESS, mac)
        + attribute(_IFLA_LINKINFO, info)
    )


# -- addresses


def address(body: bytes) -> Address | None:
    """The address that a message is about; None for one of another family than IPv4 and IPv6."""
    family, prefix_length, flags, _, ifindex = _ADDRESS.unpack_from(body)
    found = attributes(body, _ADDRESS.size)
    octets = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
    if octets is None or (family, len(octets)) not in ((AF_INET, 4), (AF_INET6, 16)):
        return None
    if family == AF_INET:
        source = not flags & IFA_F_SECONDARY
    else:
        source = octets.startswith(LINK_LOCAL) and not flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)
    return Address(ifindex, octets, prefix_length, found.get(_IFA_ADDRESS) or octets, source)


def address_dump_request() -> bytes:
    """Encode a request for all addresses."""
    return _ADDRESS.pack(AF_UNSPEC, 0, 0, 0, 0)


@lru_cache(maxsize=4096)
def address_request(wanted: VirtualAddress, ifindex: int) -> bytes:
    """Encode a request to set or remove an address.

    Cached: the removal of leftover addresses at start fills the cache for the takeover.
    """
    flags = wanted.flags
    if wanted.family == 6:
        # Whoever held it a moment ago may hold it still; waiting for duplicate detection would be an outage.
        flags |= IFA_F_NODAD
    body = _ADDRESS.pack(
        AF_INET if wanted.family == 4 else AF_INET6, wanted.prefix_length, flags & 0xFF, wanted.scope, ifindex
    )
    body += attribute(_IFA_LOCAL, wanted.octets) + attribute(_IFA_ADDRESS, packed(wanted.peer or wanted.address))
    if wanted.broadcast:
        body += attribute(_IFA_BROADCAST, packed(wanted.broadcast))
    if wanted.label:
        body += attribute(_IFA_LABEL, name_octets(wanted.label))
    if wanted.flags:
        body += attribute(_IFA_FLAGS, _INT.pack(flags))
    if wanted.preferred_lft is not None:
        body += attribute(_IFA_CACHEINFO, _CACHEINFO.pack(wanted.preferred_lft, _FOREVER, 0, 0))
    return body


# -- neighbours


def next_hop_request(destination: bytes, ifindex: int) -> bytes:
    """Encode the question by which way an address is reached out of a link."""
    family = AF_INET if len(destination) == 4 else AF_INET6
    header = _ROUTE.pack(family, 8 * len(destination), 0, 0, 0, 0, 0, 0, 0)
    return header + attribute(_RTA_DST, destination) + attribute(_RTA_OIF, _INT.pack(ifindex))


def next_hop(body: bytes) -> bytes | None:
    """The gateway that an answer names; None where the destination is on the link itself."""
    return attributes(body, _ROUTE.size).get(_RTA_GATEWAY)


def neighbour_request(neighbour: bytes, ifindex: int) -> bytes:
    """Encode a request to look up a neighbour's MAC address as if something was to be sent to it."""
    family = AF_INET if len(neighbour) == 4 else AF_INET6
    return _NEIGHBOUR.pack(family, ifindex, 0, _NTF_USE, 0) + attribute(_NDA_DST, neighbour)


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("utf-8", "surrogateescape")
