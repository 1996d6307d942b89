"""A model of the kernel's links and addresses, and of what it tells of them over netlink: in any order that is legal.

What others do may come between any two system calls of vipd (`Kernel.meanwhile`), so a report may be older or newer
than any answer. Seen on Linux 6.18, and read in the kernel's source:

- A change is reported as it happens, before the request that made it is acknowledged. Not so an IPv6 address that is
  set: its report comes from a work queue, some time later, and not at all if the address is gone by then.
- An alias is reported of a link that is up, and only then. A link that goes down loses its IPv6 addresses.
- A bridge reports its ports by messages of the types for links, with a family of its own.
- A queue that is full sets ENOBUFS once, and then takes nothing more until it has been read empty.
- A dump comes in parts. One between whose parts something came or went may lack what stayed, and says so.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from vipd.config.model import packed
from vipd.kernel import rtnetlink
from vipd.kernel.picture import LINK_LOCAL, Address, Link
from vipd.kernel.rtnetlink import IFF_RUNNING, IFF_UP, attribute

_AF_BRIDGE = 7
_PART = 1  # entries of a dump in one read


@dataclass(frozen=True)
class Held:
    """An address of an interface. `fresh`: it has not been reported yet."""

    octets: bytes
    prefix_length: int
    peer: bytes
    secondary: bool = False
    tentative: bool = False
    fresh: bool = False

    @property
    def network(self) -> tuple[int, int]:
        """The mask, and what it leaves of the peer."""
        return self.prefix_length, int.from_bytes(self.peer, "big") >> 8 * len(self.peer) - self.prefix_length

    @property
    def family(self) -> int:
        return 4 if len(self.octets) == 4 else 6


def held(text: str) -> Held:
    """An address from text, such as 192.0.2.1/24."""
    address, _, length = text.partition("/")
    return Held(packed(address), int(length), packed(address))


@dataclass
class Interface:
    """An interface and its addresses, in the kernel's order."""

    ifindex: int
    name: str
    raised: bool = True
    carrier: bool = True
    mac: bytes = bytes(6)
    lower: int = 0
    alias: str = ""
    addresses: list[Held] = field(default_factory=list)


class Happening(NamedTuple):
    """What others do: a method of `Kernel`, with its arguments."""

    what: str
    arguments: tuple[object, ...] = ()


