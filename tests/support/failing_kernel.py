"""A kernel for one daemon in this process, in virtual time, each of whose calls can be made to fail.

Files, FIFOs, pipes and Unix sockets are real ones; netlink, the network, epoll, the timer and the clock are made up.
Every call of `vipd.kernel` goes through `FailingKernel.call`, which counts it by name and raises what it is told to.
"""

from __future__ import annotations

import ctypes
import errno
import heapq
import os
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from support.fake_sockets import FakeEpoll, FakeSocket
from support.patched_modules import Overridden, Signals, Wrapped
from vipd.kernel import (
    accept_filter,
    console,
    control_socket,
    epoll,
    fifo,
    files,
    inotify,
    netlink,
    rtnetlink,
    script_runner,
    sd_notify,
    signals,
    sockets,
    syslog,
    timerfd,
)
from vipd.kernel.rtnetlink import attribute

SECOND_NS = 1_000_000_000
_STEP_NS = 10_000  # that a wait takes which does not wait
_BUSY = 3_000  # waits in a second of virtual time: a loop that waits for nothing has a hundred thousand
_TIMER = 999_999
_INT = struct.Struct("=i")
_LINKS = {"lo": 1, "eth0": 2, "eth1": 3}
_OWN = {2: "10.0.0.2", 3: "192.168.122.12"}
_CALLS = {
    "os": ("open", "read", "write", "pipe", "rename", "unlink", "mkfifo", "lstat"),
    "inotify": ("inotify_init1", "inotify_add_watch"),
}


class BusyLoopError(AssertionError):
    """The daemon went on without waiting."""


