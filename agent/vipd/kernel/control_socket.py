"""The Unix socket that `vipd status` asks: the daemon's end, and the asking."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

WAITING = 8
"""Connections that wait to be accepted."""

_SO_SNDBUFFORCE = 32
_LIMIT = 64 << 20
_PATIENCE_S = 5


class Client:
    """One who asks; an answer that does not fit its buffer is cut, and nobody waits for it."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted
        accepted.setblocking(False)
        with suppress(OSError):  # the kernel gives the memory as it is needed
            accepted.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _LIMIT)

    def send(self, text: str) -> None:
        """Send a part of the answer.

        Raises:
            OSError: it has gone, or does not read.
        """
        self._socket.sendall(text.encode())

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


class ControlSocket:
    """Listens at a path, for its user alone."""

    def __init__(self, path: str) -> None:
        """Listen; a socket that a killed daemon left is replaced (the pid file's lock says that none runs).

        Raises:
            OSError: nothing can be made there, or there is something else.
        """
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with suppress(FileNotFoundError):
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                raise OSError(0, "is there, and no socket")
            os.unlink(path)  # noqa: PTH108
        before = os.umask(0o077)
        try:
            self._socket.bind(path)
        finally:
            os.umask(before)
        self._socket.listen(WAITING)

    def fileno(self) -> int:
        """Readable when somebody connects."""
        return self._socket.fileno()

    def accept(self) -> Client | None:
        """Accept a connection; None if there is none any more.

        Raises:
            OSError: there is no descriptor for it.
        """
        try:
            accepted, _ = self._socket.accept()
        except BlockingIOError:
            return None
        return Client(accepted)

    def close(self) -> None:
        """Close the socket and remove its path."""
        self._socket.close()
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108


def ask(path: str) -> bytes:
    """Ask a daemon; returns the whole answer.

    Raises:
        OSError: none listens there, or it does not answer in time.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_PATIENCE_S)
        asking.connect(path)
        answer = bytearray()
        while len(answer) < _LIMIT:
            part = asking.recv(1 << 16)
            if not part:
                break
            answer += part
        return bytes(answer)
