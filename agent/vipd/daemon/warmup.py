"""Runs the code of a takeover once at start, so that the first real one is fast.

A daemon waits for months and then has to be fast the first time. Code that has never run is slow: it is not in memory,
and the interpreter has not yet specialized its instructions. So a router with the real configuration becomes master a
few times, with a made-up clock, and its effects are dropped.
"""

from __future__ import annotations

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig
from vipd.protocol.router import Router
from vipd.protocol.table import State

_TIMES = 10  # CPython adapts an instruction to what it meets after eight runs
_TURNS = 8  # more than the timers of any way from INITIALIZE to MASTER


def warm_up(config: RouterConfig, behaviour: Behaviour) -> None:
    """Take a router that sends nothing through becoming master a few times."""
    for _ in range(_TIMES):
        router = Router(config, behaviour, primary=1)
        router.started(dict.fromkeys(router.interfaces, True), 0)
        for _ in range(_TURNS):
            now = router.deadline()
            if now is None or router.state is State.MASTER:
                break
            router.handle_deadline(now)
        router.drain()
