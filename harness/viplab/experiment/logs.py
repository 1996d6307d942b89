"""Keeps what the guests logged."""

from __future__ import annotations

from viplab.errors import LabError
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab, on_each
from viplab.observe.timeline import Timeline
from viplab.run_folder import TrialFolder
from viplab.subjects.subject import CONFIGURATION
from viplab.types import HostName

_KEPT = {"messages.log": "/var/log/messages", "precise.log": "/var/log/precise.log", "keepalived.conf": CONFIGURATION}


def keep_logs(name: HostName, lab: Lab, folder: TrialFolder) -> None:
    """Copy one guest's logs and configuration into the trial's folder."""
    for kept, path in _KEPT.items():
        folder.host(name, kept).write_bytes(lab.hosts[name].get(path))


def collect(lab: Lab, folder: TrialFolder, timeline: Timeline) -> None:
    """Keep logs and console of every guest; of one that is gone, what was kept before it went stays."""

    def keep(guest: Guest) -> None:
        name = guest.host.name
        folder.host(name, "console.log").write_bytes(guest.console())
        try:
            if guest.running:
                keep_logs(name, lab, folder)
        except LabError as error:
            timeline.record("error", message=f"the log of {guest.host.hostname} could not be kept: {error}")

    on_each(lab, keep)
