"""One trial: hosts fresh from memory, the daemon installed, observers on, steps done, evidence collected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from shlex import quote

from viplab.address_family import IPV6
from viplab.errors import DaemonError, LabError, ViplabError
from viplab.experiment import memory
from viplab.experiment.environment import Environment
from viplab.experiment.fault_place import chances, places
from viplab.experiment.logs import BEGIN_ANEW, collect, configuration_names
from viplab.experiment.scenario_runner import ScenarioRunner
from viplab.lab.cache import throw_away
from viplab.lab.command import run
from viplab.lab.guest import Guest
from viplab.lab.ipv6 import client_has_ipv6, switch_on
from viplab.lab.lab import Lab, on_each
from viplab.lab.topology import (
    CLIENT_HOSTNAME,
    CLIENTS,
    INTERCONNECT,
    MARKER_PORT,
    MGMT,
    PUBLIC,
    Network,
    make_host,
)
from viplab.observe import clocks, echo, responder
from viplab.observe.capture import Capture
from viplab.observe.census import Census
from viplab.observe.neighbours import Neighbours
from viplab.observe.timeline import Listener, Timeline
from viplab.observe.watch import BURST_GAP_NS, Watch
from viplab.run_folder import TrialFolder
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.subjects.family import BEGINS_WITHIN_INTERVALS
from viplab.types import NetworkName, Station, TrialInfo


@dataclass(frozen=True)
class Trial:
    """What is to be done, by whom, with which number."""

    scenario: Scenario
    source: str
    """The scenario's file, to the letter."""
    assignment: Assignment
    number: int
    seed: int
    trials: int = 1
    """How many there are of this kind: their faults share the advert interval out among them."""
    restores: bool = False
    """Whether it may begin from the memory of a pair that is steady."""
    versions: dict[str, str] = field(default_factory=dict)
    """What subjects have said of their version in this run: the same image, the same installation, the same answer."""
    unsteady: set[str] = field(default_factory=set)
    """Moments that could not be made in this run: trials of theirs start for real, and say themselves what is wrong."""


def run_trial(trial: Trial, lab: Lab, folder: TrialFolder, listeners: tuple[Listener, ...] = ()) -> None:
    """Do one trial and leave its evidence in `folder`.

    A trial that breaks off says so in its timeline (`error`) and keeps what it had; it is for analysis to call it
    undecided. An interruption by the user is recorded in the same way and passed on.
    """
    with suppress(ViplabError), trial_under_way(trial, lab, folder, listeners) as (runner, restored):
        if restored:
            begins = places(trial.seed, f"{trial.scenario.scenario} begins", trial.number, trial.trials)
            runner.go_on(memory.started(trial.scenario), memory.master(trial.scenario), next(begins))
        else:
            runner.run()


@contextmanager
def trial_under_way(
    trial: Trial, lab: Lab, folder: TrialFolder, listeners: tuple[Listener, ...] = ()
) -> Iterator[tuple[ScenarioRunner, bool]]:
    """Have hosts, daemons and observers of one trial ready for its steps, and collect the evidence after them.

    Yields what does the steps, and whether the set-up was done before. A failure of the bench is recorded as `error`;
    one of the steps is so by the time that it gets here, any other is passed on.
    """
    (folder.path / "capture").mkdir(parents=True)
    for host in trial.scenario.hosts:
        folder.host(host, "").mkdir(parents=True)
    (folder.path / "scenario.yaml").write_text(trial.source, encoding="utf-8")
    timeline = Timeline(folder.timeline, listeners)
    try:
        name = trial.assignment.name
        timeline.record("trial_started", scenario=trial.scenario.scenario, subject=name, seed=trial.seed)
        with ExitStack() as observers:
            if IPV6 in trial.scenario.vrrp.families:
                observers.enter_context(client_has_ipv6(_bridge(lab, PUBLIC)))
            restored = _restore(trial, lab, folder, timeline, listeners)
            if not restored:
                _prepare(trial, lab, folder, timeline)
            _forget_vip(trial, lab)
            observers.callback(collect, lab, trial.assignment, trial.scenario, folder, timeline)
            observers.enter_context(
                Environment((_bridge(lab, PUBLIC), _bridge(lab, INTERCONNECT)), lab.hosts, timeline)
            )
            _observe(trial, lab, folder, timeline, observers)
            watch = observers.enter_context(_watch(trial, lab))
            clocks.record_host_clocks(timeline)
            observers.callback(clocks.record_host_clocks, timeline)
            on_each(lab, lambda guest: clocks.record_guest_clock(guest, timeline))
            drawn = places(trial.seed, trial.scenario.scenario, trial.number, trial.trials)
            with _recorded(timeline):
                runner = ScenarioRunner(
                    trial.scenario, trial.assignment, lab, folder, timeline, watch, drawn, _chances(trial)
                )
                yield runner, restored
    except ViplabError as error:
        timeline.record("error", message=str(error))
        raise
    except BaseException as error:
        timeline.record("error", message=f"interrupted ({type(error).__name__})")
        raise
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


