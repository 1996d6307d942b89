"""The command line, keepalived's as far as it goes, and the way into the background."""

from __future__ import annotations

import getopt
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from vipd import __version__
from vipd.behaviour import DEFAULT, PRESETS
from vipd.conf import ConfigError, parse
from vipd.config import Config

CONFIG_FILE = "/etc/keepalived/keepalived.conf"
PID_FILE = "/run/vipd.pid"

USAGE = f"""\
usage: vipd [-t] [-n] [-l] [-D] [-f FILE] [-p FILE] [--profile NAME]

  -t, --config-test     check the configuration and exit: 0 good, 1 bad
  -f, --use-file FILE   configuration (default {CONFIG_FILE})
  -n, --dont-fork       stay in the foreground
  -l, --log-console     log to standard error instead of /dev/log
  -D, --log-detail      log more
  -p, --pid FILE        pid file (default {PID_FILE})
      --profile NAME    whose behaviour: {", ".join(PRESETS)} (default {DEFAULT})
  -v, --version
  -h, --help
"""

_USAGE_ERROR = 64
_SHORT = "tf:nlDp:vh"
_LONG = {
    "config-test": "-t",
    "use-file=": "-f",
    "dont-fork": "-n",
    "log-console": "-l",
    "log-detail": "-D",
    "pid=": "-p",
    "version": "-v",
    "help": "-h",
    "profile=": "--profile",
}


_FIELDS = {
    "-t": "test",
    "-f": "file",
    "-n": "foreground",
    "-l": "console",
    "-D": "detail",
    "-p": "pid_file",
    "--profile": "profile",
}


class Options(NamedTuple):
    """The command line, read."""

    file: str = CONFIG_FILE
    pid_file: str = PID_FILE
    profile: str = DEFAULT
    test: bool = False
    foreground: bool = False
    console: bool = False
    detail: bool = False


def main(arguments: list[str] | None = None) -> int:
    """Run vipd; returns the exit status."""
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
    except getopt.GetoptError as error:
        return _complain(f"{error}; 'vipd --help' lists the options", _USAGE_ERROR)
    if isinstance(options, str):
        sys.stdout.write(options)
        return 0
    try:
        config = _read(options.file)
    except ConfigError as error:
        sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
        return 1
    sys.stderr.write("".join(f"{warning}\n" for warning in config.warnings))
    return 0 if options.test else _run(config, options)


def _options(arguments: list[str]) -> Options | str:
    given, rest = getopt.gnu_getopt(arguments, _SHORT, list(_LONG))
    if rest:
        raise getopt.GetoptError(f"{rest[0]!r} is not an option")
    full = {f"--{name.rstrip('=')}": short for name, short in _LONG.items()}
    options = Options()
    for given_name, value in given:
        name = full.get(given_name, given_name)
        if name == "-h":
            return USAGE
        if name == "-v":
            return f"vipd {__version__}\n"
        if name == "--profile" and value not in PRESETS:
            raise getopt.GetoptError(f"there is no profile {value!r}, but {', '.join(PRESETS)}")
        filled: dict[str, Any] = {_FIELDS[name]: value or True}
        options = options._replace(**filled)
    return options


def _read(file: str) -> Config:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123 - pathlib takes 3 ms to import
            text = opened.read()
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}; name another file with -f"]) from None
    return parse(text, file)


def _run(config: Config, options: Options) -> int:
    from vipd.daemon import Daemon  # not before now: -t needs neither sockets nor pyroute2
    from vipd.syslog import FORMS, Syslog

    running = _running(options.pid_file)
    if running:
        return _complain(f"is already running with pid {running} ({options.pid_file}); stop it first", 1)
    log = Syslog(FORMS[options.profile], options.detail, options.console)
    try:
        daemon = Daemon(config, PRESETS[options.profile], log)
    except PermissionError:
        return _complain("needs root, or CAP_NET_ADMIN and CAP_NET_RAW", 1)
    except OSError as error:
        return _complain(f"cannot open its sockets: {error}", 1)
    ready = _stay(options) if options.foreground else _leave(options)
    log.line(f"Opening file '{options.file}'.")
    try:
        daemon.run(ready)
    finally:
        with suppress(OSError):
            os.unlink(options.pid_file)  # noqa: PTH108
    return 0


def _stay(options: Options) -> Callable[[], None]:
    return lambda: _write_pid(options.pid_file)


def _leave(options: Options) -> Callable[[], None]:
    """Go into the background. The command returns to the shell once the daemon runs, or with its failure."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        os._exit(0 if os.read(read, 1) else 1)
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    kept = (0, 1) if options.console else (0, 1, 2)
    for descriptor in kept:
        os.dup2(null, descriptor)

    def ready() -> None:
        _write_pid(options.pid_file)
        os.write(write, b"+")
        os.close(write)

    return ready


def _write_pid(file: str) -> None:
    with open(file, "w", encoding="ascii") as opened:  # noqa: PTH123
        opened.write(f"{os.getpid()}\n")


def _running(file: str) -> int | None:
    """Process id of a daemon that runs already; a pid file left by one that was killed is none."""
    try:
        with open(file, encoding="ascii") as opened:  # noqa: PTH123
            pid = int(opened.read())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _complain(text: str, status: int) -> int:
    sys.stderr.write(f"vipd: {text}\n")
    return status
