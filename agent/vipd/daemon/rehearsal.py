"""Goes through a takeover before it is due, so that the real one is fast the first time.

A daemon waits for months and then has to be fast once. Code that has never run is slow: it is not in memory, and the
interpreter has not yet specialized its instructions. So at start a router with a real configuration becomes master a
few times, with a made-up clock, and its effects are dropped.

Code that has not run for a second is slow as well, since nothing of it is left in the processor's caches. A backup
knows when it may have to take over, though: adverts are missing. So the daemon wakes a little before that, takes a
double of the router through the takeover again and again, and waits for the deadline without sleeping. While adverts
come none of this happens, since each of them moves the deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig
from vipd.daemon.schedule import Timed
from vipd.kernel.timerfd import TimerFd
from vipd.protocol.effects import SendAdvert
from vipd.protocol.router import Router
from vipd.protocol.table import State

_TIMES = 10  # CPython adapts an instruction to what it meets after eight runs
_TURNS = 8  # more than the timers of any way from INITIALIZE to MASTER
_WAKING_NS = 250_000
_COLD = 4  # times as long takes what has not run for a second
_MOST_NS = 20_000_000  # a scheduler turns to others when a process has used more than a few milliseconds
_PART = 16  # of the Master_Down_Interval: adverts that come every 10 ms are never waited for without sleep


class Rehearsal:
    """Rehearses takeovers at start, and shortly before they are due."""

    def __init__(self, probe: Callable[[Router, SendAdvert], None]) -> None:
        """Take how to do what can be done of sending an advert without sending it."""
        self._probe = probe
        self._ahead_ns = _WAKING_NS
        self._backup: Router | None = None
        self._wake_ns = self._due_ns = 0

    def warm_up(self, config: RouterConfig, behaviour: Behaviour) -> None:
        """Take a router that sends nothing through becoming master a few times.

        How long that takes says how far ahead of a deadline this machine has to wake.
        """
        taken_ns = []
        for _ in range(_TIMES):
            began = time.monotonic_ns()
            router = Router(config, behaviour, primary=1)
            router.started(dict.fromkeys(router.interfaces, True), 0)
            for _ in range(_TURNS):
                now = router.deadline()
                if now is None or router.state is State.MASTER:
                    break
                router.handle_deadline(now)
            router.drain()
            taken_ns.append(time.monotonic_ns() - began)
        self._ahead_ns = min(_WAKING_NS + _COLD * sorted(taken_ns)[_TIMES // 2], _MOST_NS)

    def wake_ns(self, first: Timed | None, due_ns: int | None) -> int | None:
        """When to wake for the earliest deadline: a little earlier if it is that of a backup, which may take over."""
        self._backup = None
        if due_ns is None or not isinstance(first, Router) or first.state is not State.BACKUP:
            return due_ns
        self._backup, self._due_ns = first, due_ns
        self._wake_ns = due_ns - min(self._ahead_ns, first.timers_ns[2] // _PART)
        return self._wake_ns

    def wait(self, timer: TimerFd, read: Callable[[float], bool]) -> None:
        """If a takeover is near, rehearse it and wait for it without sleeping, or until `read` has read something."""
        backup, due_ns, now = self._backup, self._due_ns, time.monotonic_ns()
        if backup is None or now < self._wake_ns or backup.deadline() != due_ns:
            return
        with suppress(OSError, MemoryError):
            timer.set(None)  # it has fired, and would be read again and again
        takes_ns = self._ahead_ns // 4
        while now < due_ns and not read(0):
            if due_ns - now > 2 * takes_ns:
                with suppress(MemoryError):
                    self._rehearse(backup)
                takes_ns = time.monotonic_ns() - now
            now = time.monotonic_ns()
        if now >= due_ns:
            read(0)  # the machine may have done something else since the last look, and an advert have come

    def _rehearse(self, backup: Router) -> None:
        """Take a double of a backup through its deadline."""
        double = backup.double()
        double.handle_deadline(self._due_ns)
        for effect in double.drain():
            if isinstance(effect, SendAdvert):
                self._probe(backup, effect)
