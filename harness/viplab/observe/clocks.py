"""Clocks: the host's own two against each other, and a guest's against the host's."""

from __future__ import annotations

import time

from viplab.lab.guest import Guest
from viplab.observe.timeline import Timeline

EXCHANGES = 8


def record_host_clocks(timeline: Timeline) -> None:
    """Record REALTIME and MONOTONIC together: if their difference moves during a trial, somebody set the clock.

    They are read several times, and the quickest reading counts: a busy host may do something else between the two.
    """
    readings = [(time.monotonic_ns(), time.time_ns(), time.monotonic_ns()) for _ in range(EXCHANGES)]
    _, realtime_ns, monotonic_ns = min(readings, key=lambda reading: reading[2] - reading[0])
    timeline.record("clock", realtime_ns=realtime_ns, monotonic_ns=monotonic_ns)


def record_guest_clock(guest: Guest, timeline: Timeline) -> None:
    """Record how far the guest's clock is ahead of the host's.

    A shell that runs already answers with its time, several times over; the quickest exchange counts. The guest read
    its clock somewhere within that round trip, so half of it is the error, and the last digit that bash prints.
    """
    dialogue = guest.converse('while read -r _; do echo "${EPOCHREALTIME/[.,]/}"; done')
    try:
        best = min((dialogue.ask() for _ in range(EXCHANGES)), key=lambda answer: answer.after_ns - answer.before_ns)
    finally:
        dialogue.close()
    timeline.record(
        "guest_clock",
        host=guest.host.name,
        offset_ns=int(best.line) * 1000 - (best.before_ns + best.after_ns) // 2,
        uncertainty_ns=(best.after_ns - best.before_ns + 1) // 2 + 1000,
        exchanges=EXCHANGES,
    )
