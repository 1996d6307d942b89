"""Waiting for something that has a name and a limit; there is no other way to wait in this package.

How slow the machine is concerns every limit alike, and is one number of the process: `timeout_factor` sets it, and
processes that are forked after that have it too. Only limits are multiplied, never a time that is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from viplab.errors import LabError

T = TypeVar("T")
_factor = 1.0


@contextmanager
def timeout_factor(factor: float) -> Iterator[None]:
    """Multiply every limit by this, for as long as the context lasts."""
    global _factor
    before, _factor = _factor, factor
    try:
        yield
    finally:
        _factor = before


def limit_s(seconds: float) -> float:
    """What a limit that suits a machine of usual speed is on this one, in seconds."""
    return seconds * _factor


def until(what: str, condition: Callable[[], T | None], *, within_s: float, every_s: float = 0.1) -> T:
    """Ask `condition` again and again until it returns something true, and return that.

    Raises:
        LabError: it did not within the limit of `within_s` seconds; the message says what was waited for.
    """
    within_s = limit_s(within_s)
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise LabError(f"waited {within_s:g} s for {what}, in vain")
        time.sleep(every_s)
