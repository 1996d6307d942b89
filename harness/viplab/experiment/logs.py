"""Keeps what the guests logged."""

from __future__ import annotations

from collections.abc import Iterator

from viplab.errors import LabError
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab, on_each
from viplab.observe.timeline import Timeline
from viplab.run_folder import TrialFolder
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.types import HostName

SYSLOG = {"messages.log": "/var/log/messages", "precise.log": "/var/log/precise.log"}
"""What every host logs, by whatever daemon: once in the article's form, once with microseconds."""
_AUDIT = "/var/log/audit/audit.log"
"""Where a host with SELinux and auditd says what was denied."""
BEGIN_ANEW = f"truncate -s 0 {' '.join(SYSLOG.values())} && if [ -e {_AUDIT} ]; then truncate -s 0 {_AUDIT}; fi"
"""The command after which a host's logs have nothing but what comes from then on."""


def configuration_names(assignment: Assignment, scenario: Scenario) -> list[str]:
    """Under which names a trial keeps the configuration of a host."""
    paths = (path for host in scenario.hosts for path in _configuration(assignment, scenario, host))
    return list(dict.fromkeys(map(_name, paths)))


def keep_logs(guest: Guest, assignment: Assignment, scenario: Scenario, folder: TrialFolder) -> None:
    """Copy one guest's logs, and the daemon's and its configuration where it runs one, into the trial's folder."""
    name, files = guest.host.name, dict(SYSLOG)
    if name in scenario.daemons:
        files |= assignment.on(name).log_files
    files |= {_name(path): path for path in _configuration(assignment, scenario, name)}
    for kept, path in files.items():
        folder.host(name, kept).write_bytes(guest.get(path))
    if audit := guest.get(_AUDIT):
        folder.host(name, "audit.log").write_bytes(audit)


def collect(lab: Lab, assignment: Assignment, scenario: Scenario, folder: TrialFolder, timeline: Timeline) -> None:
    """Keep logs and console of every guest; of one that is gone, what was kept before it went stays."""

    def keep(guest: Guest) -> None:
        folder.host(guest.host.name, "console.log").write_bytes(guest.console())
        try:
            if guest.running:
                keep_logs(guest, assignment, scenario, folder)
        except LabError as error:
            timeline.record("error", message=f"the log of {guest.host.hostname} could not be kept: {error}")

    on_each(lab, keep)


def _configuration(assignment: Assignment, scenario: Scenario, host: HostName) -> Iterator[str]:
    """The files that a host's daemon and services are configured by."""
    if host in scenario.daemons:
        yield from assignment.on(host).configuration(scenario, host)
    for service in scenario.services(host):
        yield from service.files(scenario, host)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
