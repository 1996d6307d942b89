"""Sends lines to the system's log, in the exact form of the daemon that the profile follows.

The C library's syslog(3) would add what it likes to the tag; the article's lines have a tag without a process id.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import NamedTuple

from vipd.protocol.log_messages import LOG_MESSAGES, LogEvent, LogMessage

PATH = "/dev/log"


class LogFormat(NamedTuple):
    """The form of one daemon's lines: tag, whether `[pid]` follows it, facility * 8 + severity, and messages."""

    ident: str
    with_pid: bool
    priority: int
    messages: dict[LogEvent, LogMessage]


DAEMON_INFO = 30
LOCAL1_INFO = 142

FORMATS = {
    "keepalived-1.2.2": LogFormat("Keepalived_vrrp", False, LOCAL1_INFO, LOG_MESSAGES["keepalived-1.2.2"]),
    "keepalived-2": LogFormat("Keepalived_vrrp", True, DAEMON_INFO, LOG_MESSAGES["keepalived-2"]),
    "rfc9568": LogFormat("vipd", True, DAEMON_INFO, LOG_MESSAGES["rfc9568"]),
}


class Syslog:
    """Sends lines to /dev/log, or to standard error where there is no such thing or the user asked for it.

    Attributes:
        detail: whether lines for `-D` are wanted.
    """

    def __init__(self, form: LogFormat, detail: bool, console: bool) -> None:
        self._form = form
        self.detail = detail
        self._console = console
        self._socket: socket.socket | None = None

    def event(self, event: LogEvent, **fields: object) -> None:
        """Log an event, if the profile has a message for it."""
        line = self._form.messages.get(event)
        if line is not None:
            self.line(line.template.format(**fields), line.detail)

    def line(self, text: str, detail: bool = False) -> None:
        """Log one line; `detail` lines only with -D. Logging never blocks and never fails the daemon."""
        if detail and not self.detail:
            return
        tag = f"{self._form.ident}[{os.getpid()}]" if self._form.with_pid else self._form.ident
        stamped = f"{time.strftime('%b %e %H:%M:%S')} {tag}: {text}"
        if self._console or not self._sent(f"<{self._form.priority}>{stamped}".encode("utf-8", "replace")):
            print(stamped, file=sys.stderr, flush=True)  # noqa: T201 - the console is a log here

    def _sent(self, line: bytes) -> bool:
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
            # Gone, or never there; a log daemon that comes back is found again at the next line.
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            return False
        return True
