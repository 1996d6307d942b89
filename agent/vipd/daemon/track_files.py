"""Tracks the numbers in files (`track_file`), which are read again when inotify reports a write."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from contextlib import suppress

from vipd.config.model import TrackFile
from vipd.kernel.syslog import Syslog

_EVENT = struct.Struct("=iIII")
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_CHANGES = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_DIGITS = 32


class TrackedFiles:
    """Watches the folders of the files, so that a file that is replaced or created later is seen, too."""

    def __init__(self, files: tuple[TrackFile, ...], log: Syslog, changed: Callable[[str, int], None]) -> None:
        self._files = files
        self._log = log
        self._changed = changed
        self._values: dict[str, int] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for file in files:
            self._begin(file)

    def fileno(self) -> int:
        """Readable when something was written."""
        return self._descriptor

    def read(self) -> None:
        """Take in a change in one of the folders: read all of the files."""
        with suppress(BlockingIOError):
            while os.read(self._descriptor, 1 << 16):
                pass
        self.update()

    def update(self) -> None:
        """Read every file, and report those that hold another number now."""
        for file in self._files:
            value = _number(file.file)
            if self._values.get(file.name) != value:
                self._values[file.name] = value
                self._changed(file.name, value)

    def close(self) -> None:
        """Stop watching."""
        os.close(self._descriptor)

    def _begin(self, file: TrackFile) -> None:
        try:
            if file.initial is not None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if file.overwrite else os.O_EXCL)
                with suppress(FileExistsError):
                    descriptor = os.open(file.file, flags, 0o644)
                    os.write(descriptor, f"{file.initial}\n".encode())
                    os.close(descriptor)
            folder = os.path.dirname(file.file) or "."  # noqa: PTH120
            if self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _CHANGES) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        except OSError as error:
            self._log.line(f"track_file {file.name}: {file.file} is not watched: {error.strerror}")


def _number(path: str) -> int:
    """The number that a file begins with; 0 where there is none, as keepalived has it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, _DIGITS).decode("ascii", "replace")
        finally:
            os.close(descriptor)
        return int(text.split()[0])
    except (OSError, ValueError, IndexError):
        return 0
