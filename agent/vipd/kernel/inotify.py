"""Reports that something in a folder was written, made, moved or removed."""

from __future__ import annotations

import ctypes
import os

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_CHANGES = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_READ = 1 << 16


class Inotify:
    """One inotify descriptor."""

    def __init__(self) -> None:
        """Open it.

        Raises:
            OSError: there are no more descriptors, or no more for this user.
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = _called(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def fileno(self) -> int:
        """Readable when something changed."""
        return self._descriptor

    def add(self, folder: str) -> None:
        """Watch a folder.

        Raises:
            OSError: there is none, or no room to watch it.
        """
        _called(self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _CHANGES))

    def drain(self) -> None:
        """Take in all reports.

        Raises:
            OSError: they cannot be read.
        """
        try:
            while os.read(self._descriptor, _READ):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self._descriptor)


def _called(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
