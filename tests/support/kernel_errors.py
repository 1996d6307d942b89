"""Errors in what vipd makes of the kernel's reports, all of which it had or nearly had: a search has to find each."""

from __future__ import annotations

from typing import Any

from vipd.config.model import VirtualAddress
from vipd.kernel import rtnetlink
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Address, Key, Link, Picture


def _dump_before_the_queue_is_empty(self: Netlink) -> None:
    while True:
        try:
            data = self._events._socket.recv(0)
        except BlockingIOError:
            return self._refresh() if self.picture.in_doubt else None
        except OSError:
            self._refresh()
            continue
        for message in rtnetlink.messages(data):
            self._take(message)


def _set_when_reported(self: Picture, address: VirtualAddress, ifindex: int) -> None:
    there = dict(self._addresses.get(ifindex, {}))
    _ADDRESS_SET(self, address, ifindex)
    self._addresses[ifindex] = there


def _removal_is_believed(self: Picture, address: Address) -> None:
    self._addresses.get(address.ifindex, {}).pop(address.key, None)
    self._octets = None


def _alias_when_reported(self: Picture, link: Link) -> None:
    self.link_here(link._replace(alias=""))


def _any_family(body: bytes) -> Link | None:
    return _LINK(bytes(1) + body[1:])


def _interrupted_dump(self: Netlink, body: bytes, kind: int) -> list[bytes]:
    return [answer.body for answer in self._asked(body, kind, rtnetlink.DUMP) if answer.kind != rtnetlink.DONE]


def _source_for_good(self: Picture, address: Address) -> None:
    before = self._addresses.get(address.ifindex, {}).get(address.key)
    _ADDRESS_HERE(self, address._replace(source=address.source or (before is not None and before.source)))


_LINK, _ADDRESS_HERE, _ADDRESS_SET = rtnetlink.link, Picture.address_here, Picture.address_set
# What is replaced, and by what.
ERRORS: dict[str, tuple[Any, str, Any]] = {
    "everything is read anew before the queue is empty": (Netlink, "read", _dump_before_the_queue_is_empty),
    "an address is held when it is reported": (Picture, "address_set", _set_when_reported),
    "a removal is believed that may be older than the address": (Picture, "address_gone", _removal_is_believed),
    "an alias is known when it is reported": (Picture, "link_made", _alias_when_reported),
    "what a bridge says of a port is taken for the link's": (rtnetlink, "link", _any_family),
    "a dump is believed that was interrupted": (Netlink, "_dump", _interrupted_dump),
    "an address stays a source that was refused": (Picture, "address_here", _source_for_good),
    "the same address with another mask is the same": (Address, "key", property(lambda self: Key(self.octets))),
}
