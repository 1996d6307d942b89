"""The second process: it runs scripts, and counts processes, for a daemon that has dropped the privilege to do so.

The daemon forks it before it drops its capabilities. It reads nothing from the network, and ends with the daemon.
Requests and answers are messages on a socket pair; both ends are this same program, so `marshal` will do. A third
process, which only waits, starts another runner on the same socket where one is killed: the daemon could not.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import stat
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

from vipd.kernel import process_count
from vipd.kernel.accounts import Account, executable, unsafe

FAILED, TIMED_OUT, REFUSED, NOT_RUN = -1, -2, -3, -4
"""Answers that are no exit status: was killed, took too long, could be changed by another than root, and could not be
run for want of something that has nothing to do with it."""

NOTIFY = "notify "
"""Prefix of the queues whose scripts run to their end after the daemon has ended."""

_MESSAGE = 1 << 16
_WAKE = b"\n"
_SHELL, _READ, _CHANNEL = "/bin/sh", 'read -r _ && exec "$@"', 0
_WAITING = 1000  # requests in one queue; beyond that something is stuck, and must not fill the memory
_GRACE_NS = 2_000_000_000
_SCAN_NS = 1_000_000_000
_FIRST_DELAY_S, _LAST_DELAY_S = 1, 64  # before another runner is started; doubled each time


class _Request(NamedTuple):
    number: int
    argv: tuple[str, ...]
    uid: int
    gid: int
    groups: tuple[int, ...]
    timeout_ns: int
    queue: str


class _Running(NamedTuple):
    request: _Request
    pid: int
    ends_ns: int | None
    answered: bool = False


class Channel:
    """The daemon's end of the way to the runner."""

    def __init__(self, ours: socket.socket, asleep: bool) -> None:
        ours.setblocking(False)
        self._socket = ours
        self._asleep = asleep

    def fileno(self) -> int:
        """Readable when the runner has answered."""
        return self._socket.fileno()

    def ask(self, message: bytes) -> None:
        """Send a request.

        Raises:
            OSError: there is no room for it, or nobody to read it.
        """
        if self._asleep:
            self._socket.send(_WAKE)
            self._asleep = False
        self._socket.send(message)

    def answer(self) -> tuple[str, tuple[int, int]] | None:
        """Read an answer: "ended" with number and status, "counted" with number and count, or "restarted".

        None if there is none more now.

        Raises:
            EOFError: there is nobody any more who would answer.
            OSError: it cannot be read.
        """
        try:
            message = self._socket.recv(_MESSAGE)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            raise EOFError from None
        if not message:
            raise EOFError
        kind, body = marshal.loads(message)
        return kind, body

    def wait(self, timeout_s: float) -> bool:
        """Wait for an answer; returns whether there is one."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def close(self) -> None:
        """End the runner, once the notify scripts have run."""
        self._socket.close()


def start(at_once: bool = True, without: tuple[int, ...] = ()) -> tuple[Channel, int]:
    """Fork the runner and the process that watches it; returns the daemon's end of the way, and the watcher's id.

    Where there is nothing to run yet (not `at_once`), a shell waits in their place for the first request. That is a
    hundred kilobytes instead of some megabytes; a reload may bring scripts, and nobody else could start them then.

    Args:
        at_once: whether there is something to run.
        without: descriptors that only the daemon may have: a notify script may keep the runner for a while after it.

    Raises:
        OSError: there are no more processes.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return Channel(ours, asleep=not at_once), pid
    status = 1
    try:
        ours.close()
        for descriptor in without:
            os.close(descriptor)
        _settle()
        if not at_once:
            _sleep(theirs)
        _watch(theirs)
        status = 0
    finally:
        os._exit(status)