def _restore(trial: Trial, lab: Lab, folder: TrialFolder, timeline: Timeline, listeners: tuple[Listener, ...]) -> bool:
    """Have the hosts as they were at the end of the set-up, from memory; False where this trial starts for real."""
    if not trial.restores or not memory.can_be_restored(trial.scenario, trial.assignment):
        return False
    name = memory.moment_name(trial.scenario, trial.assignment)
    if name is None or name in trial.unsteady:
        return False
    started = time.monotonic()
    try:
        made = partial(_make_steady, trial, lab, folder, listeners=listeners)
        moment = lab.revert(name, made, trial.scenario.hosts)
    except ViplabError:
        trial.unsteady.add(name)
        return False
    if moment is None:
        return False
    try:
        made_ns = memory.copy_evidence(moment, list(trial.scenario.hosts), folder)
        version = memory.version_in(moment)
    except LabError as error:
        throw_away(moment, error)
        trial.unsteady.add(name)
        return False
    _write_info(folder, _info(trial, lab, version, restored=True))
    timeline.record(
        "restored",
        what="restored from memory of a steady pair",
        hosts=memory.started(trial.scenario),
        made_ns=made_ns,
        restore_s=round(time.monotonic() - started, 3),
    )
    return True


def _make_steady(trial: Trial, lab: Lab, folder: TrialFolder, moment: Path, *, listeners: tuple[Listener, ...]) -> None:
    """Do the set-up of a scenario, and leave beside the moment to which it leads what was recorded of it."""
    timeline = memory.recorder(moment, listeners)
    try:
        _ready(trial, lab, timeline)
        version = _version(trial, lab)
        with _watch(trial, lab) as watch:
            ScenarioRunner(
                trial.scenario, trial.assignment, lab, folder, timeline, watch, iter(()), _chances(trial)
            ).set_up()
        memory.keep(lab, version, moment)
        timeline.record("trial_finished")
    finally:
        timeline.close()


def _prepare(trial: Trial, lab: Lab, folder: TrialFolder, timeline: Timeline) -> None:
    def begin() -> None:
        # Before anything of the daemon runs: what it does from here on is evidence, and needs a trial to belong to.
        _write_info(folder, _info(trial, lab, _version(trial, lab)))

    _ready(trial, lab, timeline, begin)


def _write_info(folder: TrialFolder, info: TrialInfo) -> None:
    (folder.path / "trial.json").write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _ready(trial: Trial, lab: Lab, timeline: Timeline, begin: Callable[[], None] = lambda: None) -> None:
    """Put fresh hosts there with the daemon on them, configured; `begin` is called once they are fresh."""
    started = time.monotonic()
    lab.reset(f"{trial.assignment.name}-{trial.assignment.profile}", trial.assignment.install, trial.scenario.hosts)
    fresh = time.monotonic()
    begin()

    def configured(guest: Guest) -> None:
        # The log begins with the trial; what was logged while the image booted belongs to no trial.
        guest.run(BEGIN_ANEW).checked()
        if IPV6 in trial.scenario.vrrp.families:
            switch_on(guest)
        for name, value in trial.scenario.sysctl.items():
            guest.run(f"echo {value} >/proc/sys/{name.replace('.', '/')}").checked()
        if guest.host.name in trial.scenario.responders:
            responder.start(guest, trial.scenario.vrrp.family)
        if guest.host.name not in trial.scenario.daemons:
            return
        _check_programs(guest, trial.scenario.hosts[guest.host.name].programs)
        trial.assignment.on(guest.host.name).configure(guest, trial.scenario)
        if trial.scenario.probe.kind == "udp":
            echo.start(guest, trial.scenario.vrrp.vip)

    on_each(lab, configured)
    timeline.record("prepared", reset_s=round(fresh - started, 3), configure_s=round(time.monotonic() - fresh, 3))


def _check_programs(guest: Guest, programs: Sequence[str]) -> None:
    """See to it that a host has the programs that it needs: a daemon goes on without a script that is missing.

    Raises:
        LabError: it has not.
    """
    looks = [f"command -v {quote(program)} >/dev/null || echo {quote(program)}" for program in programs]
    if looks and (missing := guest.run("; ".join(looks)).checked().stdout.splitlines()):
        raise LabError(
            f"{guest.host.name}: needs {', '.join(missing)} (`programs`), and has no such program; "
            "have it in the image, or take it out of keepalived.conf"
        )


def _version(trial: Trial, lab: Lab) -> str:
    """What the daemon says of its version; one that cannot even do that will not start either, and be judged for it."""
    name = trial.assignment.name
    if name not in trial.versions:
        try:
            trial.versions[name] = trial.assignment.version(lab.hosts)
        except LabError:
            return "unknown"
    return trial.versions[name]


def _bridge(lab: Lab, network: Network) -> str:
    """The bridge that a network is made of in this lab."""
    return lab.networks[network.name].bridge


def _forget_vip(trial: Trial, lab: Lab) -> None:
    """Have the client begin without a neighbour entry for the VIP; the last trial may have left one."""
    run(["ip", "neighbour", "flush", "to", trial.scenario.vrrp.vip, "dev", _bridge(lab, PUBLIC)])


