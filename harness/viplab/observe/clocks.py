"""Clocks: the host's own two against each other, and a guest's against the host's."""

from __future__ import annotations

import time

from viplab.lab.guest import Guest
from viplab.observe.timeline import Timeline


def record_host_clocks(timeline: Timeline) -> None:
    """Record REALTIME and MONOTONIC together: if their difference moves during a trial, somebody set the clock."""
    timeline.record("clock", realtime_ns=time.time_ns(), monotonic_ns=time.monotonic_ns())


def record_guest_clock(guest: Guest, timeline: Timeline) -> None:
    """Record how far the guest's clock is ahead of the host's, by one exchange; half its round trip is the error."""
    before_ns = time.time_ns()
    guest_ns = int(guest.run("date +%s%N").checked().stdout)
    after_ns = time.time_ns()
    timeline.record(
        "guest_clock",
        host=guest.host.name,
        offset_ns=guest_ns - (before_ns + after_ns) // 2,
        uncertainty_ns=(after_ns - before_ns + 1) // 2,
    )
