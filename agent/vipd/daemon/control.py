"""The Unix socket that `vipd status` asks: one connection, one report, as JSON, in slices between the adverts."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from vipd.daemon.status import lines

_WAITING = 8
_SO_SNDBUFFORCE = 32
_LIMIT = 64 << 20
_SLICE_NS = 500_000


class Control:
    """Listens, and answers every connection in slices, so that adverts that are due need not wait.

    It is `Timed`: while an answer is unfinished it is always due, and each call sends a slice.
    """

    def __init__(self, path: str, report: Callable[[], Iterator[str]], update: Callable[[Control], None]) -> None:
        """Listen.

        Args:
            path: of the socket.
            report: returns the answer in parts, each of which takes much less than a slice.
            update: is called when an answer begins.

        Raises:
            OSError: nothing can be made there.
        """
        self._path = path
        self._report = report
        self._update = update
        self._asking: deque[tuple[socket.socket, Iterator[str]]] = deque()
        self._next_ns = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - what a killed daemon left; the pid file's lock says that none runs
        before = os.umask(0o077)
        try:
            self._socket.bind(path)
        finally:
            os.umask(before)
        self._socket.listen(_WAITING)

    def fileno(self) -> int:
        """Readable when a client connects."""
        return self._socket.fileno()

    def read(self) -> None:
        """Accept a connection."""
        try:
            asking, _ = self._socket.accept()
        except OSError:
            return
        asking.setblocking(False)
        with suppress(OSError):  # the kernel gives the memory as it is needed
            asking.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _LIMIT)
        self._asking.append((asking, self._report()))
        if len(self._asking) > _WAITING:
            self._asking.popleft()[0].close()
        self._next_ns = time.monotonic_ns()
        self._update(self)

    def deadline(self) -> int | None:
        """The last time at which a slice was sent, and so at once, while an answer is unfinished."""
        return self._next_ns if self._asking else None

    def handle_deadline(self, now: int) -> None:
        """Send a slice; a client that does not read in time gets less, and never blocks the daemon."""
        if not self._asking:
            return
        self._next_ns = now
        asking, parts = self._asking[0]
        try:
            for part in parts:
                asking.sendall(part.encode())
                if time.monotonic_ns() - now >= _SLICE_NS:
                    return
        except OSError:
            pass
        self._asking.popleft()
        asking.close()

    def close(self) -> None:
        """Close the socket and remove its path."""
        self._socket.close()
        with suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108


def socket_of(pid_file: str) -> str:
    """The path of the socket that the daemon with this pid file listens on."""
    return f"{pid_file[:-4] if pid_file.endswith('.pid') else pid_file}.sock"


def status(path: str, as_json: bool, watch: bool) -> int:
    """Ask a daemon for its status and print it, with `watch` each second; returns the exit status."""
    import json

    try:
        while True:
            report = json.loads(_asked(path))
            if watch and sys.stdout.isatty():
                sys.stdout.write("\x1b[H\x1b[2J")
            text = json.dumps(report, indent=None if watch else 2) if as_json else "\n".join(lines(report))
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            if not watch:
                return 0
            time.sleep(1)
    except (FileNotFoundError, ConnectionError):
        sys.stderr.write(f"vipd: no daemon answers at {path}; is it running? -p names another pid file\n")
    except BrokenPipeError:
        pass
    except OSError as error:
        why = "only its user may ask" if error.errno == errno.EACCES else error.strerror
        sys.stderr.write(f"vipd: {path}: {why}\n")
    except ValueError:
        sys.stderr.write(f"vipd: {path}: the answer broke off; ask again\n")
    except KeyboardInterrupt:
        return 0
    return 1


def _asked(path: str) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(5)
        asking.connect(path)
        answer = bytearray()
        while len(answer) < _LIMIT:
            part = asking.recv(1 << 16)
            if not part:
                break
            answer += part
        return bytes(answer)
