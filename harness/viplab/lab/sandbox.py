"""A process tree that cannot outlive its owner: namespaces of its own, and the kernel as the one who cleans up.

::

    viplab (the process that the user sees)
    └─ keeper      dies with viplab (parent death signal); has made the new namespaces
       └─ init     first process of the new PID namespace; dies with the keeper; reaps orphans
          └─ payload   the function that was given, and all that it starts

When `init` goes, by whatever signal to whomever above, the kernel kills every process of the PID namespace, and with
the last of them the network and mount namespaces go: bridges, captures, daemons, guests, mounts. Nothing has to be
remembered and nothing can be forgotten.

Orphans must be reaped because qemu daemonizes when libvirt probes it: under a first process that does not reap, the
first connection to libvirt hangs.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from viplab.errors import HostError, Interrupted, LabError
from viplab.lab import kernel

T = TypeVar("T")
TREE = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID
LAB = TREE | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWNET
OUTSIDE_PID = "VIPLAB_OUTSIDE_PID"
"""Environment variable of the payload: the init's process id as it is known outside, for those who want to join."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_REQUEST_S = 1.0
"""Signals this close are one request: Ctrl-C comes from the terminal to every process, and handed on by each."""


def contained(payload: Callable[[], T], flags: int = TREE) -> T:
    """Run `payload` in a process tree that cannot outlive the caller, and return what it returns.

    Args:
        payload: Runs in the sandbox's own process; its result, or the exception that it raises, must pickle.
        flags: Namespaces to make (`TREE`: mounts and processes only, `LAB`: network, host name and IPC as well).

    Raises:
        HostError: not root.
        LabError: the sandbox died without an answer.
        BaseException: whatever the payload raised.
    """
    if os.geteuid() != 0:
        raise HostError("the lab needs root, to make namespaces of its own; run it with sudo")
    sys.stdout.flush()
    sys.stderr.flush()
    answer, reply = os.pipe()
    owner = os.getpid()
    # Whoever is forked inherits this: a signal waits until there is a handler, or it would be lost on its way down.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    keeper = os.fork()
    if keeper == 0:
        os.close(answer)
        _keep(owner, reply, payload, flags)
    os.close(reply)
    with _forwarding(keeper), os.fdopen(answer, "rb") as stream:
        data = stream.read()
        _, status = os.waitpid(keeper, 0)
    if not data:
        raise LabError(f"the lab's process tree ended without an answer (status {os.waitstatus_to_exitcode(status)})")
    worked, value = pickle.loads(data)
    if worked:
        result: T = value
        return result
    raise value


class _forwarding:  # noqa: N801 - a context manager, used like a function
    """While waiting for a child, hand on to it what asks to end, lest it reach only the process that the user sees."""

    def __init__(self, child: int) -> None:
        self._child = child
        self._saved: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        for number in FORWARDED:
            self._saved[number] = signal.signal(number, self._hand_on)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)

    def _hand_on(self, number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._child, number)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._saved.items():
            signal.signal(number, handler)


def _keep(owner: int, reply: int, payload: Callable[[], object], flags: int) -> NoReturn:
    kernel.set_process_name("viplab-keeper")
    kernel.set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != owner:
        os._exit(1)
    try:
        kernel.unshare(flags)
    except OSError as error:
        _answer(reply, (False, HostError(f"cannot make namespaces ({error}); run it as root, outside of a container")))
        os._exit(1)
    alive, hold = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(hold)
        _init(alive, reply, payload, flags)
    os.close(alive)
    os.close(reply)
    os.write(hold, b"!")
    with _forwarding(init):
        _, status = os.waitpid(init, 0)
    os._exit(max(0, os.waitstatus_to_exitcode(status)))


def _init(alive: int, reply: int, payload: Callable[[], object], flags: int) -> NoReturn:
    kernel.set_process_name("viplab-init")
    kernel.set_parent_death_signal(signal.SIGKILL)
    if not os.read(alive, 1):
        os._exit(1)  # the keeper was gone before the death signal was asked for
    os.close(alive)
    # The old /proc still speaks of us by the number that the world outside knows.
    os.environ[OUTSIDE_PID] = str(Path("/proc/self").readlink())
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("proc", "/proc", "proc")
    child = os.fork()
    if child == 0:
        _run(reply, payload)
    os.close(reply)
    with _forwarding(child):
        while True:
            pid, status = os.wait()
            if pid == child:
                os._exit(max(0, os.waitstatus_to_exitcode(status)))


def _run(reply: int, payload: Callable[[], object]) -> NoReturn:
    asked_s = float("-inf")

    def stop(number: int, _: object) -> None:
        nonlocal asked_s
        before_s, asked_s = asked_s, time.monotonic()
        if asked_s - before_s > SAME_REQUEST_S:
            raise Interrupted(signal.Signals(number).name)

    for number in FORWARDED:
        signal.signal(number, stop)
    outcome: tuple[bool, object]
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        outcome = (True, payload())
    except SystemError as error:
        # libvirt-python calls us back from C; an interruption that strikes there comes out wrapped.
        outcome = (False, error.__cause__ or error)
    except BaseException as error:
        outcome = (False, error)
    _answer(reply, outcome)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _answer(reply: int, outcome: tuple[bool, object]) -> None:
    try:
        data = pickle.dumps(outcome)
    except Exception:
        data = pickle.dumps((False, LabError(f"{type(outcome[1]).__name__}: {outcome[1]}")))
    with os.fdopen(reply, "wb") as stream:
        stream.write(data)
