from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.observe.probe import MAGIC, Sender, payload


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_payload_is_the_magic_the_number_and_the_time_in_network_order(sequence: int, now_ns: int) -> None:
    assert payload(sequence, now_ns) == MAGIC + struct.pack("!QQ", sequence, now_ns)


class Clock:
    """Sleeps at once and to the nanosecond, but for the sleeps that are told to oversleep."""

    def __init__(self, late_ns: dict[int, int]) -> None:
        self.now_ns = 0
        self.sleeps = 0
        self._late_ns = late_ns

    def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now_ns += round(seconds * 1e9) + self._late_ns.get(self.sleeps, 0)


def on_clock(monkeypatch: pytest.MonkeyPatch, late_ns: dict[int, int]) -> Clock:
    clock = Clock(late_ns)
    monkeypatch.setattr(time, "monotonic_ns", lambda: clock.now_ns)
    monkeypatch.setattr(time, "time_ns", lambda: clock.now_ns)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def test_a_late_request_does_not_move_the_ones_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on_clock(monkeypatch, {2: 300_000})
    sent: list[tuple[int, int]] = []
    sender = Sender(lambda number, now_ns: sent.append((number, now_ns)), 1_000_000)
    sender.until_stopped(5)
    assert sent == [(0, 0), (1, 1_000_000), (2, 2_300_000), (3, 3_000_000), (4, 4_000_000)]
    account = sender.account()
    assert (account["late_max_ns"], account["late_median_ns"], account["achieved_rate"]) == (300_000, 0, 1000.0)


def test_what_the_kernel_refuses_keeps_its_number_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    on_clock(monkeypatch, {})
    sent: list[int] = []

    def send(number: int, _: int) -> None:
        if number in (1, 2):
            raise OSError("no route")
        sent.append(number)

    sender = Sender(send, 1_000_000)
    sender.until_stopped(5)
    assert sent == [0, 3, 4]
    assert (sender.account()["sent"], sender.account()["unsent"]) == (3, 2)
