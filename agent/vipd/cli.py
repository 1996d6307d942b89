"""The command line, which follows keepalived's, and the start of the daemon in the background."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from vipd import __version__
from vipd.command_line import UsageError, read
from vipd.config.behaviour import DEFAULT, PRESETS
from vipd.config.parser import ConfigError, Parsed
from vipd.daemon.config_files import (
    load,
    load_here,
    missing_interfaces,
    runs_scripts,
    taken_names,
    unknown_accounts,
    unusable_scripts,
)
from vipd.kernel.console import open_standard_streams, say
from vipd.kernel.files import absolute

CONFIG_FILE = "/etc/keepalived/keepalived.conf"
PID_FILE = "/run/vipd.pid"

USAGE = f"""\
usage: vipd [-t | --explain] [-n] [-l] [-D] [-f FILE] [-i ID] [-p FILE] [--profile NAME]
       vipd status [--json] [--watch] [-p FILE]

  -t, --config-test     check the configuration and exit: 0 good, 5 bad, 6 scripts without enable_script_security
      --explain         print the configuration as it will run, with its defaults and timers, and exit
  -f, --use-file FILE   configuration (default {CONFIG_FILE})
  -i, --config-id ID    what lines beginning with @ are for (default: the host's name)
  -n, --dont-fork       stay in the foreground
  -l, --log-console     log to standard error instead of /dev/log
  -D, --log-detail      log more
  -p, --pid FILE        pid file (default {PID_FILE})
      --json, --watch   status as JSON; again each second
      --profile NAME    whose behaviour: {", ".join(PRESETS)} (default {DEFAULT})
  -P, --vrrp            for keepalived's sake; VRRP is all there is
  -v, --version
  -h, --help
"""

_USAGE_ERROR = 64
_MARK = 250  # the kernel's names of tables and aliases of interfaces have 255 octets
_BAD, _INSECURE = 5, 6
_SHORT = "tf:i:nlDPp:vh"
_LONG = {
    "config-test": "-t",
    "use-file=": "-f",
    "explain": "--explain",
    "json": "--json",
    "watch": "--watch",
    "config-id=": "-i",
    "vrrp": "-P",
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
    "-i": "config_id",
    "-P": "vrrp",
    "--explain": "explain",
    "--json": "json",
    "--watch": "watch",
    "-n": "foreground",
    "-l": "console",
    "-D": "detail",
    "-p": "pid_file",
    "--profile": "profile",
}


class Options(NamedTuple):
    """The command line, read."""

    file: str = CONFIG_FILE
    config_id: str = ""
    vrrp: bool = True
    explain: bool = False
    status: bool = False
    json: bool = False
    watch: bool = False
    pid_file: str = PID_FILE
    profile: str = DEFAULT
    test: bool = False
    foreground: bool = False
    console: bool = False
    detail: bool = False


def main(arguments: list[str] | None = None) -> int:
    """Run vipd; returns the exit status."""
    open_standard_streams()
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        return _complain(f"{error}; 'vipd --help' lists the options", _USAGE_ERROR)
    if isinstance(options, str):
        return 0 if say(options, output=True) else 1
    if options.status:
        from vipd.daemon.status_command import socket_of, status

        return status(socket_of(options.pid_file), options.json, options.watch)
    try:
        parsed = load(options.file, options.config_id)
    except ConfigError as error:
        say("".join(f"{problem}\n" for problem in error.problems))
        return (_INSECURE if error.insecure_scripts else _BAD) if options.test else 1
    if not (options.explain or options.test):
        return _run(parsed, options)
    say("".join(f"{line}\n" for line in parsed.diagnostics.warnings))
    if options.test:
        return _tested(parsed, options.file, _mark(absolute(options.pid_file)))
    from vipd.config.writer import explain

    written = say("".join(f"{line}\n" for line in explain(parsed.config, PRESETS[options.profile])), output=True)
    return 0 if written else 1


def _mark(pid_file: str) -> str:
    """What marks in the kernel what a daemon makes: of two in one network each has its own pid file."""
    return f"vipd{pid_file[-_MARK:]}"


def _tested(parsed: Parsed, file: str, mark: str) -> int:
    """The exit status of `keepalived -t`, measured with 2.2.7: insecure scripts outweigh most errors."""
    config = parsed.config
    unknown = unknown_accounts(config, file)
    found = [*unknown, *unusable_scripts(config, file), *missing_interfaces(parsed), *taken_names(parsed, mark)]
    say("".join(f"{line}\n" for line in found))
    if runs_scripts(config) and not config.globals.script_security and not unknown:
        _complain(
            f"{file}: there are scripts, but no enable_script_security in global_defs; add it (vipd enforces it)", 0
        )
        return _INSECURE
    return _BAD if parsed.diagnostics.repaired or found else 0


def _options(arguments: list[str]) -> Options | str:
    pairs = [*read(arguments, _SHORT, _LONG)]
    given, rest = [pair for pair in pairs if pair[0]], [value for name, value in pairs if not name]
    if rest and rest != ["status"]:
        raise UsageError(f"{rest[0]!r} is not an option")
    full = {f"--{name.rstrip('=')}": short for name, short in _LONG.items()}
    options = Options(status=bool(rest))
    for given_name, value in given:
        name = full.get(given_name, given_name)
        if name == "-h":
            return USAGE
        if name == "-v":
            return f"vipd {__version__}\n"
        if name == "--profile" and value not in PRESETS:
            raise UsageError(f"there is no profile {value!r}, but {', '.join(PRESETS)}")
        filled: dict[str, Any] = {_FIELDS[name]: value or True}
        options = options._replace(**filled)
    return options


def _run(parsed: Parsed, options: Options) -> int:
    from vipd.kernel import privileges, script_runner  # not before now: -t needs no sockets
    from vipd.kernel.process import PidFile, leave
    from vipd.kernel.syslog import FORMATS, Syslog
    from vipd.protocol.log_messages import LogEvent

    config = parsed.config
    path = absolute(options.pid_file)  # the daemon changes to /
    file = absolute(options.file)
    log = Syslog(FORMATS[options.profile], options.detail, options.console)
    for warning in parsed.diagnostics.warnings:
        log.console.write(str(warning))
    try:
        pid_file = PidFile(path)
    except BlockingIOError:
        log.console.write(f"vipd: is already running ({path} is locked); stop it first")
        return 1
    except OSError as error:
        log.console.write(f"vipd: {path}: {error.strerror}; name another pid file with -p")
        return 1
    try:
        if config.globals.net_namespace:
            privileges.enter(config.globals.net_namespace)
        missing = missing_interfaces(parsed)
        for line in missing:
            log.console.write(line)
        if missing:
            return 1
        started = None if options.foreground else leave(options.console, log.console)
        at_once = runs_scripts(config) or bool(config.processes)
        channel, _ = script_runner.start(at_once, without=(pid_file.fileno(),))
        from vipd.daemon.loop import Daemon  # not before now: the runner would keep a copy of all this
        from vipd.daemon.status_command import socket_of

        mark = _mark(path)
        daemon = Daemon(
            parsed, PRESETS[options.profile], log, channel, lambda: load_here(file, options.config_id), mark
        )

        def ready() -> None:
            for failed in privileges.schedule(config.globals):
                log.line(f"{failed}; going on without")
            privileges.drop()
            try:
                pid_file.write()
            except OSError as error:
                log.line(f"{path}: {error.strerror}; going on without a pid file")
            if started is not None:
                started()

        log.event(LogEvent.FORKED)
        log.event(LogEvent.FILE_OPENED, file=options.file)
        log.event(LogEvent.FILE_READ, size=parsed.diagnostics.size)
        daemon.run(ready, socket_of(path))
    except PermissionError:
        log.console.write("vipd: needs root, or CAP_NET_ADMIN and CAP_NET_RAW")
        return 1
    except (OSError, MemoryError) as error:
        log.fatal(f"vipd cannot go on: {error or 'out of memory'}")
        return 1
    finally:
        pid_file.remove()
    log.event(LogEvent.STOPPED)
    return 0


def _complain(text: str, status: int) -> int:
    say(f"vipd: {text}\n")
    return status
