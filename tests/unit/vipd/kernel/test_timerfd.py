"""The timer of the loop."""

from __future__ import annotations

import select
import time

from vipd.kernel.timerfd import TimerFd


def test_a_timer_is_readable_from_its_time_on_and_can_be_set_anew() -> None:
    timer = TimerFd()
    timer.set(time.monotonic_ns() + 3_600_000_000_000)
    assert select.select([timer], [], [], 0) == ([], [], [])
    timer.set(1)  # long ago
    assert select.select([timer], [], [], 60) == ([timer], [], [])
    timer.clear()
    timer.set(time.monotonic_ns() + 3_600_000_000_000)
    assert select.select([timer], [], [], 0) == ([], [], [])
    timer.set(1)
    assert select.select([timer], [], [], 60) == ([timer], [], [])
    timer.set(None)
    assert select.select([timer], [], [], 0) == ([], [], [])
