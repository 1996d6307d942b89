"""Routers whose adverts do not get out: they go to FAULT, since an address without adverts is worse than none.

A packet filter that refuses them, a device that takes no more, a network that cannot be reached: nobody hears of such a
master, and another one comes beside it. After a while, longer each time, the router may try again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.daemon.runtime import Runtime
from vipd.daemon.schedule import Timed
from vipd.protocol.router import ADVERTS, Router

_IN_A_ROW = 3  # a backup takes over then
_FIRST_DELAY_NS, _LAST_DELAY_NS = SECOND_NS, 64 * SECOND_NS


class _Failing(NamedTuple):
    in_a_row: int
    delay_ns: int
    again_ns: int | None


class UnsentAdverts:
    """Counts the adverts of each router that could not be sent; the next one that can be sent clears its count.

    It is `Timed`: a router that was given up is due when it may try again.
    """

    def __init__(
        self, runtime: Runtime, update: Callable[[Timed], None], changed: Callable[[Router, int], None]
    ) -> None:
        """Count nothing yet.

        Args:
            runtime: has the routers.
            update: is called when one is given up.
            changed: is called when one may try again.
        """
        self._runtime = runtime
        self._update = update
        self._changed = changed
        self._failing: dict[str, _Failing] = {}

    def sent(self, router: Router) -> None:
        """An advert of this router was sent."""
        if self._failing:
            self._failing.pop(router.config.name, None)

    def failed(self, router: Router, claims: bool, now: int) -> bool:
        """No advert of a batch was sent; returns whether the router is given up, and in FAULT if it acts at once.

        Args:
            router: whose.
            claims: whether it becomes master with this advert: then no address has been set yet, and none will be.
            now: monotonic nanoseconds.
        """
        name = router.config.name
        known = self._failing.get(name, _Failing(0, _FIRST_DELAY_NS, None))
        known = known._replace(in_a_row=known.in_a_row + 1)
        if not claims and known.in_a_row < _IN_A_ROW:
            self._failing[name] = known
            return False
        # Where links are looked at late, a router takes an interval to notice that it is in FAULT.
        delay_ns = max(known.delay_ns, 2 * router.config.advert_int_ns)
        self._failing[name] = _Failing(0, min(2 * delay_ns, _LAST_DELAY_NS), now + delay_ns)
        self._update(self)
        router.need_changed(ADVERTS, False, now)
        return True

    def rename(self, names: Mapping[str, str]) -> None:
        """A reload has given routers other names: what they were called, and what they are called now."""
        self._failing = {names.get(name, name): failing for name, failing in self._failing.items()}

    def deadline(self) -> int | None:
        """When the first router that was given up may try again."""
        return min((one.again_ns for one in self._failing.values() if one.again_ns is not None), default=None)

    def handle_deadline(self, now: int) -> None:
        """Let those try again whose time has come."""
        for name, failing in [*self._failing.items()]:
            if failing.again_ns is not None and failing.again_ns <= now:
                self._failing[name] = failing._replace(again_ns=None)
                router = self._runtime.routers.get(name)
                if router is not None:
                    router.need_changed(ADVERTS, True, now)
                    self._changed(router, now)
