"""Reports of routes and rules: whether somebody else may have deleted one of a master's.

A router of the internet hears of routes all the time, so no picture of them is kept as of addresses. A report that one
of keepalived's protocol was deleted, by another process than this one, only says when to look (`routing.missing`), and
so do reports that were lost.
"""

from __future__ import annotations

from vipd.kernel import routing, rtnetlink
from vipd.kernel.netlink import Netlink, ReportQueue

_RTMGRP_IPV4_ROUTE, _RTMGRP_IPV4_RULE, _RTMGRP_IPV6_ROUTE, _RTMGRP_IPV6_RULE = 0x40, 0x80, 0x400, 0x40000


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
        groups = _RTMGRP_IPV4_ROUTE | _RTMGRP_IPV4_RULE | _RTMGRP_IPV6_ROUTE | _RTMGRP_IPV6_RULE
        self._queue = ReportQueue(netlink.open(groups))

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._queue.fileno()

    def close(self) -> None:
        """Listen no more."""
        self._queue.close()

    def read(self) -> None:
        """Read what has come.

        Raises:
            OSError: nothing can be read.
        """
        for report in self._queue.read():
            self.in_doubt = self.in_doubt or self._deletes(report)
        if self._queue.empty and self._queue.lost:
            self.in_doubt, self._queue.lost = True, False

    def _deletes(self, report: rtnetlink.Message) -> bool:
        deleted = report.kind in (routing.DELROUTE, routing.DELRULE)
        return deleted and report.sender != self._own and routing.own(report)
