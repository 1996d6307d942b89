"""Watches whether somebody else deletes routes and rules that instances hold and track."""

from __future__ import annotations

import time
from collections.abc import Callable

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Config
from vipd.daemon.readers import Readers
from vipd.daemon.schedule import Timed
from vipd.kernel.netlink import Netlink
from vipd.kernel.routing_reports import RoutingReports
from vipd.kernel.syslog import Syslog, reason


class RoutingWatch:
    """Listens while an instance has some that are tracked. It is `Timed`: what fails is tried again each second."""

    def __init__(
        self,
        netlink: Netlink,
        log: Syslog,
        readers: Readers,
        update: Callable[[Timed], None],
        changed: Callable[[], None],
    ) -> None:
        """Listen to nothing yet.

        Args:
            netlink: whose own requests are not reported.
            log: for what fails.
            readers: calls back when something is reported.
            update: is called when something is left to be tried again.
            changed: looks whether something is gone.
        """
        self._netlink = netlink
        self._log = log
        self._readers = readers
        self._update = update
        self._changed = changed
        self._reports: RoutingReports | None = None
        self._wanted = False
        self._again_ns: int | None = None

    def configure(self, config: Config) -> None:
        """Listen, if an instance of this configuration has routes or rules that are tracked."""
        routers = config.routers
        routes = any(one.tracked for router in routers for one in router.routes)
        self._wanted = routes or any(one.tracked for router in routers for one in router.rules)
        self._listen()

    def deadline(self) -> int | None:
        """When to try again to listen."""
        return self._again_ns

    def handle_deadline(self, now: int) -> None:
        """Try again to listen."""
        if self._again_ns is not None and now >= self._again_ns:
            self._listen()

    def _listen(self) -> None:
        self._again_ns = None
        if not self._wanted and self._reports is not None:
            self._readers.unwatch(self._reports.fileno())
            self._reports.close()
            self._reports = None
        elif self._wanted and self._reports is None:
            reports: RoutingReports | None = None
            try:
                reports = RoutingReports(self._netlink)
                self._readers.watch(reports.fileno(), self._read)
                self._reports = reports
            except (OSError, MemoryError) as error:
                self._log.failure(f"routes and rules are not watched: {reason(error)}")
                if reports is not None:
                    reports.close()
                self._again_ns = time.monotonic_ns() + SECOND_NS
                self._update(self)

    def _read(self) -> None:
        reports = self._reports
        if reports is not None:
            reports.read()
            if reports.in_doubt:
                self._changed()
                reports.in_doubt = False  # not before: what could not be looked at is looked at again
