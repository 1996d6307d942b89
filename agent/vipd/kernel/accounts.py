"""The users that scripts run as, and the check that only root can change a script."""

from __future__ import annotations

import os
import stat
import sys
from typing import NamedTuple

DEFAULT_USER = "keepalived_script"


class Account(NamedTuple):
    """A user, and the groups of its processes."""

    uid: int
    gid: int
    groups: tuple[int, ...]


class AccountError(Exception):
    """There is no such user or group."""


def account(user: str | None, group: str | None = None) -> Account:
    """Look up an account; without a name it is keepalived_script where there is one, else the own one.

    Raises:
        AccountError: there is no such user or group.
    """
    import grp  # only where scripts are run
    import pwd

    try:
        try:
            found = pwd.getpwnam(user or DEFAULT_USER)
        except KeyError:
            if user is not None:
                raise
            return Account(os.getuid(), os.getgid(), tuple(os.getgroups()))
        gid = found.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise AccountError(
            f"there is no user {user!r}{f' or no group {group!r}' if group else ''}; create it"
        ) from None
    return Account(found.pw_uid, gid, tuple(os.getgrouplist(found.pw_name, gid)))


def executable(program: str) -> str | None:
    """The file that a program's name stands for; without a slash it is the first in PATH that can be executed."""
    if "/" in program:
        return os.path.abspath(program)  # noqa: PTH100 - pathlib takes 3 ms to import
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.abspath(os.path.join(folder, program))  # noqa: PTH100, PTH118
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    return None


def unsafe(program: str) -> str | None:
    """Why a script must not be run; None if it may be.

    Every folder on the way to it, and itself, has to belong to root and to be writable by root alone, wherever in PATH
    it was found.
    """
    path = executable(program)
    if path is None:
        return f"there is no {program} in PATH; write the whole path of the program"
    try:
        real = os.path.realpath(path, strict=True) if _STRICT else os.path.realpath(path)
        if not os.path.isfile(real):  # noqa: PTH113
            return f"{path} is not a file"
        if not os.access(real, os.X_OK):
            return f"{path} cannot be executed; chmod +x it"
        for part in _parts(path) | _parts(real):
            found = os.lstat(part)
            if stat.S_ISLNK(found.st_mode):
                if found.st_uid != 0:
                    return f"{part} belongs to another than root, who could change where it leads"
                continue
            sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            if found.st_uid != 0 or (found.st_mode & 0o022 and not sticky):
                return f"{part} can be changed by another than root; chown root it and chmod go-w it"
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None


_STRICT = sys.version_info >= (3, 10)


def _parts(path: str) -> set[str]:
    """A path and every folder above it."""
    parts = {path}
    while path not in ("", "/"):
        path = os.path.dirname(path)  # noqa: PTH120
        parts.add(path or "/")
    return parts