class Kernel:
    """Links, addresses, one queue of reports, and answers to requests.

    Attributes:
        interfaces: by index.
        capacity: how many reports the queue takes.
        twice: reports come twice.
        promotes: a secondary address takes the place of the primary one that is removed (promote_secondaries).
        meanwhile: what others do before each system call of vipd.
        taken: addresses that went away without having been asked for by vipd.
    """

    def __init__(self, capacity: int = 1000, twice: bool = False, promotes: bool = False) -> None:
        self.interfaces: dict[int, Interface] = {}
        self.capacity, self.twice, self.promotes = capacity, twice, promotes
        self.meanwhile: Callable[[], None] = lambda: None
        self.taken: set[bytes] = set()
        self._queue: deque[bytes] = deque()
        self._congested = self._error = False
        self._next = 2
        self._generation = 0

    # -- what happens

    def happen(self, happening: Happening) -> None:
        """Let others do something; that it cannot be done now is fine."""
        with suppress(OSError):
            getattr(self, happening.what)(*happening.arguments)

    def make(self, name: str, raised: bool = True, mac: bytes = bytes(6), lower: int = 0) -> None:
        """Raises OSError with EEXIST if there is one of that name."""
        if self.named(name) is not None:
            raise OSError(errno.EEXIST, "it is there")
        interface = Interface(self._next, name, raised, mac=mac, lower=lower)
        self.interfaces[self._next] = interface
        self._next += 1
        self._generation += 1
        self._report_link(interface)
        if raised:
            self._link_local(interface)

    def delete(self, name: str) -> None:
        interface = self.named(name)
        if interface is None:
            return
        for one in [upper for upper in self.interfaces.values() if upper.lower == interface.ifindex]:
            self.delete(one.name)
        self.raise_link(name, up=False)
        for address in [*interface.addresses]:
            if address in interface.addresses:
                self._remove(interface, address)
        del self.interfaces[interface.ifindex]
        self._generation += 1
        self._report_link(interface, rtnetlink.DELLINK)

    def rename(self, name: str, new: str) -> None:
        interface = self.named(name)
        if interface is not None and self.named(new) is None:
            interface.name = new
            self.taken.update(one.octets for one in interface.addresses)
            self._generation += 1
            self._report_link(interface)

    def raise_link(self, name: str, up: bool) -> None:
        interface = self.named(name)
        if interface is None or interface.raised == up:
            return
        interface.raised = up
        self._report_link(interface)
        if up:
            known = interface.addresses
            interface.addresses = [replace(one, fresh=one.fresh or one.tentative) for one in known]
            self._link_local(interface)
        else:
            for address in [one for one in interface.addresses if one.family == 6]:
                self._remove(interface, address)

    def plug(self, name: str, carrier: bool) -> None:
        interface = self.named(name)
        if interface is not None and interface.carrier != carrier:
            interface.carrier = carrier
            if interface.raised:
                self._report_link(interface)

    def write_alias(self, name: str, alias: str) -> None:
        interface = self.named(name)
        if interface is not None:
            interface.alias = alias
            if interface.raised:
                self._report_link(interface)

    def bridged(self, name: str, joined: bool) -> None:
        interface = self.named(name)
        if interface is not None:
            self._report_link(interface, rtnetlink.NEWLINK if joined else rtnetlink.DELLINK, _AF_BRIDGE)

    def add(self, name: str, address: Held) -> None:
        """Raises OSError with EEXIST if it is there."""
        interface = self.named(name)
        if interface is None:
            return
        known = interface.addresses
        if address.family == 6:
            if any(one.octets == address.octets for one in known):
                raise OSError(errno.EEXIST, "it is there")
            known.append(replace(address, fresh=True))
        else:
            beside = [one for one in known if one.family == 4 and one.network == address.network]
            if any(one.octets == address.octets for one in beside):
                raise OSError(errno.EEXIST, "it is there")
            address = replace(address, secondary=bool(beside))
            known.append(address)
            self._report_address(interface, address)
        self._generation += 1

    def remove(self, name: str, address: Held) -> None:
        """Raises OSError with EADDRNOTAVAIL if it is not there."""
        interface = self.named(name)
        for one in interface.addresses if interface else ():
            if one.octets == address.octets and (one.family == 6 or one.network == address.network):
                assert interface is not None
                self._remove(interface, one)
                return
        raise OSError(errno.EADDRNOTAVAIL, "it is not there")

    def refuse(self, name: str) -> None:
        """Duplicate detection finds the link-local address of an interface elsewhere."""
        interface = self.named(name)
        for at, one in enumerate(interface.addresses if interface else ()):
            if interface is not None and one.octets.startswith(LINK_LOCAL) and not one.fresh:
                interface.addresses[at] = replace(one, tentative=True)
                self._report_address(interface, interface.addresses[at])

    def storm(self, count: int) -> None:
        """Links come and go."""
        for number in range(count):
            self.make(f"d{number}")
            self.delete(f"d{number}")

    def catch_up(self) -> None:
        """The work queue comes round to the IPv6 addresses that have not been reported yet."""
        for interface in self.interfaces.values():
            for at, one in enumerate(interface.addresses):
                if one.fresh:
                    interface.addresses[at] = replace(
                        one, fresh=False, tentative=one.tentative and not interface.raised
                    )
                    self._report_address(interface, interface.addresses[at])

    # -- what there is

    def named(self, name: str) -> Interface | None:
        return next((one for one in self.interfaces.values() if one.name == name), None)

    def links(self) -> dict[str, Link]:
        """What a picture should have."""
        shown = (rtnetlink.link(_link_body(one)) for one in self.interfaces.values())
        return {link.name: link for link in shown if link is not None}

    def addresses(self) -> list[Address]:
        """What a picture should have."""
        bodies = (_address_body(one, address) for one in self.interfaces.values() for address in one.addresses)
        return [address for address in map(rtnetlink.address, bodies) if address is not None]

    # -- what vipd asks and is told

    def readable(self) -> bool:
        """Whether there is something in the queue, or an error."""
        return self._error or bool(self._queue)

    def report(self) -> bytes:
        """One read of the socket with the reports."""
        self.meanwhile()
        if self._error:
            self._error = False
            self._congested = self._congested and bool(self._queue)
            raise OSError(errno.ENOBUFS, "reports were lost")
        if not self._queue:
            self._congested = False
            raise BlockingIOError
        report = self._queue.popleft()
        self._congested = self._congested and bool(self._queue)
        return report

    def request(self, data: bytes) -> Callable[[], bytes]:
        """Send a request; returns what reads its answers."""
        self.meanwhile()
        (asked,) = rtnetlink.messages(data)
        if asked.flags & rtnetlink.DUMP == rtnetlink.DUMP:
            return _Dump(self, asked).read
        answers = b""
        try:
            answers = self._carry_out(asked)
            code = 0
        except OSError as error:
            code = error.errno or errno.EINVAL
        body = (-code).to_bytes(4, "little", signed=True) + data[:16]
        answers += rtnetlink.message(rtnetlink.ERROR, 0, asked.sequence, body)
        return lambda: answers

    def _carry_out(self, asked: rtnetlink.Message) -> bytes:
        body = asked.body
        if asked.kind in (rtnetlink.NEWADDR, rtnetlink.DELADDR):
            address = rtnetlink.address(body)
            assert address is not None
            interface = self.interfaces.get(address.ifindex)
            if interface is None:
                raise OSError(errno.ENODEV, "there is no such interface")
            wanted = Held(address.octets, address.prefix_length, address.peer)
            if asked.kind == rtnetlink.NEWADDR:
                self.taken.discard(wanted.octets)
                self.add(interface.name, wanted)
            else:
                before = wanted.octets in self.taken
                self.remove(interface.name, wanted)
                self.taken -= set() if before else {wanted.octets}
            return b""
        ifindex, flags, change = (int.from_bytes(body[at : at + 4], "little") for at in (4, 8, 12))
        found = rtnetlink.attributes(body, 16)
        name = found.get(3, b"").rstrip(b"\0").decode()
        if asked.flags & rtnetlink.CREATE:
            lower = int.from_bytes(found[5], "little")
            if lower not in self.interfaces:
                raise OSError(errno.ENODEV, "there is no such interface")
            self.make(name, raised=False, mac=found[1], lower=lower)
            return b""
        interface = self.interfaces.get(ifindex) if ifindex else self.named(name)
        if interface is None:
            raise OSError(errno.ENODEV, "there is no such interface")
        if asked.kind == rtnetlink.GETLINK:
            return rtnetlink.message(rtnetlink.NEWLINK, 0, asked.sequence, _link_body(interface))
        if asked.kind == rtnetlink.DELLINK:
            self.delete(interface.name)
        elif change & IFF_UP:
            self.raise_link(interface.name, bool(flags & IFF_UP))
        elif 20 in found:
            self.write_alias(interface.name, found[20].decode())
        return b""

    # -- reports

    def _link_local(self, interface: Interface) -> None:
        """A link that comes up gets its link-local address, which is tentative at first."""
        octets = LINK_LOCAL + bytes(13) + bytes([interface.ifindex])
        if not interface.lower and not any(one.octets == octets for one in interface.addresses):
            interface.addresses.append(Held(octets, 64, octets, tentative=True, fresh=True))
            self._generation += 1

    def _remove(self, interface: Interface, address: Held) -> None:
        known = interface.addresses
        heirs = [one for one in known if one.secondary and one.network == address.network and not address.secondary]
        if not self.promotes:
            for one in heirs:
                known.remove(one)
                self._report_address(interface, one, rtnetlink.DELADDR)
        known.remove(address)
        self.taken.update(one.octets for one in (address, *heirs))
        self._generation += 1
        self._report_address(interface, address, rtnetlink.DELADDR)
        if heirs and self.promotes:
            heir = replace(heirs[0], secondary=False)
            known[known.index(heirs[0])] = heir
            self._report_address(interface, heir)

    def _report_link(self, interface: Interface, kind: int = rtnetlink.NEWLINK, family: int = 0) -> None:
        self._report(kind, _link_body(interface, family))

    def _report_address(self, interface: Interface, address: Held, kind: int = rtnetlink.NEWADDR) -> None:
        self._report(kind, _address_body(interface, address))

    def _report(self, kind: int, body: bytes) -> None:
        for _ in range(1 + self.twice):
            if self._congested or len(self._queue) >= self.capacity:
                self._error = self._error or not self._congested
                self._congested = True
            else:
                self._queue.append(rtnetlink.message(kind, 0, 0, body))


