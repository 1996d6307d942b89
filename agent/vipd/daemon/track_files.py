"""Tracks the numbers in files (`track_file`), which are read again when inotify reports a write."""

from __future__ import annotations

import time
from collections.abc import Callable

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import TrackFile
from vipd.daemon.readers import Readers
from vipd.kernel.files import create, folder_of, read_start
from vipd.kernel.inotify import Inotify
from vipd.kernel.syslog import Syslog, reason

_DIGITS = 32


class TrackedFiles:
    """Watches the folders of the files, so that a file that is replaced or created later is seen, too.

    It is `Timed`: where the kernel watches no more folders, the files are read each second.
    """

    def __init__(
        self,
        files: tuple[TrackFile, ...],
        log: Syslog,
        changed: Callable[[str, int], None],
        old: TrackedFiles | None = None,
    ) -> None:
        """Begin to watch; a file that `old` watched already is not written to once more."""
        self._files = files
        self._log = log
        self._changed = changed
        self._values: dict[str, int] = {} if old is None else old._values
        self._inotify: Inotify | None = None
        self._poll_ns: int | None = None
        try:
            self._inotify = Inotify()
        except (OSError, MemoryError) as error:
            self._not_watched(f"no file is watched: {reason(error)}")
        for one in files:
            self._begin(one)

    def watch(self, readers: Readers) -> None:
        """Have `read` called when something was written; where that cannot be had, the files are read each second."""
        if self._inotify is not None:
            try:
                readers.watch(self._inotify.fileno(), self.read)
            except (OSError, MemoryError) as error:
                self._not_watched(f"no file is watched: {reason(error)}")

    def unwatch(self, readers: Readers) -> None:
        """Have it called no more."""
        if self._inotify is not None:
            readers.unwatch(self._inotify.fileno())

    def read(self) -> None:
        """Take in a change in one of the folders: read all of the files."""
        if self._inotify is not None:
            self._inotify.drain()
        self.update()

    def update(self) -> None:
        """Read every file, and report those that hold another number now."""
        for one in self._files:
            value = self._number(one)
            if self._values.get(one.name) != value:
                self._values[one.name] = value
                self._changed(one.name, value)

    def deadline(self) -> int | None:
        """When to read the files, where they are not all watched."""
        return self._poll_ns

    def handle_deadline(self, now: int) -> None:
        """Read them."""
        if self._poll_ns is not None and now >= self._poll_ns:
            self._poll_ns = now + SECOND_NS
            self.update()

    def close(self) -> None:
        """Stop watching."""
        if self._inotify is not None:
            self._inotify.close()

    def _begin(self, one: TrackFile) -> None:
        try:
            if one.initial is not None and one.name not in self._values:
                create(one.file, f"{one.initial}\n", one.overwrite)
        except (OSError, MemoryError) as error:
            self._log.failure(f"track_file {one.name}: {one.file} cannot be made: {reason(error)}")
        try:
            if self._inotify is not None:
                self._inotify.add(folder_of(one.file))
        except (OSError, MemoryError) as error:
            self._not_watched(f"track_file {one.name}: {one.file} is not watched: {reason(error)}")

    def _not_watched(self, text: str) -> None:
        self._log.failure(f"{text}; it is read each second")
        self._poll_ns = time.monotonic_ns()

    def _number(self, one: TrackFile) -> int:
        """The number that a file begins with; 0 where there is none, as keepalived has it.

        A file that cannot be read for another reason than that it is not there says what it said before.
        """
        try:
            return int(read_start(one.file, _DIGITS).decode("ascii", "replace").split()[0])
        except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
            return 0
        except (OSError, MemoryError) as error:
            self._log.failure(f"track_file {one.name}: {one.file} cannot be read: {reason(error)}")
            return self._values.get(one.name, 0)
