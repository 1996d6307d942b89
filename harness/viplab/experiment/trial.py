"""One trial: hosts fresh from memory, the daemon installed, observers on, steps done, evidence collected."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from viplab.errors import DaemonError, LabError, ViplabError
from viplab.experiment.environment import Environment
from viplab.experiment.fault_place import places
from viplab.experiment.logs import collect, configuration_names
from viplab.experiment.scenario_runner import PROBE_SOURCE, ScenarioRunner
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab, on_each
from viplab.lab.topology import (
    CLIENT_HOSTNAME,
    CLIENT_IP,
    INTERCONNECT,
    MARKER_PORT,
    MGMT,
    NETWORKS,
    PUBLIC,
    Network,
)
from viplab.observe import clocks, echo, responder
from viplab.observe.capture import Capture
from viplab.observe.census import Census
from viplab.observe.neighbours import Neighbours
from viplab.observe.timeline import Listener, Timeline
from viplab.observe.watch import Watch
from viplab.run_folder import TrialFolder
from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject
from viplab.types import NodeTimers, Station, TrialInfo


@dataclass(frozen=True)
class Trial:
    """What is to be done, by whom, with which number."""

    scenario: Scenario
    source: str
    """The scenario's file, to the letter."""
    subject: Subject
    number: int
    seed: int
    trials: int = 1
    """How many there are of this kind: their faults share the advert interval out among them."""
    versions: dict[str, str] = field(default_factory=dict)
    """What subjects have said of their version in this run: the same image, the same installation, the same answer."""


def run_trial(trial: Trial, lab: Lab, folder: TrialFolder, listeners: tuple[Listener, ...] = ()) -> None:
    """Do one trial and leave its evidence in `folder`.

    A trial that breaks off says so in its timeline (`error`) and keeps what it had; it is for analysis to call it
    undecided. An interruption by the user is recorded in the same way and passed on.
    """
    (folder.path / "capture").mkdir(parents=True)
    for host in trial.scenario.hosts:
        folder.host(host, "").mkdir(parents=True)
    (folder.path / "scenario.yaml").write_text(trial.source, encoding="utf-8")
    timeline = Timeline(folder.timeline, listeners)
    try:
        timeline.record("trial_started", scenario=trial.scenario.scenario, subject=trial.subject.name, seed=trial.seed)
        _prepare(trial, lab, folder, timeline)
        with ExitStack() as observers:
            observers.callback(collect, lab, trial.subject, trial.scenario, folder, timeline)
            observers.enter_context(Environment((PUBLIC.bridge, INTERCONNECT.bridge), timeline))
            _observe(trial, lab, folder, timeline, observers)
            watch = observers.enter_context(
                Watch(
                    trial.scenario.vrrp.vip,
                    [guest.host for guest in lab.hosts.values()],
                    public=PUBLIC.bridge,
                    adverts=_adverts_on(trial, lab).bridge,
                    virtual_mac=trial.subject.virtual_mac(trial.scenario),
                )
            )
            clocks.record_host_clocks(timeline)
            observers.callback(clocks.record_host_clocks, timeline)
            with _recorded(timeline):
                on_each(lab, lambda guest: clocks.record_guest_clock(guest, timeline))
                drawn = places(trial.seed, trial.scenario.scenario, trial.number, trial.trials)
                ScenarioRunner(trial.scenario, trial.subject, lab, folder, timeline, watch, drawn).run()
    except ViplabError as error:
        timeline.record("error", message=str(error))
    finally:
        timeline.record("trial_finished")
        timeline.close()


@contextmanager
def _recorded(timeline: Timeline) -> Iterator[None]:
    """Write down why the steps ended early, while the observers still run."""
    try:
        yield
    except DaemonError as error:
        timeline.record("daemon_failed", message=str(error))
    except ViplabError as error:
        timeline.record("error", message=str(error))
    except BaseException as error:
        timeline.record("error", message=f"interrupted ({type(error).__name__})")
        raise


