"""What vipd knows of the kernel's links and addresses. Does no I/O.

It is told three things: *reports*, which the kernel queues for whoever listens; *acknowledgements*, with which it
answers vipd's own requests; and *dumps*, in which it lists everything. They tell of the same kernel at different times,
and this is all that one may rely on:

- Reports come in the order of what happened, each with all of a link or an address as it was then. One that happened
  before an acknowledgement or a dump may be read after it.
- A link's alias that is set while the link is down is not reported.
- An IPv6 address that is set is reported some time after the acknowledgement, or not at all if it is removed first.
- Anything may be reported more than once.
- When the queue overflows, reports are lost, and lost they are until the queue has been read empty.

So what was acknowledged is known at once. A report may be older than an acknowledgement: where one says that an address
is removed that vipd was told is set, neither is believed, but a dump (`in_doubt`). And where reports were lost, a dump
is true only of a queue that was read empty before. After the last report has been read, the picture is the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vipd.config.model import VirtualAddress, packed

LINK_LOCAL = b"\xfe\x80"


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


class Key(NamedTuple):
    """What tells an interface's addresses apart: for IPv6 the address alone, for IPv4 also mask and peer's network."""

    octets: bytes
    prefix_length: int = 0
    network: int = 0


class Address(NamedTuple):
    """An address of an interface. `source` says whether adverts may come from it.

    IPv4: it is not secondary. IPv6: it is link-local, and duplicate detection is over.
    """

    ifindex: int
    octets: bytes
    prefix_length: int
    peer: bytes
    source: bool

    @property
    def key(self) -> Key:
        """What the kernel knows it by."""
        return _key(self.octets, self.prefix_length, self.peer)


class Picture:
    """The links and addresses.

    Attributes:
        in_doubt: a report contradicts an acknowledgement; call `dumped` with a dump.
    """

    def __init__(self) -> None:
        self.in_doubt = False
        self._links: dict[int, Link] = {}
        self._addresses: dict[int, dict[Key, Address]] = {}
        self._aliases: dict[int, str] = {}
        self._set: dict[VirtualAddress, tuple[int, Key]] = {}
        # Made from the above when they are asked for next.
        self._by_name: dict[str, Link] | None = None
        self._octets: set[bytes] | None = None

    # -- what is known

    @property
    def links(self) -> dict[str, Link]:
        """The links by name."""
        if self._by_name is None:
            # Of two with one name the older one's end has not been reported yet.
            self._by_name = {link.name: link for link in self._links.values()}
        return self._by_name

    def sources(self, ifindex: int, family: int) -> list[int]:
        """The addresses of a link that adverts may come from, the one that has been one for longest first."""
        size = 4 if family == 4 else 16
        addresses = self._addresses.get(ifindex, {}).values()
        return [int.from_bytes(one.octets, "big") for one in addresses if one.source and len(one.octets) == size]

    def has(self, octets: bytes) -> bool:
        """Whether any link has an address."""
        if self._octets is None:
            self._octets = {key.octets for there in self._addresses.values() for key in there}
        return octets in self._octets

    def lost(self, address: VirtualAddress) -> bool:
        """Whether vipd has set an address on a link that is here, and it is not there any more."""
        link = self.links.get(address.device)
        if link is None or address not in self._set:
            return False
        return self._set[address][1] not in self._addresses.get(link.ifindex, ())

    def set_on(self, address: VirtualAddress) -> int | None:
        """The index of the interface that vipd has set an address on; None if it has not."""
        return self._set[address][0] if address in self._set else None

    # -- acknowledgements

    def address_set(self, address: VirtualAddress, ifindex: int) -> None:
        """The kernel has acknowledged that an address is set."""
        peer = packed(address.peer or address.address)
        key = _key(address.octets, address.prefix_length, peer)
        self._set[address] = ifindex, key
        there = self._addresses.setdefault(ifindex, {})
        if key not in there:
            # Whether IPv4's is a secondary one, a report has to say; vipd's of IPv6 wait for no duplicate detection.
            source = address.octets.startswith(LINK_LOCAL)
            there[key] = Address(ifindex, address.octets, address.prefix_length, peer, source)
            self._octets = None

    def address_removed(self, address: VirtualAddress) -> None:
        """The kernel has acknowledged that an address is not set, or its link is gone."""
        if address in self._set:
            ifindex, key = self._set.pop(address)
            self._addresses.get(ifindex, {}).pop(key, None)
            self._octets = None

    def link_made(self, link: Link) -> None:
        """The kernel has acknowledged that a link is made, with this alias."""
        self._aliases[link.ifindex] = link.alias
        self.link_here(link)

    # -- reports

    def link_here(self, link: Link) -> None:
        """A link has been made or has changed."""
        alias = self._aliases.get(link.ifindex)
        self._links[link.ifindex] = link._replace(alias=alias) if alias and not link.alias else link
        self._by_name = None

    def link_gone(self, ifindex: int) -> None:
        """A link has been deleted."""
        self._links.pop(ifindex, None)
        self._addresses.pop(ifindex, None)
        self._aliases.pop(ifindex, None)
        self._by_name = self._octets = None

    def address_here(self, address: Address) -> None:
        """An address has been set or has changed."""
        there = self._addresses.setdefault(address.ifindex, {})
        before = there.get(address.key)
        if address.source and before is not None and not before.source:
            del there[address.key]  # one that becomes a source is the newest
        there[address.key] = address
        self._octets = None

    def address_gone(self, address: Address) -> None:
        """An address has been removed."""
        if (address.ifindex, address.key) in self._set.values():
            self.in_doubt = True
        else:
            self._addresses.get(address.ifindex, {}).pop(address.key, None)
            self._octets = None

    # -- dumps

    def dumped(self, links: Iterable[Link], addresses: Iterable[Address]) -> None:
        """All that the kernel has, asked for after its queue had been read empty; what stays keeps its place."""
        self._aliases.clear()
        self._links = {link.ifindex: link for link in links}
        addresses = list(addresses)
        listed = {(one.ifindex, one.key) for one in addresses}
        self._addresses = {
            ifindex: {key: one for key, one in there.items() if (ifindex, key) in listed}
            for ifindex, there in self._addresses.items()
        }
        for one in addresses:
            self.address_here(one)
        self.in_doubt = False
        self._by_name = self._octets = None


def _key(octets: bytes, prefix_length: int, peer: bytes) -> Key:
    if len(octets) == 16:
        return Key(octets)
    return Key(octets, prefix_length, int.from_bytes(peer, "big") >> 32 - min(prefix_length, 32))
