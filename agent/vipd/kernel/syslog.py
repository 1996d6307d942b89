"""Sends lines to the system's log, in the exact form of the daemon that the profile follows.

The C library's syslog(3) would add what it likes to the tag; the article's lines have a tag without a process id.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.kernel.console import Console
from vipd.protocol.log_messages import LOG_MESSAGES, LogEvent, LogMessage
from vipd.protocol.rate_limit import RateLimit

PATH = "/dev/log"


class LogFormat(NamedTuple):
    """The form of one daemon's lines: tag, whether `[pid]` follows it, facility * 8 + severity, and messages."""

    ident: str
    with_pid: bool
    priority: int
    messages: dict[LogEvent, LogMessage]


PARENT = "Keepalived"
DAEMON_INFO = 30
LOCAL1_INFO = 142

FORMATS = {
    "keepalived-1.2.2": LogFormat("Keepalived_vrrp", False, LOCAL1_INFO, LOG_MESSAGES["keepalived-1.2.2"]),
    "keepalived-2": LogFormat("Keepalived_vrrp", True, DAEMON_INFO, LOG_MESSAGES["keepalived-2"]),
    "rfc9568": LogFormat("vipd", True, DAEMON_INFO, LOG_MESSAGES["rfc9568"]),
}


FAILURES = (OSError, MemoryError, ImportError)
"""What may go wrong with anything, and must end nothing: a module may be gone when Python or vipd has been upgraded."""

_CAUSES = 256  # that are remembered at a time
_MINUTE_NS = 60 * SECOND_NS


class Syslog:
    """Sends lines to /dev/log, or to standard error where there is no such thing or the user asked for it.

    It never blocks and never fails the daemon: a line that nobody takes at once is lost.

    Attributes:
        detail: whether lines for `-D` are wanted.
        console: takes the lines that /dev/log does not.
    """

    def __init__(self, form: LogFormat, detail: bool, console: bool) -> None:
        """Open no socket yet; `console` is whether all lines go to standard error (`-l`)."""
        self._form = form
        self.detail = detail
        self.console = Console()
        self._to_console = console
        self._socket: socket.socket | None = None
        self._failures: dict[str, RateLimit] = {}

    def event(self, event: LogEvent, **fields: object) -> None:
        """Log an event, if the profile has a message for it; `pid` is filled in."""
        line = self._form.messages.get(event)
        if line is not None:
            self.line(line.template.format(pid=os.getpid(), **fields), line.detail, line.parent)

    def failure(self, text: str) -> None:
        """Log what went wrong: the same line once a minute, however often it goes wrong."""
        with suppress(MemoryError):
            limit = self._failures.get(text)
            if limit is None:
                if len(self._failures) >= _CAUSES:
                    self._failures.clear()
                limit = self._failures[text] = RateLimit(1, _MINUTE_NS)
            if limit.allows(time.monotonic_ns()):
                self.line(text)

    def line(self, text: str, detail: bool = False, parent: bool = False) -> None:
        """Log one line; `detail` lines only with -D, and those of the parent with its tag and facility."""
        if detail and not self.detail:
            return
        with suppress(MemoryError):
            ident, priority = (PARENT, DAEMON_INFO) if parent else (self._form.ident, self._form.priority)
            tag = f"{ident}[{os.getpid()}]" if self._form.with_pid else ident
            stamped = f"{time.strftime('%b %e %H:%M:%S')} {tag}: {text}"
            if self._to_console or not self._sent(f"<{priority}>{stamped}".encode("utf-8", "replace")):
                self.console.write(stamped)

    def fatal(self, text: str) -> None:
        """Log why the daemon ends, on standard error too."""
        if not self._to_console:
            self.console.write(text)
        self.line(text)

    def _sent(self, line: bytes) -> bool:
        for _ in range(2):  # a log daemon that was restarted has another socket at the same place
            try:
                if self._socket is None:
                    self._socket = socket.socket(
                        socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
                    )
                    self._socket.connect(PATH)
                self._socket.send(line)
            except BlockingIOError:
                return True  # the log is full: drop the line rather than an advert
            except OSError:
                if self._socket is not None:
                    self._socket.close()
                    self._socket = None
            else:
                return True
        return False


def reason(error: OSError | MemoryError | ImportError) -> str:
    """What an error says, for a log line."""
    if isinstance(error, MemoryError):
        return "Cannot allocate memory"
    if isinstance(error, ImportError):
        return f"{error}; restart vipd, since what it was started from has changed"
    return error.strerror or str(error)
