"""Which daemon runs on which host: the same on all of them, or another on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from viplab.errors import NotSupportedError
from viplab.subjects.subject import Subject
from viplab.types import Daemon, HostName, NodeTimers, Protocol

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

_T = TypeVar("_T")


class Assignment:
    """What a trial tests: one subject on every host, or one on each host that is named."""

    def __init__(self, subjects: Subject | Mapping[HostName, Subject]) -> None:
        self._everywhere = subjects if isinstance(subjects, Subject) else None
        self._by_host = {} if isinstance(subjects, Subject) else dict(sorted(subjects.items()))

    @property
    def subjects(self) -> list[Subject]:
        """Each subject, in the order of the hosts."""
        return [self._everywhere] if self._everywhere else list(self._by_host.values())

    @property
    def name(self) -> str:
        """What results call it: `vipd`, or `A=keepalived,B=vipd`."""
        return self._said(lambda subject: subject.label)

    @property
    def asked(self) -> str:
        """What `--subject` says of it."""
        return self._said(lambda subject: subject.asked)

    @property
    def builds(self) -> list[str]:
        """What tells each build among them from others of the same release, in the order of the hosts."""
        return [subject.build.version for subject in self.subjects if subject.build is not None]

    @property
    def profile(self) -> str:
        """The behaviour that is asked for: one name where all have the same, else one for each host."""
        profiles = {subject.profile for subject in self.subjects}
        return profiles.pop() if len(profiles) == 1 else self._said(lambda subject: subject.profile)

    def on(self, host: HostName) -> Subject:
        """The subject of one host.

        Raises:
            NotSupportedError: none was named for it.
        """
        subject = self._everywhere or self._by_host.get(host)
        if subject is None:
            raise NotSupportedError(f"{self.name} names no daemon for host {host}")
        return subject

    def daemons(self, hosts: Iterable[HostName]) -> dict[HostName, Daemon]:
        """What each of these hosts runs, for `trial.json`; nothing where all run the same."""
        if self._everywhere:
            return {}
        return {host: Daemon(subject=self.on(host).name, family=self.on(host).family.name) for host in hosts}

    def version(self, guests: Mapping[HostName, Guest]) -> str:
        """The daemons' own words for their versions."""
        if self._everywhere:
            return self._everywhere.version(next(iter(guests.values())))
        there = [host for host in self._by_host if host in guests]
        return ", ".join(f"{host}: {self._by_host[host].version(guests[host])}" for host in there)

    def install(self, guest: Guest) -> None:
        """Put its daemon onto a host; nothing onto one for which none was named."""
        if subject := self._everywhere or self._by_host.get(guest.host.name):
            subject.install(guest)

    def protocol(self, scenario: Scenario) -> Protocol:
        """What the adverts are.

        Raises:
            NotSupportedError: hosts speak different protocols, and do not understand each other.
        """
        return self._common("adverts are", scenario, lambda subject: subject.protocol(scenario))

    def timers(self, scenario: Scenario) -> dict[HostName, NodeTimers]:
        """What the daemon of each host that runs one is configured with."""
        return {
            name: NodeTimers(
                state=node.state,
                priority=node.priority,
                advert_int_s=scenario.vrrp.advert_int,
                preempt_delay_s=scenario.preempt_delay_s(name),
                advskew=self.on(name).advskew(scenario, name),
            )
            for name, node in scenario.hosts.items()
            if node.state is not None and node.priority is not None
        }

    def advert_interface(self, scenario: Scenario) -> str:
        """The interface of every host that adverts leave by.

        Raises:
            NotSupportedError: they leave by different ones, so that the hosts do not hear each other.
        """
        return self._common("adverts leave by", scenario, lambda subject: subject.advert_interface(scenario))

    def virtual_mac(self, scenario: Scenario) -> str | None:
        """The MAC that the VIP has on whichever host is master; None where it has that of the host.

        Raises:
            NotSupportedError: one host has it under a virtual MAC and another does not.
        """
        return self._common("the VIP's virtual MAC is", scenario, lambda subject: subject.virtual_mac(scenario))

    def _common(self, what: str, scenario: Scenario, of: Callable[[Subject], _T]) -> _T:
        values = {host: of(self.on(host)) for host in scenario.daemons}
        if len(set(values.values())) > 1:
            said = ", ".join(f"{value} on {host}" for host, value in values.items())
            raise NotSupportedError(f"{self.name} cannot do {scenario.scenario}: {what} {said}")
        return next(iter(values.values()))

    def _said(self, of: Callable[[Subject], str]) -> str:
        if self._everywhere:
            return of(self._everywhere)
        return ",".join(f"{host}={of(subject)}" for host, subject in self._by_host.items())
