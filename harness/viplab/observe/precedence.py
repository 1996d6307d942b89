"""What measures goes before everything that is measured: on a busy host it must not wait for a processor itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
_LOWEST = os.sched_param(1)


def give_precedence(task: int = 0) -> bool:
    """Schedule a process or a thread (0: the calling one) in real time, SCHED_FIFO of the lowest priority.

    It is for what sleeps nearly all the time and is due at once. What it starts is scheduled as ever. Returns whether
    the kernel allowed it: one that runs in a container may not.
    """
    try:
        os.sched_setscheduler(task, _FIRST, _LOWEST)
    except PermissionError:
        return False
    return True


@contextmanager
def precedence() -> Iterator[None]:
    """Give the calling thread precedence for a while."""
    given = give_precedence()
    try:
        yield
    finally:
        if given:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
