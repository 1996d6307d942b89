"""`vipd status`: asks a daemon, and prints what it answers."""

from __future__ import annotations

import errno
import time

from vipd.daemon.status import lines
from vipd.kernel.console import is_terminal, say
from vipd.kernel.control_socket import ask


def socket_of(pid_file: str) -> str:
    """The path of the socket that the daemon with this pid file listens on."""
    return f"{pid_file[:-4] if pid_file.endswith('.pid') else pid_file}.sock"


def status(path: str, as_json: bool, watch: bool) -> int:
    """Ask a daemon for its status and print it, with `watch` each second; returns the exit status."""
    import json  # not at a start of the daemon, which needs this module for `socket_of`

    try:
        while True:
            report = json.loads(ask(path))
            text = json.dumps(report, indent=None if watch else 2) if as_json else "\n".join(lines(report))
            cleared = "\x1b[H\x1b[2J" if watch and is_terminal() else ""
            if not say(f"{cleared}{text}\n", output=True):
                return 1
            if not watch:
                return 0
            time.sleep(1)
    except (FileNotFoundError, ConnectionError):
        say(f"vipd: no daemon answers at {path}; is it running? -p names another pid file\n")
    except OSError as error:
        why = "only its user may ask" if error.errno == errno.EACCES else error.strerror or error
        say(f"vipd: {path}: {why}\n")
    except ValueError:
        say(f"vipd: {path}: the answer broke off; ask again\n")
    except KeyboardInterrupt:
        return 0
    return 1
