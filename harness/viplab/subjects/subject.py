"""A daemon under test, as the bench handles it."""

from __future__ import annotations

from typing import Protocol

from viplab.lab.guest import Guest
from viplab.types import Family

CONFIGURATION = "/etc/keepalived/keepalived.conf"


class Subject(Protocol):
    """Install, configure, start, stop, and ask what there is to know; every daemon here reads a keepalived.conf."""

    name: str
    profile: str
    family: Family
    """The deadlines and log lines that it is expected to show."""
    present: tuple[str, ...]
    """Files that must be on the host beforehand; `install` brings the rest."""
    start_command: str
    stop_command: str

    def install(self, guest: Guest) -> None:
        """Put the daemon into the guest, without starting it."""
        ...

    def version(self, guest: Guest) -> str:
        """The daemon's own word for its version."""
        ...

    def processes(self, guest: Guest) -> list[int]:
        """Process ids of everything that belongs to the daemon.

        Raises:
            LabError: it does not run.
        """
        ...


def configure(guest: Guest, text: str) -> None:
    """Write the configuration, where every subject looks for it."""
    guest.put(text.encode(), CONFIGURATION)


def start(subject: Subject, guest: Guest) -> None:
    """Start the daemon by its init script."""
    guest.run(subject.start_command).checked()