def _chances(trial: Trial) -> Iterator[Random]:
    return chances(trial.seed, trial.scenario.scenario, trial.number)


def _watch(trial: Trial, lab: Lab) -> Watch:
    return Watch(
        trial.scenario.vrrp.vip,
        [guest.host for guest in lab.hosts.values()],
        public=_bridge(lab, PUBLIC),
        adverts=_adverts_on(trial, lab).bridge,
        virtual_router_id=trial.scenario.vrrp.virtual_router_id,
        virtual_mac=trial.assignment.virtual_mac(trial.scenario),
        protocol=trial.assignment.protocol(trial.scenario),
        burst_gap_ns=_burst_gap_ns(trial.scenario.vrrp.garp_master_delay),
        begins_within_ns=_begins_within_ns(trial),
    )


def _burst_gap_ns(delay_s: int | None) -> int:
    """How far apart announcements are of two bursts: half of what lies between the bursts, where that is short."""
    return min(BURST_GAP_NS, delay_s * 500_000_000) if delay_s else BURST_GAP_NS


def _begins_within_ns(trial: Trial) -> int:
    """Within what time of an announcement who sent it begins to advertise; 0 where adverts come first."""
    vrrp, subjects = trial.scenario.vrrp, trial.assignment.subjects
    first = any(vrrp.family in subject.family.announces_first for subject in subjects)
    return round(BEGINS_WITHIN_INTERVALS * vrrp.advert_int * 1e9) if first else 0


def _observe(trial: Trial, lab: Lab, folder: TrialFolder, timeline: Timeline, observers: ExitStack) -> None:
    for network, pattern in ((PUBLIC, ""), (INTERCONNECT, ""), (MGMT, f"udp port {MARKER_PORT}")):
        path = folder.capture(network.name)
        observers.enter_context(Capture(_bridge(lab, network), network.name, path, timeline, pattern))
    vip, public = trial.scenario.vrrp.vip, _bridge(lab, PUBLIC)
    observers.enter_context(Neighbours(vip, public, timeline))
    shared_mac = trial.assignment.virtual_mac(trial.scenario) is not None
    hosts = [guest.host for guest in lab.hosts.values()]
    observers.enter_context(Census(vip, public, "eth1", hosts, timeline, unlearned=shared_mac))


def _in_step(scenario: Scenario) -> list[NetworkName]:
    vrrp, cards = scenario.vrrp, make_host("A")
    names = [cards.interface(vrrp.vrrp_instance[name].interface).network for name in vrrp.members]
    return list(dict.fromkeys(names))


def _adverts_on(trial: Trial, lab: Lab) -> Network:
    """The network that adverts travel on: the one of the interface that the daemons send them from."""
    host = next(iter(lab.hosts.values())).host
    name = host.interface(trial.assignment.advert_interface(trial.scenario)).network
    return lab.networks[name]


def _info(trial: Trial, lab: Lab, version: str, *, restored: bool = False) -> TrialInfo:
    scenario, assignment = trial.scenario, trial.assignment
    bridge_mac = (Path("/sys/class/net") / _bridge(lab, PUBLIC) / "address").read_text().strip()
    family = scenario.vrrp.family
    client = CLIENTS[family]
    stations = {"client": Station(hostname=CLIENT_HOSTNAME, public_mac=bridge_mac, public_ip=client.address)}
    for name, guest in lab.hosts.items():
        public, interconnect = guest.host.interface("eth1"), guest.host.interface("eth0")
        stations[name] = Station(
            hostname=guest.host.hostname,
            public_mac=public.mac,
            public_ip=public.address_in(family),
            interconnect_mac=interconnect.mac,
            interconnect_ip=interconnect.address_in(family),
        )
    return TrialInfo(
        scenario=scenario.scenario,
        title=scenario.title,
        subject=assignment.name,
        subject_version=version,
        profile=assignment.profile,
        family=assignment.profile,
        daemons=assignment.daemons(scenario.daemons),
        protocol=assignment.protocol(scenario),
        configuration=configuration_names(assignment, scenario),
        lab=lab.kind.name,
        clock=lab.kind.clock,
        accel=lab.accelerator,
        trial=trial.number,
        restored=restored,
        vip=scenario.vrrp.vip,
        vips=scenario.vrrp.vips if len(scenario.vrrp.vips) > 1 else [],
        virtual_router_id=scenario.vrrp.virtual_router_id,
        instance=scenario.vrrp.name,
        further={name: one.vip for name, one in scenario.vrrp.vrrp_instance.items()},
        in_step=_in_step(scenario),
        adverts_on=_adverts_on(trial, lab).name,
        virtual_mac=assignment.virtual_mac(scenario),
        bridges={name: network.bridge for name, network in lab.networks.items()},
        stations=stations,
        nodes=assignment.timers(scenario),
        tracked=scenario.vrrp.track_interface,
        seed=trial.seed,
        probe_kind=scenario.probe.kind,
        probe_interval_s=scenario.probe.interval_s,
        probe_source=client.probe,
        http_interval_s=scenario.http.interval_s if scenario.http else None,
    )