class FailingKernel:
    """The kernel.

    Attributes:
        failing: what a call of this name raises.
        calls: how often each call was made.
        lines: what was logged, with the time in seconds.
        held: octets of virtual addresses by when they were set, in nanoseconds.
        sent: when adverts were sent.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: str) -> None:
        self.failing: dict[str, BaseException] = {}
        self.calls: Counter[str] = Counter()
        self.lines: list[tuple[float, str]] = []
        self.held: dict[bytes, int] = {}
        self.sent: list[int] = []
        self.silent_ns = 0  # the longest time for which an address was held and no advert sent
        self.up = dict.fromkeys(_LINKS.values(), True)
        self.now_ns = SECOND_NS
        self.timer_ns: int | None = None
        self.runner, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel: Any = FakeSocket(self, "script_runner", socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, ours)
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._sockets: dict[int, FakeSocket] = {}
        self._wakeup = -1
        self._opened: list[int] = []
        self._waits = (0, 0)
        self._patch(monkeypatch, log)

    def call(self, name: str) -> None:
        """A call is made."""
        self.calls[name] += 1
        error = self.failing.get(name)
        if error is not None:
            raise error

    def at(self, at_s: float, do: Callable[[], None]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._events, (SECOND_NS + round(at_s * SECOND_NS), len(self._events), do))

    def close(self) -> None:
        """Close what the daemon leaves to the end of its process."""
        self.runner.close()
        for descriptor in self._opened:
            with suppress(OSError):
                os.close(descriptor)

    def signal(self, number: int) -> None:
        os.write(self._wakeup, bytes([number]))

    def receive(self, datagram: bytes) -> None:
        """An advert arrives."""
        for one in self._sockets.values():
            if one.what == "advert" and one.protocol == 112:
                one.queue.append(datagram)

    def link(self, index: int, up: bool) -> None:
        """A link goes down, or comes up."""
        self.up[index] = up
        self._report(rtnetlink.NEWLINK, self.link_body(index))

    def link_body(self, index: int) -> bytes:
        name = next(name for name, number in _LINKS.items() if number == index)
        flags = rtnetlink.IFF_UP | rtnetlink.IFF_RUNNING if self.up[index] else 0
        mac = bytes((2, 0, 0, 0, 0, index))
        return struct.pack("=BxHiII", 0, 1, index, flags, 0) + attribute(3, name.encode() + b"\0") + attribute(1, mac)

    def links(self) -> list[bytes]:
        """All interfaces, as a dump has them."""
        return [self.link_body(index) for index in _LINKS.values()]

    def addresses(self) -> list[bytes]:
        own = [(index, socket.inet_aton(text), 0) for index, text in _OWN.items()]
        return [self._address_body(*one) for one in [*own, *((3, octets, 1) for octets in self.held)]]

    def change(self, kind: int, body: bytes) -> int:
        """Set or remove an address; returns an errno."""
        found = rtnetlink.address(body) if kind in (rtnetlink.NEWADDR, rtnetlink.DELADDR) else None
        if found is None:
            return 0
        if kind == rtnetlink.NEWADDR:
            if found.octets in self.held:
                return errno.EEXIST
            self.held[found.octets] = self.now_ns
        elif self.held.pop(found.octets, None) is None:
            return errno.EADDRNOTAVAIL
        self._report(kind, self._address_body(found.ifindex, found.octets, 0))
        return 0

    # -- waiting

    def wait(self, registered: set[int], timeout_s: float) -> list[tuple[int, int]]:
        """Let time go by until a descriptor is readable."""
        self._count_wait()
        limit = None if timeout_s < 0 else self.now_ns + round(timeout_s * SECOND_NS)
        while True:
            ready = self._ready(registered)
            if ready or (limit is not None and self.now_ns >= limit):
                self._pass(self.now_ns + _STEP_NS)
                return [(descriptor, 1) for descriptor in ready]
            times = [at_ns for at_ns in (limit, self._events[0][0] if self._events else None) if at_ns is not None]
            if self.timer_ns is not None and _TIMER in registered:
                times.append(self.timer_ns)
            assert times, "the daemon waits for ever"
            self._pass(max(self.now_ns, min(times)))
            self.happen()

    def happen(self) -> None:
        while self._events and self._events[0][0] <= self.now_ns:
            heapq.heappop(self._events)[2]()
        for descriptor, _ in _poll(self.runner.fileno()):
            assert descriptor == self.runner.fileno()
            kind, body = script_runner.marshal.loads(self.runner.recv(1 << 16))
            if kind == "run":
                self.runner.send(script_runner.marshal.dumps(("ended", (body[0], 0))))

    def _ready(self, registered: set[int]) -> list[int]:
        ready = [number for number in registered if number in self._sockets and self._sockets[number].queue]
        real = [number for number in registered if number != _TIMER and number not in self._sockets]
        ready += [number for number, _ in _poll(*real)]
        if _TIMER in registered and self.timer_ns is not None and self.timer_ns <= self.now_ns:
            ready.append(_TIMER)
        return ready

    def _pass(self, until_ns: int) -> None:
        self.now_ns = until_ns
        if self.held:
            since = max(min(self.held.values()), self.sent[-1] if self.sent else 0)
            self.silent_ns = max(self.silent_ns, self.now_ns - since)

    def _sleep(self, time_s: float) -> None:
        self._pass(self.now_ns + round(time_s * SECOND_NS))
        self.happen()

    def _count_wait(self) -> None:
        second, count = self._waits
        here = self.now_ns // SECOND_NS
        self._waits = (here, count + 1 if here == second else 1)
        if self._waits[1] > _BUSY:
            raise BusyLoopError(f"{_BUSY} waits within a second, at {here - 1} s")

    # -- what vipd.kernel sees instead of the modules

    def _patch(self, monkeypatch: pytest.MonkeyPatch, log: str) -> None:
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.now_ns)
        monkeypatch.setattr(time, "sleep", self._sleep)
        monkeypatch.setattr(syslog, "PATH", log)
        for module in (console, control_socket, fifo, files, inotify, signals):
            monkeypatch.setattr(module, "os", self._wrapped(module, os, _CALLS["os"]))
        for module in (accept_filter, control_socket, netlink, sd_notify, sockets, syslog):
            monkeypatch.setattr(module, "socket", self._socket_module(module))
        monkeypatch.setattr(signals, "signal", Signals(self))
        monkeypatch.setattr(epoll, "select", SimpleNamespace(epoll=lambda: FakeEpoll(self), EPOLLIN=select.EPOLLIN))
        libc = SimpleNamespace(timerfd_create=self._timer_create, timerfd_settime=self._timer_set)
        monkeypatch.setattr(timerfd, "ctypes", self._ctypes(libc))
        monkeypatch.setattr(timerfd, "os", Overridden(os, read=self._timer_read))
        real = ctypes.CDLL(None, use_errno=True)
        watching = {name: self._returning(f"inotify.{name}", getattr(real, name)) for name in _CALLS["inotify"]}
        monkeypatch.setattr(inotify, "ctypes", self._ctypes(SimpleNamespace(**watching)))
        self._errno = 0

    def _wrapped(self, module: Any, real: Any, names: tuple[str, ...]) -> Any:
        short = module.__name__.rpartition(".")[2]
        return Wrapped(self, short, real, names)

    def _ctypes(self, libc: Any) -> Any:
        names = {name: getattr(ctypes, name) for name in ("Structure", "c_long", "byref")}
        return SimpleNamespace(CDLL=lambda *_, **__: libc, get_errno=lambda: self._errno, **names)

    def _returning(self, name: str, real: Callable[..., int]) -> Callable[..., int]:
        def called(*arguments: Any) -> int:
            try:
                self.call(name)
            except OSError as error:
                self._errno = error.errno or 0
                return -1
            result = real(*arguments)
            if name == "inotify.inotify_init1":
                self._opened.append(result)
            return result

        return called

    def _timer_create(self, *_: Any) -> int:
        return self._returning("timerfd.timerfd_create", lambda: _TIMER)()

    def _timer_set(self, _: int, __: int, reference: Any, ___: Any) -> int:
        def set_to() -> int:
            at_ns = reference._obj.value_s * SECOND_NS + reference._obj.value_ns
            self.timer_ns = at_ns or None
            return 0

        return self._returning("timerfd.timerfd_settime", set_to)()

    def _timer_read(self, *_: int) -> bytes:
        if self.timer_ns is None or self.timer_ns > self.now_ns:
            raise BlockingIOError(errno.EAGAIN, "again")
        self.timer_ns = None
        return bytes(8)

    def _socket_module(self, module: Any) -> Any:
        short = module.__name__.rpartition(".")[2]

        def opened(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> FakeSocket:
            made = FakeSocket(self, short, family, kind, protocol)
            if not made.is_real:
                self._sockets[made.fileno()] = made
            return made

        return Overridden(socket, socket=opened)

    def forget(self, number: int) -> None:
        self._sockets.pop(number, None)

    def log(self, octets: bytes) -> None:
        text = octets.decode().partition("]: ")[2] or octets.decode().partition(": ")[2]
        self.lines.append(((self.now_ns - SECOND_NS) / 1e9, text))

    def _report(self, kind: int, body: bytes) -> None:
        for one in self._sockets.values():
            if one.what == "route" and one.groups:
                one.queue.append(rtnetlink.message(kind, 0, 0, body))

    def _address_body(self, index: int, octets: bytes, flags: int) -> bytes:
        head = struct.pack("=BBBBi", socket.AF_INET, 24, flags, 0, index)
        return head + attribute(2, octets) + attribute(1, octets)


def _poll(*descriptors: int) -> list[tuple[int, int]]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return poll.poll(0)
