"""Standard error as a log that waits for nobody: a reader that stands still, or has gone, costs lines only."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
from contextlib import suppress

_STANDARD_ERROR = 2
_ATOMIC = select.PIPE_BUF  # what a pipe takes as a whole or not at all


class Console:
    """Writes lines to standard error, if it takes them at once.

    A pipe or a terminal is opened a second time, since a description that others share must not be made non-blocking
    for them, too. Where that fails (a FIFO has no reader yet), a look whether there is room has to do.
    """

    def __init__(self, descriptor: int = _STANDARD_ERROR) -> None:
        self._given = descriptor
        self._descriptor = descriptor
        self._socket: socket.socket | None = None
        self._room: select.poll | None = None
        with suppress(OSError):
            kind = os.fstat(descriptor).st_mode
            if stat.S_ISSOCK(kind):
                self._socket = socket.socket(fileno=os.dup(descriptor))
            elif stat.S_ISFIFO(kind) or stat.S_ISCHR(kind):
                self._room = select.poll()
                self._room.register(descriptor, select.POLLOUT)
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                self._descriptor = os.open(f"/proc/self/fd/{descriptor}", flags)
                self._room = None

    def close(self) -> None:
        """Let go of whoever reads it; later lines are lost."""
        if self._socket is not None:
            self._socket.close()
        elif self._descriptor != self._given:
            os.close(self._descriptor)
        self._descriptor = -1

    def write(self, line: str) -> None:
        """Write a line; one that cannot be written is lost, and one that is too long is cut."""
        octets = line.encode("utf-8", "backslashreplace")[: _ATOMIC - 1] + b"\n"
        with suppress(OSError):
            if self._socket is not None:
                self._socket.send(octets, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            elif self._room is None or self._room.poll(0):
                os.write(self._descriptor, octets)


def open_standard_streams() -> None:
    """Open on /dev/null what is closed of the standard streams: the pid file must not become one of them."""
    with suppress(OSError):
        while True:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor > _STANDARD_ERROR:
                os.close(descriptor)
                break
            os.set_inheritable(descriptor, True)


def say(text: str, output: bool = False) -> bool:
    """Write to standard error, or to standard output; returns whether it was written.

    What could not be written is not tried again when the interpreter ends, which would change the exit status.
    """
    name = "stdout" if output else "stderr"
    stream = getattr(sys, name)
    try:
        if stream is not None:
            stream.write(text)
            stream.flush()
            return True
    except (OSError, ValueError):
        setattr(sys, name, None)
    return False


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()
