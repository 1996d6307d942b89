"""Reports of routes and rules: when somebody has to look."""

from __future__ import annotations

import errno
from collections import deque
from typing import Any

import pytest

from vipd.kernel import routing, rtnetlink
from vipd.kernel.routing_reports import RoutingReports

LOST = OSError(errno.ENOBUFS, "No buffer space available")
OWN = 7


class Kernel:
    """The queue, and what `RoutingReports` asks of `Netlink`."""

    port = OWN

    def __init__(self) -> None:
        self.queue: deque[bytes | OSError] = deque()

    def open(self, groups: int) -> Any:
        return self

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def recv(self, size: int) -> bytes:
        if not self.queue:
            raise BlockingIOError
        report = self.queue.popleft()
        if isinstance(report, OSError):
            raise report
        return report


def deleted(sender: int) -> bytes:
    """The report that a route of keepalived's protocol was deleted; nothing else matters of it."""
    protocol = 18
    report = bytearray(rtnetlink.message(routing.DELROUTE, 0, 0, bytes([2, 24, 0, 0, 254, protocol, 0, 1]) + bytes(4)))
    report[12:16] = sender.to_bytes(4, "little")
    return bytes(report)


@pytest.mark.parametrize(("sender", "in_doubt"), [(OWN, False), (OWN + 1, True)])
def test_what_another_process_deleted_has_to_be_looked_at(sender: int, in_doubt: bool) -> None:
    kernel: Any = Kernel()
    reports = RoutingReports(kernel)
    kernel.queue.append(deleted(sender))
    reports.read()
    assert reports.in_doubt is in_doubt


def test_where_reports_were_lost_one_looks_when_the_queue_is_empty_and_not_before() -> None:
    kernel: Any = Kernel()
    reports = RoutingReports(kernel)
    kernel.queue += [LOST, *[deleted(OWN)] * 300]
    reports.read()
    assert kernel.queue and not reports.in_doubt, "the kernel drops reports until it is empty"
    reports.read()
    assert not kernel.queue and reports.in_doubt
    reports.in_doubt = False
    reports.read()
    assert not reports.in_doubt
