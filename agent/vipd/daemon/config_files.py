"""Reads configuration files and what they include, and checks a configuration against this host."""

from __future__ import annotations

from vipd.config.model import Command, Config
from vipd.config.parser import ConfigError, Parsed, parse
from vipd.kernel import files

_LIMIT = 10_000  # patterns that the braces of one include may stand for


def load(file: str, config_id: str = "") -> Parsed:
    """Read the configuration in a file and what it includes.

    Raises:
        ConfigError: the file cannot be read, or is wrong.
    """
    try:
        text = files.read(file)
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}; name another file with -f"]) from None
    host = files.host_name()
    folder = files.folder_of(files.absolute(file))
    return parse(text, file, config_id or host.partition(".")[0], host, folder, find)


def load_here(file: str, config_id: str = "") -> Parsed:
    """Read the configuration in a file, and hold it against this host.

    Raises:
        ConfigError: the file cannot be read, or is wrong, or names interfaces that are not there.
    """
    parsed = load(file, config_id)
    missing = missing_interfaces(parsed)
    if missing:
        raise ConfigError(missing)
    return parsed


def missing_interfaces(parsed: Parsed) -> list[str]:
    """Interfaces that the configuration names and this host lacks, unless it is to wait for them."""
    if parsed.config.waits_for_interfaces:
        return []
    from vipd.kernel.interfaces import names

    here = names()
    return [
        f"{where}: there is no {name} on this host; create it, or add dynamic_interfaces to global_defs"
        for name, where in parsed.diagnostics.interfaces.items()
        if name not in here
    ]


def taken_names(parsed: Parsed, mark: str) -> list[str]:
    """Names that macvlans are given and that another's interface has; `mark` is that of the daemon's own."""
    from vipd.kernel.interfaces import names

    asked = parsed.diagnostics.macvlans
    if not asked or names().isdisjoint(asked):
        return []
    from vipd.kernel.macvlan import taken  # takes a while to import, and is seldom needed
    from vipd.kernel.netlink import Netlink

    others = taken(Netlink().links, parsed.config.routers, mark)
    return [
        f"{asked[name]}: there is another's {name} on this host, and vipd keeps off it; name the macvlan otherwise"
        for name in asked
        if name in others
    ]


def unknown_accounts(config: Config, file: str) -> list[str]:
    """Users and groups that scripts are to run as, and that this host lacks."""
    from vipd.kernel.accounts import AccountError, account

    user, group = (*config.globals.script_user, None, None)[:2]
    settings = config.globals
    asked = {(f"vrrp_script {one.name}", one.command.user, one.command.group) for one in config.scripts}
    for keyword, command in (("startup_script", settings.startup), ("shutdown_script", settings.shutdown)):
        if command is not None:
            asked.add((keyword, command.user, command.group))
    lines = []
    for keyword, *names in [("script_user", user, group), *sorted(asked, key=str)]:
        try:
            if names[0]:
                account(*names)
        except AccountError as error:
            lines.append(f"{file}: {keyword}: {error}")
    return lines


def unusable_scripts(config: Config, file: str) -> list[str]:
    """Scripts that would not be run, since they are not there or another than root could change them."""
    from vipd.kernel.accounts import unsafe

    lines = []
    for script in config.scripts:
        program = script.command.argv[0]
        why = None if _is_there(script.command) else f"{program} is not there; write where it is"
        if why is None and config.globals.script_security:
            why = unsafe(program)
        lines += [f"{file}: vrrp_script {script.name}: {why}"] if why else []
    return lines


def _is_there(command: Command) -> bool:
    from vipd.kernel.accounts import executable

    path = executable(command.argv[0])
    return path is not None and files.exists(path)


def _has_account(command: Command) -> bool:
    from vipd.kernel.accounts import AccountError, account

    try:
        account(command.user, command.group)
    except AccountError:
        return False
    return True


def commands(config: Config) -> list[Command]:
    """Everything that a configuration may have run."""
    hooks = [*(router.hooks for router in config.routers), *(group.hooks for group in config.groups)]
    settings = config.globals
    found = [*(script.command for script in config.scripts), *(one for hook in hooks for _, one in hook.commands)]
    return [
        *found,
        *filter(None, (settings.fifo_script, settings.vrrp_fifo_script, settings.startup, settings.shutdown)),
    ]


def runs_scripts(config: Config) -> bool:
    """Whether the configuration runs anything that exists."""
    return any(_is_there(command) and _has_account(command) for command in commands(config))


def find(pattern: str, folder: str) -> list[tuple[str, str | None]]:
    """Find the files that a pattern names: (path, text) in their order; the text of one that cannot be read is None."""
    found: list[tuple[str, str | None]] = []
    for plain in _braces(pattern):
        for path in files.matching(folder, plain):
            try:
                found.append((path, files.read(path)))
            except OSError:
                found.append((path, None))
    return found


def _braces(pattern: str) -> list[str]:
    """The patterns that csh's braces stand for: `a{b,c{d,e}}` is ab, acd, ace."""
    end = pattern.find("}")
    begin = pattern.rfind("{", 0, end) if end >= 0 else -1
    if begin < 0 or pattern.count("{") > 10:
        return [pattern]
    words = pattern[begin + 1 : end].split(",")
    return [plain for word in words[:_LIMIT] for plain in _braces(f"{pattern[:begin]}{word}{pattern[end + 1 :]}")][
        :_LIMIT
    ]
