"""Pairs that are steady already, restored from memory: what repeated trials have in common is done once and for all.

The set-up of most scenarios is the start of the daemons and a wait until they have settled, which takes an emulated
guest longer than the failover that is measured. It is done once; the hosts are saved at one moment, and every trial of
the same configuration begins there. A moment is known by all that led to it: the hosts' own memory, what was put onto
them and run there, the steps of the set-up. What was recorded meanwhile is part of each such trial's evidence.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from viplab.address_family import IPV6
from viplab.errors import LabError
from viplab.experiment.logs import BEGIN_ANEW, SYSLOG
from viplab.lab.guest import Armed, Dialogue, Guest, Result, Timing
from viplab.lab.ipv6 import SWITCH_ON
from viplab.lab.lab import Lab, on_each
from viplab.lab.topology import Host, make_host
from viplab.observe import echo, responder
from viplab.observe.timeline import Timeline
from viplab.run_folder import TrialFolder
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.types import HostName

_STARTING = ("start", "wait")
_TIMELINE, _VERSION = "timeline.jsonl", "version"


def can_be_restored(scenario: Scenario, assignment: Assignment) -> bool:
    """Whether a trial of it may begin from memory: it is repeated, and its set-up starts daemons and nothing else.

    A set-up that looks at the hosts or injects faults is done for real each time, and so is every start among the
    measured steps. So is that of daemons that do not advertise: nothing would say who is master.
    """
    names = {step.name for step in scenario.setup}
    if assignment.protocol(scenario) == "none":
        return False
    return not scenario.once and "start" in names and names.issubset(_STARTING)


def started(scenario: Scenario) -> list[HostName]:
    """The hosts whose daemon the set-up starts."""
    return [step.argument for step in scenario.setup if step.name == "start"]


def master(scenario: Scenario) -> HostName | None:
    """The host that the set-up waits for to be master, the last one if several; None where it waits for none."""
    waits = [step.argument for step in scenario.setup if step.name == "wait"]
    hosts = [wait.master or wait.announced for wait in waits]
    return next(filter(None, reversed(hosts)), None)


def moment_name(scenario: Scenario, assignment: Assignment) -> str | None:
    """A digest of all that leads a pair to the end of its set-up, but for the hosts; None where that cannot be told."""
    done: list[object] = [assignment.name, assignment.profile]
    for subject in assignment.subjects:
        done += [subject.start_command, subject.family.garp_bursts]
    done += [str(step) for step in scenario.setup]
    done += [scenario.vrrp.model_dump(mode="json")]
    done += [SWITCH_ON] if scenario.vrrp.family is IPV6 else []
    done += [echo.PROGRAM] if scenario.probe.kind == "udp" else []
    done += [scenario.responders, responder.PROGRAM] if scenario.responders else []
    done += [scenario.sysctl] if scenario.sysctl else []
    try:
        for name in scenario.hosts:
            guest = _Noted(make_host(name))
            assignment.install(guest)
            if name in scenario.daemons:
                assignment.on(name).configure(guest, scenario)
            done.append([name, guest.done])
    except LabError:
        return None
    return hashlib.sha256(json.dumps(done).encode()).hexdigest()


def keep(lab: Lab, version: str, folder: Path) -> None:
    """Leave beside a moment what the hosts logged up to it, and have their logs begin anew."""
    (folder / _VERSION).write_text(version, encoding="utf-8")

    def keep_log(guest: Guest) -> None:
        (folder / guest.host.name).mkdir()
        for name, path in SYSLOG.items():
            (folder / guest.host.name / name).write_bytes(guest.get(path))
        guest.run(BEGIN_ANEW).checked()

    on_each(lab, keep_log)


def recorder(folder: Path, listeners: tuple[Callable[[dict[str, object]], None], ...]) -> Timeline:
    """The timeline of a set-up that will be kept."""
    return Timeline(folder / _TIMELINE, listeners)


def version_in(folder: Path) -> str:
    """The daemon's version, as it was asked for when the moment was made.

    Raises:
        LabError: it does not say.
    """
    try:
        return (folder / _VERSION).read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise LabError(f"no version is kept with it: {error}") from None


def copy_evidence(moment: Path, hosts: list[HostName], trial: TrialFolder) -> int:
    """Copy what was kept beside a moment into a trial's folder; returns when the moment was made, host clock, in ns.

    Raises:
        LabError: there is no such record; nothing is left in the trial's folder.
    """
    trial.memory.mkdir()
    try:
        shutil.copyfile(moment / _TIMELINE, trial.memory / _TIMELINE)
        last = (trial.memory / _TIMELINE).read_text(encoding="utf-8").splitlines()[-1]
        made_ns = int(json.loads(last)["t_ns"])
    except (FileNotFoundError, ValueError, LookupError, TypeError) as error:
        shutil.rmtree(trial.memory)
        raise LabError(f"no record of its set-up is kept with it: {error}") from None
    for host in hosts:
        (trial.memory / host).mkdir()
        for name in SYSLOG:
            with suppress(FileNotFoundError):
                shutil.copyfile(moment / host / name, trial.memory / host / name)
    return made_ns


class _Noted:
    """A host on which nothing is done, and all that was to be done is noted."""

    running = True
    shutdown_command = ""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.shell: list[str] = []
        self.done: list[object] = []

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        self.done.append(["run", command])
        return Result(command, 0, "", "")

    def put(self, content: bytes, path: str, mode: int = 0o644) -> None:
        self.done.append(["put", path, mode, hashlib.sha256(content).hexdigest()])

    def get(self, path: str) -> bytes:
        raise self._unknown(path)

    def arm(self, command: str, marker: str) -> Armed:
        raise self._unknown(command)

    def converse(self, command: str) -> Dialogue:
        raise self._unknown(command)

    def console(self) -> bytes:
        raise self._unknown("the console")

    def run_delay_ns(self) -> int:
        return 0

    def power_cut(self) -> Timing:
        raise self._unknown("power")

    def set_carrier(self, interface: str, *, present: bool) -> Timing:
        raise self._unknown(interface)

    def pause(self) -> Timing:
        raise self._unknown("its processors")

    def resume(self) -> Timing:
        raise self._unknown("its processors")

    def _unknown(self, what: str) -> LabError:
        return LabError(f"{self.host.hostname} is not there: nothing is known of {what}")
