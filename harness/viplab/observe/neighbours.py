"""The client's neighbour entry for the VIP, each change as the kernel reports it over netlink."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType

from pyroute2.netlink.rtnl import RTMGRP_NEIGH
from pyroute2.netlink.rtnl.marshal import MarshalRtnl
from pyroute2.netlink.rtnl.ndmsg import states

from viplab.address_family import AddressFamily
from viplab.lab.command import run
from viplab.observe.precedence import give_precedence
from viplab.observe.timeline import Timeline

_STATES = {number: name for name, number in states.items()}


class Neighbours:
    """Records a `neighbour` event for every change of the VIP's entry on one interface."""

    def __init__(self, vip: str, interface: str, timeline: Timeline) -> None:
        self._vip = vip
        self._interface = interface
        self._timeline = timeline
        self._thread = threading.Thread(target=self._listen, name="neighbours", daemon=True)

    def __enter__(self) -> Neighbours:
        self._index = socket.if_nametoindex(self._interface)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, RTMGRP_NEIGH))
        self._socket.settimeout(0.05)
        self._ended = False
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        give_precedence()
        marshal = MarshalRtnl()
        while not self._ended:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            now_ns = time.time_ns()
            for message in marshal.parse(data):
                if message.get("ifindex") == self._index and message.get_attr("NDA_DST") == self._vip:
                    self._timeline.record(
                        "neighbour",
                        t_ns=now_ns,
                        ip=self._vip,
                        mac=message.get_attr("NDA_LLADDR"),
                        state=_STATES.get(message["state"], str(message["state"])),
                        deleted=message["event"] == "RTM_DELNEIGH",
                    )


def neighbour_table(family: AddressFamily) -> str:
    """The client's neighbours as its own command prints them, for IPv4 as the article shows it (`arp -an`)."""
    return run(family.neighbour_table)