def _sleep(channel: socket.socket) -> None:
    """Become a shell that waits for a request, and then this program again; returns only if there is no shell.

    The file that this program was read from stays open: it may be another one by then.
    """
    os.dup2(channel.fileno(), _CHANNEL)
    path = [_kept(one) for one in sys.path]
    code = f"import sys; sys.path[:] = {path!r}; from vipd.kernel.script_runner import take_up; take_up()"
    with suppress(OSError):
        os.execv(_SHELL, [_SHELL, "-c", _READ, "vipd-watcher", sys.executable, "-IS", "-c", code])
    channel.recv(len(_WAKE))


def _kept(path: str) -> str:
    """A name of a file that lasts as long as this process; that of a folder is left as it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.set_inheritable(descriptor, True)
            return f"/proc/self/fd/{descriptor}"
        os.close(descriptor)
    except OSError:
        pass  # Python itself has names in its path that are not there
    return path


def take_up() -> None:
    """Go on where `_sleep` left off, in a new Python."""
    _settle()
    _watch(socket.socket(fileno=_CHANNEL))


def _watch(channel: socket.socket) -> None:
    """Have a runner until one ends in its order, which it does once the daemon has ended."""
    _name(b"vipd-watcher")
    first, delay_s = True, _FIRST_DELAY_S
    while True:
        pid = _forked(channel, first)
        if pid and os.waitpid(pid, 0)[1] == 0:
            return
        time.sleep(delay_s)
        first, delay_s = False, min(2 * delay_s, _LAST_DELAY_S)


def _forked(channel: socket.socket, first: bool) -> int:
    """Fork a runner; returns its process id, 0 if there are no more processes."""
    try:
        pid = os.fork()
    except OSError:
        return 0
    if pid:
        return pid
    status = 1
    try:
        _name(b"vipd-runner")
        runner = _Runner(channel)
        if not first:
            runner.tell("restarted", (0, 0))
        runner.run()
        status = 0
    finally:
        os._exit(status)


def _settle() -> None:
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the daemon decides; this one ends when the socket does
    signal.set_wakeup_fd(-1)


def _name(name: bytes) -> None:
    with suppress(OSError), open("/proc/self/comm", "wb") as opened:  # noqa: PTH123
        opened.write(name)


class _Runner:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._poll = select.epoll()
        self._poll.register(channel.fileno(), select.EPOLLIN)
        self._running: dict[int, _Running] = {}
        self._queues: dict[str, deque[_Request]] = {}
        self._counts: list[tuple[int, process_count.Which]] = []
        self._counted: dict[int, int] = {}
        self._scan_ns: int | None = None
        self._listening = True

    def run(self) -> None:
        while self._listening or self._running:
            deadlines = [running.ends_ns for running in self._running.values() if running.ends_ns is not None]
            if self._scan_ns is not None:
                deadlines.append(self._scan_ns)
            wait_s = max(0.0, (min(deadlines) - time.monotonic_ns()) / 1e9) if deadlines else -1
            for descriptor, _ in self._poll.poll(wait_s):
                if descriptor == self._channel.fileno():
                    self._read()
                elif descriptor in self._running:
                    self._ended(descriptor)
            self._overdue(time.monotonic_ns())

    def _read(self) -> None:
        try:
            message = self._channel.recv(_MESSAGE)
        except ConnectionResetError:
            return  # the daemon has ended and left answers unread; what it asked for last is still to be read
        if message:
            self._asked(marshal.loads(message))
        else:
            self._end()

    def _asked(self, message: Any) -> None:
        kind, body = message
        if kind == "run":
            request = _Request(*body)
            if request.queue:
                queue = self._queues.setdefault(request.queue, deque())
                queue.append(request)
                if len(queue) > _WAITING:
                    self._answer(queue.pop().number, FAILED)
                elif len(queue) == 1:
                    self._begin(request)
            else:
                self._begin(request)
        elif kind == "count":
            self._counts = body
            self._counted.clear()
            self._scan_ns = time.monotonic_ns() if self._counts else None

    def _begin(self, request: _Request) -> None:
        path = executable(request.argv[0])
        if path is None or unsafe(path):
            self._done(request, REFUSED)
            return
        try:
            pid = os.fork()
        except OSError:
            self._done(request, NOT_RUN)
            return
        if pid == 0:
            _become(request, path)
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self._done(request, NOT_RUN)
            return
        ends_ns = time.monotonic_ns() + request.timeout_ns if request.timeout_ns else None
        self._running[descriptor] = _Running(request, pid, ends_ns)
        self._poll.register(descriptor, select.EPOLLIN)

    def _ended(self, descriptor: int) -> None:
        running = self._running.pop(descriptor)
        self._poll.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(running.pid, 0)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)  # what it may have left in the background
        if not running.answered:
            self._answer(running.request.number, os.WEXITSTATUS(status) if os.WIFEXITED(status) else FAILED)
        self._next(running.request)

    def _overdue(self, now: int) -> None:
        for descriptor, running in list(self._running.items()):
            if running.ends_ns is not None and running.ends_ns <= now:
                if not running.answered:  # that it took too long is known now, however long it takes to die
                    self._answer(running.request.number, TIMED_OUT)
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL if running.answered else signal.SIGTERM)
                self._running[descriptor] = running._replace(answered=True, ends_ns=now + _GRACE_NS)
        if self._scan_ns is not None and self._scan_ns <= now:
            self._scan_ns = now + _SCAN_NS
            self._scan()

    def _done(self, request: _Request, status: int) -> None:
        self._answer(request.number, status)
        self._next(request)

    def _next(self, request: _Request) -> None:
        """Start the next request of the queue."""
        queue = self._queues.get(request.queue)
        if queue:
            queue.popleft()
            if queue:
                self._begin(queue[0])
            else:
                del self._queues[request.queue]

    def _answer(self, number: int, status: int) -> None:
        self.tell("ended", (number, status))

    def tell(self, kind: str, body: tuple[int, int]) -> None:
        with suppress(OSError):  # the daemon has gone; so will this
            self._channel.send(marshal.dumps((kind, body)))

    def _scan(self) -> None:
        """Count the tracked processes; once a second, and not in the process that sends adverts."""
        counts = process_count.counts([which for _, which in self._counts])
        for (number, _), count in zip(self._counts, counts):
            if self._counted.get(number) != count:
                self._counted[number] = count
                self.tell("counted", (number, count))

    def _end(self) -> None:
        """The daemon has ended: notify scripts still run to their end, everything else is stopped."""
        self._poll.unregister(self._channel.fileno())
        self._listening, self._scan_ns = False, None
        self._queues = {queue: waiting for queue, waiting in self._queues.items() if queue.startswith(NOTIFY)}
        ends_ns = time.monotonic_ns() + _GRACE_NS
        for descriptor, running in self._running.items():
            if not running.request.queue.startswith(NOTIFY):
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGTERM)
                self._running[descriptor] = running._replace(answered=True, ends_ns=ends_ns)


def _become(request: _Request, path: str) -> None:
    """In the child: become the script's user, keep nothing, run it."""
    try:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.closerange(3, 4096)
        for number in (*range(1, 32), signal.SIGRTMIN):
            with suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_DFL)
        os.chdir("/")
        if os.getuid() == 0:
            os.setgroups(request.groups)
            os.setgid(request.gid)
            os.setuid(request.uid)
        os.execve(path, (path, *request.argv[1:]), {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"})
    finally:
        os._exit(127)


def request(number: int, argv: tuple[str, ...], who: Account, timeout_ns: int, queue: str) -> bytes:
    """Encode a request to run a script; those of one queue run one after the other."""
    return marshal.dumps(("run", (number, argv, who.uid, who.gid, who.groups, timeout_ns, queue)))


def census(wanted: list[tuple[int, process_count.Which]]) -> bytes:
    """Encode a request to count processes."""
    return marshal.dumps(("count", wanted))
