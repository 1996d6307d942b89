"""A script for one router: what happens (`>>`), and what the router does about it (`<<`).

The effects of an event stand in their order, one each; `...` at their end stands for whatever else is done::

    play = Playbook("keepalived-2")
    play >> started() << removes() << becomes(State.BACKUP)
    play >> timeout(3.6) << sends(101) << ...

An effect that the script does not name fails it, as does one that it names and that does not come, and the failure
shows the whole script. Effects are compared at the next event, when the script is asked for a time, and at the end of
the test: this module is a pytest plugin, and a script that is left unfinished fails its test.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import wraps
from types import EllipsisType
from typing import Any, Concatenate, NamedTuple, ParamSpec

import pytest

from support.routers import HIGHER_ADDRESS, OWN, OWN6, config, packet
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.protocol.effects import (
    AddAddresses,
    Effect,
    Log,
    Notify,
    RemoveAddresses,
    ResolvePeers,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.protocol.router import Router
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

P = ParamSpec("P")


class Playbook:
    """A script for one router.

    Attributes:
        router: whose script it is.
        now: in nanoseconds.
        did: what the router did at the last event; its log lines only with `logs`.
    """

    def __init__(self, profile: str, logs: bool = False, **changes: object) -> None:
        made = config(**changes)
        self.router = Router(made, PRESETS[profile], OWN if made.family == 4 else OWN6)
        self.now = 1_000 * SECOND_NS
        self.did: list[Seen] = []
        self._logs = logs
        self._expected: list[Seen] = []
        self._whatever_else = False
        self._lines = [f"{profile} {changes or ''}"]
        _begun.append(self)

    def __rshift__(self, event: Event) -> Playbook:
        __tracebackhide__ = True
        self.done()
        self._lines += [*map(_line, self.did), f">> {event.text}"]
        self.did, self._expected, self._whatever_else = [], [], False
        try:
            event.happen(self)
        except AssertionError as error:
            error.add_note("\n".join(self._lines))
            raise
        effects = [seen(effect) for effect in self.router.drain()]
        self.did = [effect for effect in effects if self._logs or effect.kind != "log"]
        return self

    def __lshift__(self, expected: Seen | EllipsisType) -> Playbook:
        if isinstance(expected, Seen):
            self._expected.append(expected)
        else:
            self._whatever_else = True
        return self

    def done(self) -> None:
        """Compare what the last event led to with what the script says of it."""
        __tracebackhide__ = True
        did = self.did[: len(self._expected)] if self._whatever_else else self.did
        if did != self._expected:
            script, router = ([*self._lines, *map(_line, effects)] for effects in (self._expected, did))
            self.did = self._expected = []
            diff = "\n".join(line for line in difflib.ndiff(script, router) if line[0] != "?")
            raise AssertionError(f"the script says what is marked -, the router did what is marked +\n{diff}")

    @property
    def waits_s(self) -> float | None:
        """How long until the next deadline."""
        self.done()
        deadline = self.router.deadline()
        return None if deadline is None else (deadline - self.now) / SECOND_NS


# Scripts of the test that runs now.
_begun: list[Playbook] = []


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Iterator[None]:
    """Compare the last lines of all scripts once their test has come to its end."""
    try:
        outcome = yield
        for script in _begun:
            script.done()
        return outcome
    finally:
        _begun.clear()


# -- what happens


class Event(NamedTuple):
    """Something that happens to a router, and how a script's failure shows it."""

    text: str
    happen: Callable[[Playbook], object]


def event(function: Callable[Concatenate[Playbook, P], object]) -> Callable[P, Event]:
    """Make a function of a script and arguments into one that makes an event of the arguments."""

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> Event:
        shown = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
        return Event(f"{function.__name__}({shown})", lambda play: function(play, *args, **kwargs))

    return made


@event
def started(play: Playbook, eth0: bool = True, eth1: bool = True) -> None:
    play.router.started({"eth0": eth0, "eth1": eth1}, play.now)


@event
def hears(play: Playbook, payload: bytes, source: int = HIGHER_ADDRESS, destination: int = 0) -> None:
    assert play.router.advert_received(payload, source, 255, play.now, destination) is None


