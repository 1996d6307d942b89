"""Reports of routes and rules: what fails of watching them is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from support.routers import config
from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Config, Route
from vipd.daemon import routing_watch
from vipd.daemon.routing_watch import RoutingWatch

WITH = Config((config(routes=(Route("10.77.0.0/16"),)),))
WITHOUT = Config((config(routes=(Route("10.77.0.0/16", tracked=False),)),))


class Reports:
    """The socket."""

    def __init__(self, _: object) -> None:
        self.in_doubt = self.closed = False

    def fileno(self) -> int:
        return 7

    def read(self) -> None:
        self.in_doubt = True

    def close(self) -> None:
        self.closed = True


class Around:
    """What the watch calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.read: Any = None
        self.looked = 0
        monkeypatch.setattr(routing_watch, "RoutingReports", Reports)
        anyone: Any = self
        self.made = RoutingWatch(anyone, anyone, anyone, lambda timed: None, self.look)

    def failure(self, text: str) -> None: ...

    def watch(self, descriptor: int, read: Any) -> None:
        if self.error is not None:
            raise self.error
        self.read = read

    def unwatch(self, descriptor: int) -> None:
        self.read = None

    def look(self) -> None:
        self.looked += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
def test_what_cannot_be_watched_is_tried_again_each_second(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    around = Around(monkeypatch)
    around.error = error
    around.made.configure(WITH)
    assert around.read is None
    around.error, again_ns = None, around.made.deadline()
    assert again_ns is not None
    around.made.handle_deadline(again_ns - SECOND_NS)
    assert around.read is None
    around.made.handle_deadline(again_ns)
    assert around.read is not None and around.made.deadline() is None
    around.made.configure(WITHOUT)
    assert around.read is None


def test_what_could_not_be_looked_at_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    around = Around(monkeypatch)
    around.made.configure(WITH)
    around.error = OSError(11, "Resource temporarily unavailable")
    with pytest.raises(OSError, match="temporarily"):
        around.read()
    around.error = None
    monkeypatch.setattr(Reports, "read", lambda self: None)
    around.read()
    around.read()
    assert around.looked == 2
