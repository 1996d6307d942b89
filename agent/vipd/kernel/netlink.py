"""The kernel's links and addresses over netlink: reads what it reports, and asks it for changes.

What is known of them, and why reports and answers are not simply believed, is in `picture`.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import suppress

from vipd.config.model import VirtualAddress
from vipd.kernel import rtnetlink
from vipd.kernel.picture import Link, Picture
from vipd.kernel.rtnetlink import IFF_UP, Message

_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
_SOL_NETLINK, _GET_STRICT_CHK = 270, 12
_RECEIVE = 1 << 18
_BATCH = 256  # reports read before the deadlines are looked at again, however many are waiting
_DUMPS = 10


class ReportQueue:
    """A socket on which the kernel reports.

    Once a report was lost (ENOBUFS) the kernel drops all further ones, and says so no more, until the queue is empty.
    So the rest of the queue is thrown away first, and what there is has to be looked at then.

    Attributes:
        empty: the last reading came to the end of the queue.
        lost: some are missing; whoever has looked, with `empty`, clears it.
    """

    def __init__(self, opened: socket.socket) -> None:
        """Read from a socket that was opened for reports."""
        self._socket = opened
        self._socket.setblocking(False)
        self.empty = self.lost = False

    def fileno(self) -> int:
        """Readable when something was reported."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()

    def read(self) -> Iterator[Message]:
        """Read what is waiting, but not for ever; nothing more once some were lost.

        Raises:
            OSError: nothing can be read.
        """
        self.empty = False
        for _ in range(_BATCH):
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                self.empty = True
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost = True
                continue
            if not self.lost:
                yield from rtnetlink.messages(data)


