"""The daemon's own process: its pid file, and its way into the background."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress

from vipd.kernel.console import Console


class PidFile:
    """The pid file. It is locked while the daemon runs, so that what a killed daemon left is no obstacle."""

    def __init__(self, path: str) -> None:
        """Make the file if there is none, and lock it.

        Raises:
            BlockingIOError: a daemon that runs has the lock.
            OSError: the file cannot be made, or not be locked.
        """
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def fileno(self) -> int:
        """The descriptor that has the lock, as has every copy of it in another process."""
        return self._descriptor

    def write(self) -> None:
        """Write the process id.

        Raises:
            OSError: it cannot be written; the lock holds all the same.
        """
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def remove(self) -> None:
        """Remove the file, if that is possible."""
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108


def leave(keep: bool, console: Console) -> Callable[[], None]:
    """Go into the background; the command returns once the daemon calls what is returned, or with its failure.

    Args:
        keep: whether standard error stays as it is.
        console: is closed otherwise.

    Raises:
        OSError: there are no more processes or descriptors.
    """
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        os._exit(0 if os.read(read, 1) else 1)
    os.close(read)
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in (0, 1) if keep else (0, 1, 2):
        os.dup2(null, descriptor)
    if not keep:
        console.close()
    os.close(null)

    def ready() -> None:
        with suppress(OSError):  # nobody waits any more
            os.write(write, b"+")
        os.close(write)

    return ready


def own_pid() -> int:
    """The process id of this process."""
    return os.getpid()