class _Dump:
    """A dump in progress: it goes on at a place in a list that may have changed meanwhile."""

    def __init__(self, kernel: Kernel, asked: rtnetlink.Message) -> None:
        self._kernel, self._asked = kernel, asked
        self._at = 0
        self._generation = kernel._generation

    def read(self) -> bytes:
        kernel, links = self._kernel, self._asked.kind == rtnetlink.GETLINK
        flags = 0
        if self._generation != kernel._generation:
            flags = rtnetlink.DUMP_INTERRUPTED
            self._at += self._at > 0  # what comes next has moved to where the dump has been
        interfaces = kernel.interfaces.values()
        bodies = (
            [_link_body(one) for one in interfaces]
            if links
            else [_address_body(one, address) for one in interfaces for address in one.addresses]
        )[self._at : self._at + _PART]
        self._at += _PART
        kind = rtnetlink.NEWLINK if links else rtnetlink.NEWADDR
        sequence = self._asked.sequence
        if not bodies:
            return rtnetlink.message(rtnetlink.DONE, flags, sequence, bytes(4))
        return b"".join(
            one + bytes(-len(one) % 4) for one in (rtnetlink.message(kind, flags, sequence, body) for body in bodies)
        )


class Reports:
    """The socket that reports are read from."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def fileno(self) -> int:
        return -1

    def recv(self, size: int) -> bytes:
        return self._kernel.report()


class Requests:
    """The socket that requests are sent by."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._answer: Callable[[], bytes] = bytes

    def send(self, data: bytes) -> int:
        self._answer = self._kernel.request(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        self._kernel.meanwhile()
        return self._answer()


def opened(kernel: Kernel, groups: int) -> Any:
    """What `Netlink` is given for a socket."""
    return Reports(kernel) if groups else Requests(kernel)


def _link_body(interface: Interface, family: int = 0) -> bytes:
    flags = (IFF_UP if interface.raised else 0) | (IFF_RUNNING if interface.raised and interface.carrier else 0)
    header = bytes([family, 0, 1, 0]) + b"".join(n.to_bytes(4, "little") for n in (interface.ifindex, flags, 0))
    body = header + attribute(3, interface.name.encode() + b"\0") + attribute(1, interface.mac)
    if interface.lower:
        body += attribute(5, interface.lower.to_bytes(4, "little"))
    # A bridge tells of its ports what concerns a bridge.
    return body + (attribute(20, interface.alias.encode() + b"\0") if interface.alias and not family else b"")


def _address_body(interface: Interface, address: Held) -> bytes:
    family = rtnetlink.AF_INET if address.family == 4 else rtnetlink.AF_INET6
    flags = (rtnetlink.IFA_F_SECONDARY if address.secondary else 0) | (
        rtnetlink.IFA_F_TENTATIVE if address.tentative else 0
    )
    header = bytes([family, address.prefix_length, flags, 0]) + interface.ifindex.to_bytes(4, "little")
    return header + attribute(1, address.peer) + attribute(2, address.octets)
