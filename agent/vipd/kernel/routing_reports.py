"""Reports of routes and rules: whether somebody else may have deleted one of a master's.

A router of the internet hears of routes all the time, so no picture of them is kept as of addresses. A report that one
of keepalived's protocol was deleted, by another process than this one, only says when to look (`routing.missing`), and
so do reports that were lost.
"""

from __future__ import annotations

import errno

from vipd.kernel import routing, rtnetlink
from vipd.kernel.netlink import Netlink

_RTMGRP_IPV4_ROUTE, _RTMGRP_IPV4_RULE, _RTMGRP_IPV6_ROUTE, _RTMGRP_IPV6_RULE = 0x40, 0x80, 0x400, 0x40000
_RECEIVE = 1 << 18
_BATCH = 256  # reports read before the deadlines are looked at again


class RoutingReports:
    """A socket on which they come.

    Attributes:
        in_doubt: one may be gone; whoever has looked clears it.
    """

    def __init__(self, netlink: Netlink) -> None:
        """Listen; what `netlink` asks for itself is not reported.

        Raises:
            OSError: the kernel gives no socket.
        """
        self.in_doubt = False
        self._own = netlink.port
        self._socket = netlink.open(_RTMGRP_IPV4_ROUTE | _RTMGRP_IPV4_RULE | _RTMGRP_IPV6_ROUTE | _RTMGRP_IPV6_RULE)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def read(self) -> None:
        """Read what has come.

        Raises:
            OSError: nothing can be read.
        """
        for _ in range(_BATCH):
            try:
                data = self._socket.recv(_RECEIVE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.in_doubt = True
                continue
            self.in_doubt = self.in_doubt or any(self._deletes(report) for report in rtnetlink.messages(data))

    def _deletes(self, report: rtnetlink.Message) -> bool:
        deleted = report.kind in (routing.DELROUTE, routing.DELRULE)
        return deleted and report.sender != self._own and routing.own(report)
