"""The first process of a host that is a namespace tree: its syslog, its reaper, its power switch.

Run as a script by an interpreter without site packages, so it imports nothing of ours::

    python -I -S netns_init.py

It binds /dev/log, says `ready` and writes what is logged to /var/log/messages in the article's form and to
/var/log/precise.log with microseconds, both by its own clock as it receives (rsyslog's default for local lines).
SIGPWR is the power button: everything is asked to end, then the host is gone.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from datetime import datetime, timezone
from pathlib import Path

LOG_SOCKET = "/dev/log"
MESSAGES = "/var/log/messages"
PRECISE = "/var/log/precise.log"
SHUTDOWN_LIMIT_S = 5.0
POLL_S = 0.02
LONGEST = 8192
# Priority and time of day in front of a local line (RFC 3164); the time is replaced by the one of receipt.
_HEADER = re.compile(rb"^(<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?")


class PowerOff(Exception):  # noqa: N818 - an order, not an error
    """Somebody pressed the power button."""


def forms(line: bytes, hostname: str, now_ns: int) -> tuple[bytes, bytes]:
    """One line as the article's syslog wrote it, and with the full time (RFC 3339); control characters are escaped."""
    rest = _HEADER.sub(b"", line.rstrip(b"\n\0"), count=1)
    safe = b"".join(b"#%03o" % byte if byte < 32 or byte == 127 else bytes([byte]) for byte in rest)
    now = datetime.fromtimestamp(now_ns // 10**9, timezone.utc)  # noqa: UP017 - any Python of the machine runs this
    traditional = f"{now:%b} {now.day:2} {now:%H:%M:%S} {hostname} "
    precise = f"{now:%Y-%m-%dT%H:%M:%S}.{now_ns // 1000 % 10**6:06}+00:00 {hostname} "
    return traditional.encode() + safe + b"\n", precise.encode() + safe + b"\n"


def main() -> None:
    """Serve until the power goes."""
    # Orphans of the host are children of this process; ignoring SIGCHLD makes the kernel reap them at once.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    hostname = socket.gethostname()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(LOG_SOCKET)
        Path(LOG_SOCKET).chmod(0o666)
        files = [os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) for path in (MESSAGES, PRECISE)]

        def serve() -> None:
            line = log.recv(LONGEST)
            for file, form in zip(files, forms(line, hostname, time.time_ns())):  # noqa: B905 - as above
                os.write(file, form)

        def power_off(*_: object) -> None:
            raise PowerOff

        signal.signal(signal.SIGPWR, power_off)
        print("ready", flush=True)  # noqa: T201 - whoever started the host waits for this word
        try:
            while True:
                serve()
        except PowerOff:
            signal.signal(signal.SIGPWR, signal.SIG_IGN)
        os.kill(-1, signal.SIGTERM)
        log.settimeout(POLL_S)
        deadline = time.monotonic() + SHUTDOWN_LIMIT_S
        while _others() and time.monotonic() < deadline:
            try:
                serve()
            except TimeoutError:
                continue


def _others() -> bool:
    return any(name.isdigit() and name != "1" for name in os.listdir("/proc"))  # noqa: PTH208 - no need of paths


if __name__ == "__main__":
    main()