def _prepare(trial: Trial, lab: Lab, folder: TrialFolder, timeline: Timeline) -> None:
    started = time.monotonic()
    lab.reset(f"{trial.subject.name}-{trial.subject.profile}", trial.subject.install, trial.scenario.hosts)
    fresh = time.monotonic()
    # Before anything of the daemon runs: what it does from here on is evidence, and that needs a trial to belong to.
    info = _info(trial, lab, _version(trial, lab))
    (folder.path / "trial.json").write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")

    def configured(guest: Guest) -> None:
        # The log begins with the trial; what was logged while the image booted belongs to no trial.
        guest.run("truncate -s 0 /var/log/messages /var/log/precise.log").checked()
        if guest.host.name not in trial.scenario.daemons:
            return
        trial.subject.configure(guest, trial.scenario)
        if trial.scenario.probe.kind == "udp":
            echo.start(guest, trial.scenario.vrrp.vip)
        if trial.scenario.http is not None:
            responder.start(guest)

    on_each(lab, configured)
    timeline.record("prepared", reset_s=round(fresh - started, 3), configure_s=round(time.monotonic() - fresh, 3))


def _version(trial: Trial, lab: Lab) -> str:
    """What the daemon says of its version; one that cannot even do that will not start either, and be judged for it."""
    if trial.subject.name not in trial.versions:
        try:
            trial.versions[trial.subject.name] = trial.subject.version(next(iter(lab.hosts.values())))
        except LabError:
            return "unknown"
    return trial.versions[trial.subject.name]


def _observe(trial: Trial, lab: Lab, folder: TrialFolder, timeline: Timeline, observers: ExitStack) -> None:
    for network, pattern in ((PUBLIC, ""), (INTERCONNECT, ""), (MGMT, f"udp port {MARKER_PORT}")):
        path = folder.capture(network.name)
        observers.enter_context(Capture(network.bridge, network.name, path, timeline, pattern))
    vip = trial.scenario.vrrp.vip
    observers.enter_context(Neighbours(vip, PUBLIC.bridge, timeline))
    shared_mac = trial.subject.virtual_mac(trial.scenario) is not None
    hosts = [guest.host for guest in lab.hosts.values()]
    observers.enter_context(Census(vip, PUBLIC.bridge, "eth1", hosts, timeline, unlearned=shared_mac))


def _adverts_on(trial: Trial, lab: Lab) -> Network:
    """The network that adverts travel on: the one of the interface that the subject sends them from."""
    host = next(iter(lab.hosts.values())).host
    name = host.interface(trial.subject.advert_interface(trial.scenario)).network
    return next(network for network in NETWORKS if network.name == name)


def _info(trial: Trial, lab: Lab, version: str) -> TrialInfo:
    scenario, subject = trial.scenario, trial.subject
    bridge_mac = (Path("/sys/class/net") / PUBLIC.bridge / "address").read_text().strip()
    stations = {"client": Station(hostname=CLIENT_HOSTNAME, public_mac=bridge_mac, public_ip=CLIENT_IP)}
    for name, guest in lab.hosts.items():
        public, interconnect = guest.host.interface("eth1"), guest.host.interface("eth0")
        stations[name] = Station(
            hostname=guest.host.hostname,
            public_mac=public.mac,
            public_ip=public.address,
            interconnect_mac=interconnect.mac,
            interconnect_ip=interconnect.address,
        )
    return TrialInfo(
        scenario=scenario.scenario,
        title=scenario.title,
        subject=subject.name,
        subject_version=version,
        profile=subject.profile,
        family=subject.family.name,
        configuration=configuration_names(subject, scenario),
        lab=lab.kind.name,
        clock=lab.kind.clock,
        accel=lab.accelerator,
        trial=trial.number,
        vip=scenario.vrrp.vip,
        virtual_router_id=scenario.vrrp.virtual_router_id,
        adverts_on=_adverts_on(trial, lab).name,
        virtual_mac=subject.virtual_mac(scenario),
        bridges={network.name: network.bridge for network in NETWORKS},
        stations=stations,
        nodes={
            name: NodeTimers(state=node.state, priority=node.priority, advert_int_s=scenario.vrrp.advert_int)
            for name, node in scenario.hosts.items()
            if node.state is not None and node.priority is not None
        },
        tracked=scenario.vrrp.track_interface,
        seed=trial.seed,
        probe_kind=scenario.probe.kind,
        probe_interval_s=scenario.probe.interval_s,
        probe_source=PROBE_SOURCE,
        http_interval_s=scenario.http.interval_s if scenario.http else None,
    )