@event
def advert(play: Playbook, priority: int, source: int = HIGHER_ADDRESS) -> None:
    hears(packet(priority), source).happen(play)


@event
def link(play: Playbook, name: str, up: bool) -> None:
    play.router.interface_changed(name, up, play.now)


@event
def seconds(play: Playbook, amount: float) -> None:
    """Time goes by, and no deadline may lie before its end."""
    play.now += round(amount * SECOND_NS)
    deadline = play.router.deadline()
    assert deadline is None or deadline >= play.now, f"a deadline {play.now - deadline} ns before the script's time"


@event
def timeout(play: Playbook, after_s: float) -> None:
    """The router's next deadline comes, this long from now."""
    deadline = play.router.deadline()
    assert deadline is not None, "the router waits for nothing"
    assert abs((deadline - play.now) / SECOND_NS - after_s) < 1e-6, f"waits {(deadline - play.now) / SECOND_NS} s"
    play.now = deadline
    play.router.handle_deadline(play.now)


@event
def stopped(play: Playbook) -> None:
    play.router.shut_down(play.now)


# -- what is done about it


class Seen(NamedTuple):
    """An effect, as a script names it."""

    kind: str
    detail: object = None


def sends(priority: int) -> Seen:
    return Seen("sends", priority)


def log(text: str) -> Seen:
    return Seen("log", text)


def adds() -> Seen:
    return Seen("adds")


def removes() -> Seen:
    return Seen("removes")


def garps(repeat: int = 5) -> Seen:
    return Seen("garps", repeat)


def resolves() -> Seen:
    return Seen("resolves")


def becomes(state: State) -> Seen:
    return Seen("becomes", state)


def seen(effect: Effect) -> Seen:
    """The name that scripts have for an effect."""
    if isinstance(effect, SendAdvert):
        return sends(effect.priority)
    if isinstance(effect, Log):
        return log(effect.text)
    if isinstance(effect, AddAddresses):
        return adds()
    if isinstance(effect, RemoveAddresses):
        return removes()
    if isinstance(effect, SendGratuitousArp):
        return garps(effect.repeat)
    if isinstance(effect, ResolvePeers):
        return resolves()
    assert isinstance(effect, Notify)
    return becomes(effect.state)


def _line(effect: Seen) -> str:
    return f"   << {effect.kind}({'' if effect.detail is None else effect.detail})"


# -- scripts that have begun


def backup(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router in BACKUP."""
    play = Playbook(profile, **changes) >> started() << ...
    assert play.router.state is State.BACKUP
    return play


def master(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router in MASTER, which it became by timeouts."""
    play = backup(profile, **changes)
    while play.router.state is not State.MASTER:
        play >> timeout(play.waits_s or 0) << ...
    return play


def owner(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router of priority 255, just started."""
    play = Playbook(profile, priority=255, **changes)
    play >> started() << sends(255) << adds() << garps(play.router.behaviour.garp_repeat) << becomes(State.MASTER)
    return play


def refused_by(
    play: Playbook, payload: bytes, ttl: int = 255, source: int = HIGHER_ADDRESS, **more: Any
) -> Discard | None:
    """Why a router refuses a packet; that it did is counted, and the state machine has not seen it."""
    before = (play.router.state, play.router.deadline())
    counted = dict(play.router.discards)
    reason = play.router.advert_received(payload, source, ttl, play.now, **more)
    if reason is not None:
        assert play.router.discards == {**counted, reason: counted[reason] + 1}
        assert (play.router.state, play.router.deadline()) == before
    play.router.drain()
    return reason


def sent(play: Playbook) -> list[SendAdvert]:
    """The adverts among what a router wants done that no event of the script has led to."""
    return [effect for effect in play.router.drain() if isinstance(effect, SendAdvert)]


def timed_out(**changes: object) -> SendAdvert:
    """The advert of a router that becomes master."""
    play = backup(**changes)
    deadline = play.router.deadline()
    assert deadline is not None
    play.router.handle_deadline(deadline)
    return sent(play)[0]
