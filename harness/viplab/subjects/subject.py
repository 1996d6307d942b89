"""A daemon under test: what the bench has to know of it, and what it does with it.

A subject is a class in one file. It says how the daemon is configured, started, stopped and found on a host, and which
family of behaviour it is expected to show. What analysis and reports need of it is data; what acts takes a `Guest`.
Another distribution brings one by an entry point of the group `viplab.subjects` (`viplab.subjects.registry`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from viplab.errors import DaemonError, InputError
from viplab.subjects.build import Build
from viplab.subjects.family import Family
from viplab.types import HostName, Protocol

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

_LAST_LINES = 3
_ENDING = re.compile(r"([._](amd64|arm64|x86_64|aarch64))?\.(deb|rpm)$|(\.orig)?(\.tar(\.\w+)?|\.tgz)$")


class Subject(ABC):
    """One daemon under one of its profiles; a subclass states what has no default here, and overrides what differs."""

    name: ClassVar[str]
    """What `--subject` calls it as it is installed."""
    profiles: ClassVar[tuple[Family, ...]]
    """The behaviours that it can be asked to show (`--profile`), the default first."""
    start_command: str
    """Starts the daemon and returns when it runs; a shell command on the host."""
    stop_command: str
    """Ends it in its orderly way, as its service does."""
    keywords: ClassVar[frozenset[str]] = frozenset(
        {"interface", "virtual_router_id", "advert_int", "track_interface", "virtual_ipaddress"}
    )
    """What of a scenario's `vrrp:` it can be asked for; a scenario that asks for more is not done with it."""
    has_parent: ClassVar[bool] = False
    """Whether one process of it watches over another, which speaks VRRP."""
    reloads: ClassVar[bool] = False
    """Whether it reads its configuration anew on SIGHUP."""
    present: tuple[str, ...] = ()
    """Files that a host must have beforehand; `install` brings the rest."""
    packages: tuple[str, ...] = ()
    """Packages of the distribution that bring them; their versions are kept with every run."""
    log_files: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What it logs besides syslog, which is kept anyway: under which name a trial keeps which file of the host."""

    def __init__(self, profile: str | None = None, label: str | None = None, build: Build | None = None) -> None:
        """Choose a profile, the default one if none is named; and a build, if it is not the installed one.

        Raises:
            InputError: it has no such profile.
        """
        self.build = build
        self._label = label
        found = [family for family in self.profiles if profile in (None, family.name)]
        if not found:
            names = ", ".join(family.name for family in self.profiles)
            raise InputError(f"{self.name} has no profile {profile!r}; there are: {names}")
        self.family = found[0]

    @classmethod
    def build_of(cls, source: str) -> Build:
        """The build that `--subject NAME@SOURCE` stands for.

        Raises:
            InputError: it cannot be had, or this daemon is only taken as it is installed.
            HostError: this machine lacks something for it.
        """
        raise InputError(f"{cls.name}@{source}: {cls.name} is taken only as it is installed")

    @property
    def asked(self) -> str:
        """What `--subject` says of it; a recipe keeps that."""
        named = self.name if self.build is None else f"{self.name}@{self.build.source}"
        return named if self._label is None else f"{self._label}={named}"

    @property
    def label(self) -> str:
        """What results call it: the label that it was given, else its name, with a build's own if it is one."""
        if self._label is not None:
            return self._label
        return self.name if self.build is None else f"{self.name}@{_plain(self.name, self.build.source)}"

    @property
    def profile(self) -> str:
        """The behaviour that it is asked to show, by name."""
        return self.family.name

    @abstractmethod
    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """The files that a scenario asks for on one host, path to text; a trial keeps each under its last name.

        Raises:
            InputError: it cannot do what the scenario asks of it.
        """

    @abstractmethod
    def version(self, guest: Guest) -> str:
        """The daemon's own word for its version."""

    @abstractmethod
    def processes(self, guest: Guest) -> list[int]:
        """Process ids of everything that belongs to the daemon.

        Raises:
            DaemonError: it does not run, as `gone` says it.
        """

    def install(self, guest: Guest) -> None:  # noqa: B027 - a daemon that is there already needs nothing
        """Put the daemon onto the host, without starting it; the same whatever the scenario."""

    def configure(self, guest: Guest, scenario: Scenario) -> None:
        """Write the configuration of one host."""
        for path, text in self.configuration(scenario, guest.host.name).items():
            guest.run(f"mkdir -p {path.rpartition('/')[0]}").checked()
            guest.put(text.encode(), path)

    def protocol(self, scenario: Scenario) -> Protocol:
        """What its adverts are."""
        return "vrrp3" if scenario.vrrp.version == 3 else "vrrp2"

    def advert_interface(self, scenario: Scenario) -> str:
        """The interface of a host that its adverts leave by."""
        return scenario.vrrp.interface

    def advskew(self, scenario: Scenario, host: HostName) -> int:
        """What a host has in place of a priority where adverts are CARP's."""
        return 0

    def virtual_mac(self, scenario: Scenario) -> str | None:
        """The MAC that the VIP has on whichever host is master; None where it has that of the host."""
        return None

    def start(self, guest: Guest) -> None:
        """Start the daemon.

        Raises:
            DaemonError: it does not start.
        """
        done = guest.run(self.start_command)
        if done.status != 0:
            raise self.gone(guest, "did not start", (done.stderr or done.stdout).splitlines())

    def _with_build(self, said: str) -> str:
        """A version as the daemon says it, and what tells a build from others that say the same."""
        return said if self.build is None else f"{said}, {self.build.version}"

    def gone(self, guest: Guest, what: str, printed: Sequence[str] = ()) -> DaemonError:
        """The error of a daemon that is not there, with the last that it printed and logged."""
        logged = guest.run(f"tail -n {_LAST_LINES} /var/log/messages").stdout.splitlines()
        said = " / ".join(filter(None, map(str.strip, [*printed[-_LAST_LINES:], *logged])))
        return DaemonError(f"{self.name} {what} on {guest.host.name}: {said or 'it said nothing'}")

    def holds(self, guest: Guest, vip: str) -> bool:
        """Whether the host itself says that the VIP is his."""
        return bool(guest.run(f"ip -o address show to {vip}").stdout.strip())


def _plain(name: str, source: str) -> str:
    """What a file's name has besides the daemon's, mostly its version, or the last part of a reference."""
    last = source.rstrip("/").rpartition("/")[2]
    told = _ENDING.sub("", re.sub(rf"^{name}[_-](\d+%3a)?", "", last))
    # A label is part of a folder's name.
    return re.sub("[^A-Za-z0-9._+-]", "-", told or last)
