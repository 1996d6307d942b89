"""The packet filter of Accept_Mode False: it drops packets for the addresses of a master that does not own them.

RFC 9568 section 6.4.3, and RFC 3768 which knows no other way. The kernel takes what is sent to an address that it has,
so a table of nftables, this daemon's alone, stands before it. Neighbour discovery passes: without it nobody would find
the router. The whole table is written anew each time, in one transaction.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from contextlib import suppress

from vipd.kernel.rtnetlink import name_octets

_NETLINK_NETFILTER = 12
_CHAIN = b"input\0"
_INET, _UNSPEC = 1, 0
_SUBSYSTEM = 10
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _NEW_RULE = (_SUBSYSTEM << 8 | number for number in (0, 2, 3, 6))
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_NESTED = 0x8000
_PATIENCE_S = 5
_HEADER = struct.Struct("=IHHII")
_GENERIC = struct.Struct("!BBH")
_ATTRIBUTE = struct.Struct("=HH")
_WORD = struct.Struct("!I")
_SIGNED = struct.Struct("=i")

_LOCAL_IN, _BEFORE_FILTER = 1, -1
_REGISTER = 1
_META_FAMILY, _META_PROTOCOL = 15, 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_VERDICT_REGISTER, _DROP, _ACCEPT = 0, 0, 1
_ICMPV6, _SOLICITATION, _ADVERTISEMENT = 58, 135, 136
_FAMILIES = {4: 2, 16: 10}  # length of an address: NFPROTO_IPV4, NFPROTO_IPV6
_DESTINATION = {4: 16, 16: 24}  # where the header has it


class AcceptFilter:
    """The nftables table of this daemon; it exists while an address is filtered."""

    def __init__(self, mark: str) -> None:
        """Make no table yet; `mark` is its name, which no other daemon of this network namespace may use."""
        self._table = name_octets(mark)
        self._filtered: dict[str, frozenset[bytes]] = {}
        self._in_force: frozenset[bytes] | None = frozenset()  # None after an error

    def clear(self) -> None:
        """Remove the table that a killed daemon may have left. Called at start, since it takes a while.

        The kernel may have to load nftables for it, which took 0.3 s in an emulated guest: too long for a takeover.
        """
        with suppress(OSError):  # a kernel without nftables has nothing left over
            _commit(self._table, [])

    def update(self, router: str, addresses: Iterable[bytes]) -> None:
        """Filter packets for these addresses of a router, and for no others of it.

        Raises:
            OSError: the kernel has no nftables, or refuses the table; the next call tries again.
        """
        self._filtered[router] = frozenset(addresses)
        self._filter(self._filtered)

    def keep(self, routers: Iterable[str]) -> None:
        """Filter nothing for other routers than these.

        Raises:
            OSError: as with `update`; what was filtered for others is so still, until a next call.
        """
        wanted = {name: self._filtered[name] for name in routers if name in self._filtered}
        if wanted != self._filtered:  # a kernel without nftables looks for it on its disk each time that it is asked
            self._filter(wanted)
            self._filtered = wanted

    def _filter(self, wanted: dict[str, frozenset[bytes]]) -> None:
        addresses = frozenset[bytes]().union(*wanted.values())
        if addresses != self._in_force:
            self._in_force = None
            _commit(self._table, sorted(addresses))
            self._in_force = addresses


def _commit(table: bytes, filtered: list[bytes]) -> None:
    # Making a table that is there is fine, and deleting one that is not there is not.
    messages = [_message(_NEW_TABLE, _CREATE, _named(1, table)), _message(_DELETE_TABLE, 0, _named(1, table))]
    if filtered:
        hook = _words(1, _LOCAL_IN) + _attribute(2, struct.pack("!i", _BEFORE_FILTER))
        chain = _named(1, table) + _named(3, _CHAIN) + _attribute(4 | _NESTED, hook) + _named(7, b"filter\0")
        messages += [
            _message(_NEW_TABLE, _CREATE, _named(1, table)),
            _message(_NEW_CHAIN, _CREATE, chain),
            *(_rule(table, _neighbour(kind)) for kind in (_SOLICITATION, _ADVERTISEMENT)),
            *(_rule(table, _destined(address)) for address in filtered),
        ]
    batch = [
        _message(_BATCH_BEGIN, 0, b"", _UNSPEC, _SUBSYSTEM),
        *messages,
        _message(_BATCH_END, 0, b"", _UNSPEC, _SUBSYSTEM),
    ]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER) as opened:
        opened.bind((0, 0))
        opened.settimeout(_PATIENCE_S)
        opened.send(b"".join(batch))
        for _ in messages:
            answer = opened.recv(65536)
            (code,) = _SIGNED.unpack_from(answer, _HEADER.size)
            if code:
                raise OSError(-code, "nftables refuses to fence addresses off")


def _neighbour(kind: int) -> list[bytes]:
    return [
        *_is(_meta(_META_FAMILY), bytes([_FAMILIES[16]])),
        *_is(_meta(_META_PROTOCOL), bytes([_ICMPV6])),
        *_is(_payload(_TRANSPORT_HEADER, 0, 1), bytes([kind])),
        _verdict(_ACCEPT),
    ]


def _destined(address: bytes) -> list[bytes]:
    size = len(address)
    return [
        *_is(_meta(_META_FAMILY), bytes([_FAMILIES[size]])),
        *_is(_payload(_NETWORK_HEADER, _DESTINATION[size], size), address),
        _verdict(_DROP),
    ]


def _rule(table: bytes, expressions: list[bytes]) -> bytes:
    listed = b"".join(_attribute(1 | _NESTED, expression) for expression in expressions)
    rule = _named(1, table) + _named(2, _CHAIN) + _attribute(4 | _NESTED, listed)
    return _message(_NEW_RULE, _CREATE | _APPEND, rule)


def _is(load: bytes, value: bytes) -> tuple[bytes, bytes]:
    data = _attribute(3 | _NESTED, _attribute(1, value))
    return load, _expression(b"cmp\0", _words(1, _REGISTER) + _words(2, 0) + data)


def _meta(key: int) -> bytes:
    return _expression(b"meta\0", _words(1, _REGISTER) + _words(2, key))


def _payload(base: int, offset: int, length: int) -> bytes:
    return _expression(b"payload\0", _words(1, _REGISTER) + _words(2, base) + _words(3, offset) + _words(4, length))


def _verdict(code: int) -> bytes:
    data = _attribute(2 | _NESTED, _attribute(2 | _NESTED, _words(1, code)))
    return _expression(b"immediate\0", _words(1, _VERDICT_REGISTER) + data)


def _expression(name: bytes, data: bytes) -> bytes:
    return _attribute(1, name) + _attribute(2 | _NESTED, data)


def _words(kind: int, value: int) -> bytes:
    return _attribute(kind, _WORD.pack(value))


def _named(kind: int, name: bytes) -> bytes:
    return _attribute(kind, name)


def _attribute(kind: int, data: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def _message(kind: int, flags: int, body: bytes, family: int = _INET, resource: int = 0) -> bytes:
    acknowledged = 0 if kind in (_BATCH_BEGIN, _BATCH_END) else _ACK
    generic = _GENERIC.pack(family, 0, resource)
    return (
        _HEADER.pack(_HEADER.size + len(generic) + len(body), kind, _REQUEST | flags | acknowledged, 1, 0)
        + generic
        + body
    )
