"""A FIFO that lines are written to, whether or not somebody reads it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from vipd.kernel.accounts import Account, AccountError, account
from vipd.kernel.syslog import Syslog, reason


class Fifo:
    """One `notify_fifo`. It is open in both directions, so that it needs no reader; when it is full, lines are lost."""

    def __init__(self, path: str, owner: tuple[str, ...], log: Syslog, give: Callable[[str, int, int], None]) -> None:
        """Make it, if there is none, and open it; where that fails, every line tries again.

        Args:
            path: where.
            owner: its user and group, if it is another's.
            log: for what fails.
            give: changes the owner where this process may not; takes path, user and group.
        """
        self.path = path
        self._owner = owner
        self._log = log
        self._give = give
        self._made = False
        self._descriptor: int | None = None
        self._open()

    def write(self, line: str) -> None:
        """Write a line, if there is room for it."""
        if self._descriptor is None:
            self._open()
        if self._descriptor is not None:
            try:
                os.write(self._descriptor, line.encode("utf-8", "surrogateescape"))
            except OSError as error:
                self._log.failure(f"{self.path}: a notification was lost: {reason(error)}")

    def close(self) -> None:
        """Close the FIFO, and remove it if this daemon made it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        if self._made:
            with suppress(OSError):
                os.unlink(self.path)  # noqa: PTH108

    def _open(self) -> None:
        try:
            with suppress(FileExistsError):
                os.mkfifo(self.path, 0o600)
                self._made = True
            found = os.lstat(self.path)
            if not stat.S_ISFIFO(found.st_mode):
                raise OSError(0, "is not a FIFO")
            # Opened first: once it is another's, root alone may not suffice.
            descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            self._descriptor = descriptor
            if self._owner:
                who = account(*self._owner)
                if (found.st_uid, found.st_gid) != (who.uid, who.gid):
                    self._chown(who)
        except OSError as error:
            self._log.failure(f"{self.path}: no notifications there: {reason(error)}")
        except AccountError as error:
            self._log.failure(f"{self.path}: stays root's: {error}")

    def _chown(self, who: Account) -> None:
        try:
            os.chown(self.path, who.uid, who.gid)
        except PermissionError:
            self._give(self.path, who.uid, who.gid)
