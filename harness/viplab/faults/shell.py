"""Shell commands that do something to the daemon's processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject


def processes(subject: Subject, guest: Guest) -> str:
    """Their process ids as words; errors as with `Subject.processes`."""
    return " ".join(map(str, subject.processes(guest)))


def to_each(subject: Subject, guest: Guest, command: str) -> str:
    """The command for each of them, as `$pid`, that is still there; it fails where one fails."""
    return f"for pid in {processes(subject, guest)}; do [ ! -d /proc/$pid ] || {command} || exit 1; done"
