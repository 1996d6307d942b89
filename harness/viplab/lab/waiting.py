"""Waiting for something that has a name and a limit; there is no other way to wait in this package."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from viplab.errors import LabError

T = TypeVar("T")


def until(what: str, condition: Callable[[], T | None], *, within_s: float, every_s: float = 0.1) -> T:
    """Ask `condition` again and again until it returns something true, and return that.

    Raises:
        LabError: it did not within `within_s` seconds; the message says what was waited for.
    """
    deadline = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise LabError(f"waited {within_s:g} s for {what}, in vain")
        time.sleep(every_s)