class Netlink:
    """Two sockets, and the picture that they give.

    Attributes:
        picture: the links and addresses.
    """

    def __init__(self) -> None:
        """Open the sockets and read everything."""
        self.picture = Picture()
        self._events = ReportQueue(self.open(_RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
        self._requests = self.open(0)
        self._sequence = 0
        self._refresh()

    @property
    def links(self) -> dict[str, Link]:
        """The links by name."""
        return self.picture.links

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._events.fileno()

    def read(self) -> None:
        """Take in what changed; read everything anew where reports were lost or are in doubt."""
        for report in self._events.read():
            self._take(report)
        if self._events.empty and (self._events.lost or self.picture.in_doubt):
            self._refresh()

    def add(self, address: VirtualAddress) -> None:
        """Set an address; one that is there already is fine.

        Raises:
            OSError: the kernel refuses it, or there is no such interface.
        """
        link = self.links.get(address.device)
        if link is None:
            raise OSError(errno.ENODEV, f"there is no interface {address.device}")
        flags = rtnetlink.CREATE | rtnetlink.EXCL
        self.change(rtnetlink.address_request(address, link.ifindex), rtnetlink.NEWADDR, flags, (errno.EEXIST,))
        self.picture.address_set(address, link.ifindex)

    def remove(self, address: VirtualAddress) -> None:
        """Remove an address; one that is not there is fine, and so is an interface that is gone.

        One that vipd has set is removed from where it was set, though the interface may have another name by now.

        Raises:
            OSError: the kernel refuses it.
        """
        link = self.links.get(address.device)
        ifindex = self.picture.set_on(address) or (link.ifindex if link else None)
        if ifindex is not None:
            gone = (errno.EADDRNOTAVAIL, errno.ENODEV)
            # The kernel renames labels together with their interface.
            asked = address if link is not None and link.ifindex == ifindex else address._replace(label=None)
            self.change(rtnetlink.address_request(asked, ifindex), rtnetlink.DELADDR, 0, gone)
        self.picture.address_removed(address)

    def make_macvlan(self, name: str, lower: Link, mac: bytes, alias: str) -> None:
        """Make a macvlan on an interface, down, and write `alias` on it.

        Raises:
            OSError: the kernel refuses it, or there is one of that name.
        """
        flags = rtnetlink.CREATE | rtnetlink.EXCL
        self.change(rtnetlink.macvlan_request(name, lower.ifindex, mac), rtnetlink.NEWLINK, flags)
        self._write_alias(name, alias)

    def mark_link(self, link: Link, alias: str) -> None:
        """Write `alias` on an interface.

        Raises:
            OSError: the kernel refuses it, or it is gone.
        """
        self._write_alias(link.name, alias)

    def _write_alias(self, name: str, alias: str) -> None:
        self.change(rtnetlink.link_request(name=name, alias=alias), rtnetlink.NEWLINK, 0)
        for answer in self._asked(rtnetlink.link_request(name=name), rtnetlink.GETLINK, rtnetlink.ACK):
            made = rtnetlink.link(answer.body) if answer.kind == rtnetlink.NEWLINK else None
            if made is not None:
                self.picture.link_made(made)

    def remove_link(self, link: Link) -> None:
        """Delete an interface.

        Raises:
            OSError: the kernel refuses it.
        """
        self.change(rtnetlink.link_request(link.ifindex), rtnetlink.DELLINK, 0)
        self.picture.link_gone(link.ifindex)

    def raise_link(self, link: Link, up: bool) -> None:
        """Bring an interface up or take it down.

        Raises:
            OSError: the kernel refuses it, or it is gone.
        """
        self.change(rtnetlink.link_request(link.ifindex, IFF_UP if up else 0, IFF_UP), rtnetlink.NEWLINK, 0)

    def resolve(self, link: Link, address: bytes) -> None:
        """Have the kernel look up the MAC address that leads to an address: its own, or its gateway's.

        Raises:
            OSError: there is no way to it out of this link.
        """
        (answer,) = self._asked(rtnetlink.next_hop_request(address, link.ifindex), rtnetlink.GETROUTE, rtnetlink.ACK)
        neighbour = rtnetlink.next_hop(answer.body) or address
        request = rtnetlink.neighbour_request(neighbour, link.ifindex)
        self.change(request, rtnetlink.NEWNEIGH, rtnetlink.CREATE)

    def change(self, body: bytes, kind: int, flags: int, fine: tuple[int, ...] = ()) -> None:
        """Send a request for a change; errors listed in `fine` are ignored.

        Raises:
            OSError: the kernel refuses it.
        """
        try:
            for _ in self._asked(body, kind, rtnetlink.ACK | flags):
                pass
        except OSError as error:
            if error.errno not in fine:
                raise

    @property
    def port(self) -> int:
        """What reports of this socket's own requests have for `sender`."""
        return int(self._requests.getsockname()[0])

    def listed(self, body: bytes, kind: int) -> list[bytes]:
        """All that a dump lists; it is asked for anew where something changed in between, but not for ever.

        Since Linux 4.20 the kernel leaves out what does not fit the request, such as routes of another protocol.

        Raises:
            OSError: the kernel refuses it.
        """
        self._heed_filters(1)
        try:
            for _ in range(_DUMPS):
                if (bodies := self._dump(body, kind)) is not None:
                    return bodies
        finally:
            self._heed_filters(0)
        raise OSError(errno.EAGAIN, "routes or rules change all the time")

    def _heed_filters(self, heed: int) -> None:
        with suppress(OSError):
            self._requests.setsockopt(_SOL_NETLINK, _GET_STRICT_CHK, heed)

    def _take(self, report: Message) -> None:
        picture = self.picture
        if report.kind in (rtnetlink.NEWLINK, rtnetlink.DELLINK):
            link = rtnetlink.link(report.body)
            if link is not None and report.kind == rtnetlink.NEWLINK:
                picture.link_here(link)
            elif link is not None:
                picture.link_gone(link.ifindex)
        elif report.kind in (rtnetlink.NEWADDR, rtnetlink.DELADDR):
            address = rtnetlink.address(report.body)
            if address is not None and report.kind == rtnetlink.NEWADDR:
                picture.address_here(address)
            elif address is not None:
                picture.address_gone(address)

    def _refresh(self) -> None:
        """Read everything; a dump during which something changed may lack what did not, and is asked for again.

        Where all tries are like that, what is known stays, and the report of the last change brings the next try.
        """
        self._events.lost = True
        for _ in range(_DUMPS):
            links = self._dump(rtnetlink.link_request(), rtnetlink.GETLINK)
            addresses = self._dump(rtnetlink.address_dump_request(), rtnetlink.GETADDR)
            if links is not None and addresses is not None:
                here = filter(None, map(rtnetlink.link, links)), filter(None, map(rtnetlink.address, addresses))
                self.picture.dumped(*here)
                self._events.lost = False
                return

    def _dump(self, body: bytes, kind: int) -> list[bytes] | None:
        """Everything of a kind; None if something changed in between."""
        answers = [*self._asked(body, kind, rtnetlink.DUMP)]
        if any(answer.flags & rtnetlink.DUMP_INTERRUPTED for answer in answers):
            return None
        return [answer.body for answer in answers if answer.kind != rtnetlink.DONE]

    def _asked(self, body: bytes, kind: int, flags: int) -> Iterator[Message]:
        """Send a request and return the answers; after those to a dump comes one of type DONE."""
        self._sequence += 1
        self._requests.send(rtnetlink.message(kind, rtnetlink.REQUEST | flags, self._sequence, body))
        while True:
            for answer in rtnetlink.messages(self._requests.recv(_RECEIVE)):
                if answer.sequence != self._sequence:
                    continue
                last = answer.kind in (rtnetlink.ERROR, rtnetlink.DONE)
                code = rtnetlink.error(answer.body) if last else 0
                if code:
                    raise OSError(code, errno.errorcode.get(code, str(code)))
                if answer.kind != rtnetlink.ERROR:
                    yield answer
                if last:
                    return

    @staticmethod
    def open(groups: int) -> socket.socket:
        """A socket that hears the reports of these groups, a mask of RTMGRP_...

        Raises:
            OSError: the kernel gives none.
        """
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        opened.bind((0, groups))
        return opened
