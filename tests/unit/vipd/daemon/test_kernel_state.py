"""Addresses, routes and rules that could not be set or removed: each is tried again until the last word is done."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Route, Rule, VirtualAddress
from vipd.daemon import kernel_state
from vipd.daemon.kernel_state import KernelState

ADDRESS = VirtualAddress("10.0.0.50", 24, "eth0")
ROUTE = Route("10.77.0.0/16")
RULE = Rule(100, destination="10.77.0.0/16")
ALL = (ADDRESS, ROUTE, RULE)


class Kernel:
    """Holds what is set, and refuses what it is told to."""

    def __init__(self) -> None:
        self.held: set[object] = set()
        self.refused: set[object] = set()
        self.calls: list[object] = []
        self.now_ns = 0
        self.lines: list[str] = []
        anyone: Any = self
        self.state = KernelState(anyone, anyone, lambda timed: None)

    def set(self, what: Any, present: bool) -> None:
        self.calls.append(what)
        if what in self.refused:
            raise OSError(errno.ENOBUFS, "No buffer space available")
        (self.held.add if present else self.held.discard)(what)

    def add(self, what: Any) -> None:
        self.set(what, True)

    def remove(self, what: Any) -> None:
        self.set(what, False)

    def failure(self, text: str) -> None:
        self.lines.append(text)

    def ask(self, present: bool) -> None:
        """A takeover, or a retreat."""
        if present:
            self.state.set_addresses("V", (ADDRESS,), present)
        self.state.set_routing("V", (ROUTE,), (RULE,), present)
        if not present:
            self.state.set_addresses("V", (ADDRESS,), present)

    def wait(self) -> None:
        """A second goes by."""
        self.now_ns += SECOND_NS
        at_ns = self.state.deadline()
        if at_ns is not None:
            self.state.handle_deadline(self.now_ns)


@pytest.fixture(scope="module", autouse=True)
def clock() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_state, "time", SimpleNamespace(monotonic_ns=lambda: 0))
        set_one = lambda kernel, what, present: kernel.set(what, present)  # noqa: E731
        patch.setattr(kernel_state, "routing", SimpleNamespace(route=set_one, rule=set_one))
        yield


@given(
    st.lists(st.tuples(st.booleans(), st.sets(st.sampled_from(ALL))), min_size=1, max_size=8),
)
def test_once_nothing_is_refused_the_kernel_holds_what_was_asked_for_last(steps: list[tuple[bool, set[Any]]]) -> None:
    kernel = Kernel()
    for present, kernel.refused in steps:
        kernel.ask(present)
        kernel.wait()
    kernel.refused = set()
    kernel.wait()
    assert kernel.held == (set(ALL) if steps[-1][0] else set())
    assert kernel.state.deadline() is None
    calls = len(kernel.calls)
    kernel.wait()
    assert len(kernel.calls) == calls, "what is done is left alone"


def test_what_fails_is_tried_once_a_second_and_keeps_nothing_else_from_being_set() -> None:
    kernel = Kernel()
    kernel.refused = {ADDRESS}
    kernel.ask(present=True)
    assert kernel.held == {ROUTE, RULE}
    assert kernel.state.deadline() == SECOND_NS
    kernel.state.handle_deadline(SECOND_NS - 1)
    assert kernel.calls.count(ADDRESS) == 1
    kernel.wait()
    kernel.wait()
    assert kernel.calls.count(ADDRESS) == 3
    assert {*kernel.lines} == {"(V) 10.0.0.50: No buffer space available"}
