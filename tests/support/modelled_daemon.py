"""The whole daemon on a modelled kernel and a made-up clock: what others do, and when its reports are read, is given.

Everything is what ships but for what touches the real machine: sockets, the timer, signals, scripts and notifications.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import MagicMock, patch

from support.kernel_model import Happening, Kernel, opened
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.parser import Parsed
from vipd.daemon.loop import Daemon
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Link
from vipd.kernel.signals import RELOAD, STOP

MS_NS = 1_000_000
_SETTLED_NS = 150 * SECOND_NS  # a router whose adverts failed tries again after 64 s at the latest


class Turn(NamedTuple):
    """What happens at one place in the daemon's loop.

    Attributes:
        after_ms: how much later than the last turn, or when the next timer is due if that is earlier.
        meanwhile: what others do, and before which of the system calls of vipd that follow.
        reads: whether vipd gets to read reports now.
        reloads: whether it is told to read the other configuration.
    """

    after_ms: int
    meanwhile: list[tuple[int, Happening]]
    reads: bool
    reloads: bool = False


class ModelledNetlink(Netlink):
    """Talks to a model."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        super().__init__()

    def open(self, groups: int) -> Any:  # type: ignore[override]
        return opened(self._kernel, groups)


class ModelledDaemon:
    """The daemon, and what drives it.

    Attributes:
        states: every state that an instance was in, oldest first.
        wrong: what vipd did though nobody gave it cause to.
    """

    def __init__(self, kernel: Kernel, configurations: list[Parsed], turns: list[Turn]) -> None:
        self.kernel = kernel
        self.now = SECOND_NS
        self.states: dict[str, list[str]] = {}
        self.wrong: list[str] = []
        self._turns = deque(turns)
        self._waiting: deque[tuple[int, Happening]] = deque()
        self._calls = 0
        self._due: int | None = None
        self._readers: dict[int, Callable[[], None]] = {}
        self._signals: list[int] = []
        self._configurations = configurations
        self._until: int | None = None
        self._check: Callable[[ModelledDaemon], None] = lambda daemon: None
        self.daemon: Daemon

    def run(self, check: Callable[[ModelledDaemon], None]) -> None:
        """Start the daemon, take all turns, let it settle, call `check`, and stop it."""
        self._check = check
        self.kernel.meanwhile = self._meanwhile
        with ExitStack() as stack:
            for target, replaced in self._replacements():
                stack.enter_context(patch(target, replaced))
            self.daemon = Daemon(
                self._configurations[0],
                PRESETS["keepalived-2"],
                MagicMock(detail=False),
                MagicMock(),
                self._load,
                "mark",
            )
            self.daemon.run(lambda: None)

    def _load(self) -> Parsed:
        self._configurations.reverse()
        return self._configurations[0]

    def _replacements(self) -> Iterator[tuple[str, Any]]:
        clock = SimpleNamespace(
            monotonic_ns=lambda: self.now, monotonic=lambda: self.now / SECOND_NS, time=lambda: self.now / SECOND_NS
        )
        for module in ("loop", "socket_pool", "effect_runner"):
            yield f"vipd.daemon.{module}.time", clock
        for name in ("AdvertReceiver", "AdvertSender"):
            yield f"vipd.daemon.socket_pool.{name}", lambda link, *_: _Socket(self.kernel, link)
        for name in ("GarpSender", "AcceptFilter"):
            yield f"vipd.daemon.socket_pool.{name}", MagicMock()
        yield "vipd.kernel.sysctl._FOLDER", "/nowhere/"
        # What makes a takeover fast: it sleeps and looks at the real clock.
        rehearsal = SimpleNamespace(wake_ns=lambda _, at_ns: at_ns, wait=MagicMock(), warm_up=MagicMock())
        yield "vipd.daemon.loop.Rehearsal", lambda *_: rehearsal
        for name in ("ServiceManager", "gc"):
            yield f"vipd.daemon.loop.{name}", MagicMock(**{"return_value.deadline.return_value": None})
        yield "vipd.daemon.loop.Scripts", lambda *_: MagicMock(**{"fileno.return_value": -4})
        yield "vipd.daemon.loop.Netlink", lambda: ModelledNetlink(self.kernel)
        yield (
            "vipd.daemon.loop.Notifier",
            lambda *_: SimpleNamespace(
                tell=self._told,
                tell_group=MagicMock(),
                tell_priority=MagicMock(),
                update=MagicMock(),
                close=MagicMock(),
            ),
        )
        yield "vipd.daemon.loop.TimerFd", lambda: SimpleNamespace(fileno=lambda: -2, set=self._set, clear=MagicMock())
        yield "vipd.daemon.loop.Signals", lambda _: SimpleNamespace(fileno=lambda: -3, pending=self._pending)
        yield (
            "vipd.daemon.loop.Readers",
            lambda *_: SimpleNamespace(
                watch=self._readers.__setitem__,
                unwatch=lambda descriptor: self._readers.pop(descriptor, None),
                read=self._read,
            ),
        )

    # -- what the daemon calls

    def _set(self, at_ns: int | None) -> None:
        self._due = at_ns

    def _pending(self) -> list[int]:
        pending, self._signals = self._signals, []
        return pending

    def _told(self, kind: str, name: str, state: str, *_: object) -> None:
        before = self.states.setdefault(name, [""])[-1]
        self.states[name].append(state)
        config = self.daemon._runtime.routers[name].config if name in self.daemon._runtime.routers else None
        # Nobody else speaks VRRP here, so that only a lost address makes a backup of a master.
        gives_up = (before, state) == ("MASTER", "BACKUP") and config is not None
        if gives_up and not any(address.octets in self.kernel.taken for address in config.served):
            self.wrong.append(f"{name} gave up, and nobody had taken its addresses")

    def _read(self, wait_s: float) -> None:
        """One wait for events."""
        if self._turns:
            turn = self._turns.popleft()
            self._advance(turn.after_ms * MS_NS)
            self._calls = 0
            self._waiting.extend(sorted(turn.meanwhile, key=lambda one: one[0]))
            if turn.reloads:
                self._signal(RELOAD)
            if turn.reads:
                self._netlink()
            return
        while self._waiting:
            self.kernel.happen(self._waiting.popleft()[1])
        self.kernel.catch_up()
        if self._until is None:
            self._until = self.now + _SETTLED_NS
        if self.kernel.readable():
            self._netlink()
        elif self.now < self._until:
            self._advance(SECOND_NS)
        else:
            self._check(self)
            self._signal(STOP[0])

    def _netlink(self) -> None:
        if self.kernel.readable():
            self._readers[-1]()

    def _advance(self, ns: int) -> None:
        self.now = max(self.now, min(self.now + ns, self.now + ns if self._due is None else self._due))

    def _signal(self, number: int) -> None:
        self._signals.append(number)
        self._readers[-3]()

    def _meanwhile(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._calls:
            self.kernel.happen(self._waiting.popleft()[1])
        self._calls += 1


class _Socket:
    """A socket for adverts, which sends while its interface is up."""

    def __init__(self, kernel: Kernel, link: Link) -> None:
        self.ifindex = link.ifindex
        self._kernel = kernel

    def fileno(self) -> int:
        return -1000 - id(self) % 1_000_000

    def join(self, groups: object) -> dict[bytes, OSError]:
        return {}

    def send(self, *_: object) -> None:
        interface = self._kernel.interfaces.get(self.ifindex)
        if interface is None:
            raise OSError(errno.ENODEV, "it is gone")
        if not interface.raised:
            raise OSError(errno.ENETDOWN, "it is down")

    def close(self) -> None:
        pass
