"""Does the steps of a scenario, one after the other; what the bench's own steps mean is one table at the end."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from random import Random
from typing import Any

from viplab.address_family import AddressFamily, family_of
from viplab.errors import DaemonError, LabError
from viplab.experiment.logs import keep_logs
from viplab.experiment.setup_checks import CHECKS, SetUp
from viplab.faults import FaultKind, HostTarget, Part, VirtualRouter, fault_kind
from viplab.inject.fault import Injected, inject
from viplab.inject.ways import DISCARD_PORT, Bench
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab, on_each
from viplab.lab.topology import CLIENTS, PUBLIC
from viplab.lab.waiting import limit_s, until
from viplab.observe import clocks
from viplab.observe.echo_round import unanswered
from viplab.observe.http_probe import HttpProbe
from viplab.observe.neighbours import neighbour_table
from viplab.observe.ping import Ping
from viplab.observe.precedence import precedence
from viplab.observe.probe import Probe, Prober
from viplab.observe.timeline import Timeline
from viplab.observe.watch import Watch
from viplab.run_folder import TrialFolder
from viplab.scenario.model import Scenario
from viplab.scenario.step import Serve, Step, Wait
from viplab.services import SERVICES
from viplab.subjects.assignment import Assignment
from viplab.types import LAST_BURST, TO_BE_MASTER, HostName

_OFF_S = 90
"""How long an orderly shutdown may take; systemd gives a service so long to stop."""


class ScenarioRunner:
    """One scenario under way."""

    def __init__(
        self,
        scenario: Scenario,
        assignment: Assignment,
        lab: Lab,
        folder: TrialFolder,
        timeline: Timeline,
        watch: Watch,
        places: Iterator[float],
        chances: Iterator[Random],
    ) -> None:
        self._scenario = scenario
        self._client = CLIENTS[scenario.vrrp.family]
        self._assignment = assignment
        self._lab = lab
        self._folder = folder
        self._timeline = timeline
        self._watch = watch
        self._places = places
        self._chances = chances
        self._ping: Ping | None = None
        self._faults = ExitStack()
        self._lasting: dict[str, list[Injected]] = {}
        """Faults that nobody has healed yet, by kind."""
        self._started: set[HostName] = set()
        self._ended: set[HostName] = set()
        """Hosts that are off, or will be: one that shuts down answers for a while yet."""
        self._phase = "setup"
        self._arp_taken = False
        self._advertises = assignment.protocol(scenario) != "none"

    def run(self) -> None:
        """Set-up, then the measured steps with the probes running; in the end every fault is healed.

        Raises:
            LabError: a wait was in vain, a step could not be done, or a fault not be healed.
        """
        with self._faults:
            self.set_up()
            self._measured()

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """The set-up, then whatever the caller does (`do`) with the probes running; errors as with `run`."""
        with self._faults:
            self.set_up()
            with self._measuring():
                yield

    def set_up(self) -> None:
        """The set-up alone; errors as with `run`."""
        with precedence():
            for step in self._scenario.setup:
                self.do(step)

    def go_on(self, running: Collection[HostName], master: HostName | None, place: float) -> None:
        """The measured steps of a pair whose set-up was done before, with the daemon running on these hosts.

        They begin at that place in the advert interval: saved memory begins at the same one each time.

        Raises:
            LabError: another host than `master` advertises, as where a busy machine let one stand still for too long;
                else as with `run`.
        """
        self._started.update(running)
        with self._faults:
            self._recorded(f"wait: place {place:.3f}", lambda: self._reach(place))
            heard = self._watch.seen.advertiser
            if master not in (None, heard):
                raise LabError(f"{heard} is master of the restored pair, and {master} was when it was saved")
            self._measured()

    def _measured(self) -> None:
        with self._measuring(), precedence():
            for step in self._scenario.steps:
                self.do(step)

    @contextmanager
    def _measuring(self) -> Iterator[None]:
        self._phase = "steps"
        try:
            with ExitStack() as probes:
                for probe in self._probes():
                    probes.enter_context(probe)
                yield
            self._record_arp("after")
            self._record_unanswered()
            self._record_holds()
        finally:
            if self._ping is not None:
                self._ping.stop()

    def _probes(self) -> Iterator[Prober]:
        asked, http, vip = self._scenario.probe, self._scenario.http, self._scenario.vrrp.vip
        bridge, source = self._lab.networks[PUBLIC.name].bridge, self._client.probe
        yield Probe(asked.kind, vip, source, asked.rate, bridge, self._timeline)
        if http is not None:
            yield HttpProbe(vip, source, http.rate, http.kept, bridge, self._folder.http, self._timeline)

    def do(self, step: Step) -> None:
        """Do one step, and record its beginning and end; errors as with `run`."""
        if own := _STEPS.get(step.name):
            self._recorded(str(step), lambda: own(self, step.argument))
        else:
            self._recorded(str(step), lambda: self._fault(fault_kind(step.name), step.argument))

    def _recorded(self, text: str, act: Callable[[], float | None]) -> None:
        """Do something with its beginning and end in the timeline; it returns for how long it waited, in seconds."""
        self._timeline.record("step_started", step=text, phase=self._phase)
        waited_s = act() or 0.0
        self._timeline.record("step_finished", step=text, phase=self._phase, waited_s=round(waited_s, 3))

    # --- what the steps do; each returns the seconds for which it waited for the protocol ---

    def _start(self, host: HostName) -> None:
        self._assignment.on(host).start(self._lab.hosts[host])
        self._started.add(host)
        self._timeline.record("daemon_started", host=host)

    def _serve(self, serve: Serve) -> None:
        came = SERVICES[serve.service].start_on(self._lab.hosts[serve.host], self._scenario)
        self._timeline.record(
            "service_started", service=serve.service, host=serve.host, listens=came.listens, said=came.said
        )

    def _start_ping(self, word: str) -> None:
        if word == "start":
            self._ping = Ping(self._scenario.vrrp.vip, self._folder.ping, self._timeline)
        elif self._ping is not None:
            self._ping.stop()
            self._ping = None

    def _check(self, claims: list[str]) -> None:
        on = SetUp(self._lab, self._assignment, self._scenario, self._watch, self._folder.ping)
        for claim in claims:
            ok, detail = CHECKS[claim](on)
            self._timeline.record("check", claim=claim, ok=ok, detail=detail)

    def _wait(self, wait: Wait) -> float:
        seen = self._watch.seen
        if wait.pings is not None:
            due = seen.pings + wait.pings
            waited = self._watch.until(f"{wait.pings} pings", lambda now: now.pings >= due, wait.within + wait.pings)
            # The last of them gets half an interval to be answered before anything else happens.
            return waited + self._pause(0.5)
        host = wait.master or wait.announced
        twice = wait.announced is not None and self._scenario.vrrp.garp_master_delay != 0
        bursts = self._assignment.on(wait.announced).family.garp_bursts if wait.announced and twice else 1
        what = (TO_BE_MASTER if wait.master else LAST_BURST).format(host)
        try:
            waited_s = self._watch.until(
                what,
                lambda now: now.advertiser == host and now.announcer == host and now.bursts >= bursts,
                wait.within,
            )
        except LabError:
            if self._phase == "steps":
                self._timeline.record("missed", what=what, within_s=limit_s(wait.within), bursts=bursts)
            self._check_daemons()
            raise
        if self._phase == "setup":
            self._have_client_know_vip()
        return waited_s

    def _have_client_know_vip(self) -> None:
        """Let the client look the VIP up, as the article's had by its earlier pings.

        One that knows nobody asks all hosts when it first pings, and where two own the address chance decides.
        """
        vrrp = self._scenario.vrrp
        with socket.socket(vrrp.family.number, socket.SOCK_DGRAM) as asking:
            asking.bind((self._client.address, 0))
            asking.sendto(b"", (vrrp.vip, DISCARD_PORT))

    def _check_daemons(self) -> None:
        """Say of a daemon that has ended by itself that it has, which is why what was waited for did not come."""
        for host in sorted(self._started):
            guest, subject = self._lab.hosts[host], self._assignment.on(host)
            try:
                subject.processes(guest)
            except DaemonError:
                if self._phase == "setup":
                    raise subject.gone(guest, "did not start") from None
                raise

    def _pause(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    def _pause_until(self, due_ns: int) -> float:
        return self._pause(max(0, due_ns - time.monotonic_ns()) / 1e9)

    def _fault(self, kind: FaultKind, target: Any) -> float:
        if kind.ends(Part.HOST):
            self._ended.add(target.host)
            keep_logs(self._lab.hosts[target.host], self._assignment, self._scenario, self._folder)
        if self._phase == "steps" and not self._arp_taken:
            self._record_arp("before")
        place = None
        if self._phase == "steps" and isinstance(target, HostTarget) and self._advertises:
            place = next(self._places) if target.place is None else target.place
        waited_s = 0.0

        def moment() -> None:
            nonlocal waited_s
            if place is not None:
                waited_s = self._reach(place)

        vrrp = self._scenario.vrrp
        router = VirtualRouter(vrrp.vip, vrrp.virtual_router_id, vrrp.version, vrrp.advertised)
        bench = Bench(self._lab.hosts, self._lab.networks, self._assignment, router, next(self._chances))
        if kind.ends_daemon:
            self._started.discard(target.host)
        begun_ns = 0
        for number in range(getattr(target, "repeat", 1)):
            if number:
                waited_s += self._pause_until(begun_ns + number * target.interval_ms * 1_000_000)
            injected = inject(kind, target, bench, self._timeline, self._phase, place, moment)
            begun_ns, place = begun_ns or time.monotonic_ns(), None  # only the first strike has a place
            self._faults.callback(injected.heal)
            if injected.until_ns is None:
                self._lasting.setdefault(kind.name, []).append(injected)
            else:
                waited_s += self._pause_until(injected.until_ns)
                injected.heal()
        return waited_s

    def _heal(self, name: str) -> None:
        for injected in self._lasting.pop(name):
            injected.heal()

    def _reach(self, place: float) -> float:
        """Wait for a place in the advert interval: in the current one if it is still to come, else in the next."""
        interval_s = self._scenario.vrrp.advert_int
        place_ns = round(place * interval_s * 1e9)
        last_ns = self._watch.seen.advert_ns
        waited = 0.0
        if last_ns + place_ns < time.time_ns():
            try:
                waited = self._watch.until("an advert", lambda now: now.advert_ns > last_ns, 3 * interval_s + 1)
            except LabError:
                self._check_daemons()
                raise
        due_ns = self._watch.seen.advert_ns + place_ns
        return waited + self._pause(max(0.0, (due_ns - time.time_ns()) / 1e9))

    def _record_arp(self, when: str) -> None:
        self._arp_taken = True
        self._timeline.record("arp", when=when, text=neighbour_table(self._scenario.vrrp.family))

    def _record_unanswered(self) -> None:
        """Which addresses of its network the client does not reach, but for the first, which the probe asks."""
        vrrp = self._scenario.vrrp
        every = [*vrrp.vips, *(vip for one in vrrp.vrrp_instance.values() for vip in one.vips)]
        others: dict[AddressFamily, list[str]] = {}
        for vip in every:
            family = family_of(vip)
            if vip != vrrp.vip and ip_address(vip) in CLIENTS[family].network:
                others.setdefault(family, []).append(vip)
        if others:
            silent = [vip for family, vips in others.items() for vip in unanswered(vips, CLIENTS[family].address)]
            tables = "".join(map(neighbour_table, others))
            self._timeline.record("unanswered", addresses=silent, table=tables)

    def _record_holds(self) -> None:
        """What each host says of itself, and how its clock stands to ours at the end."""

        def ask(guest: Guest) -> None:
            if (host := guest.host.name) in self._ended:
                until(f"{guest.host.hostname} to be off", lambda: not guest.running, within_s=_OFF_S)
            if not guest.running:
                return
            if host in self._scenario.daemons:
                subject = self._assignment.on(host)
                vip = subject.holds(guest, self._scenario.vrrp.vip)
                # A guest that does not say so is the bench's matter, and ends the trial as such.
                try:
                    daemon = bool(subject.processes(guest))
                except DaemonError:
                    daemon = False
                self._timeline.record("holds", host=host, vip=vip, daemon=daemon)
            clocks.record_guest_clock(guest, self._timeline)

        on_each(self._lab, ask)


_STEPS: dict[str, Callable[[ScenarioRunner, Any], float | None]] = {
    "start": ScenarioRunner._start,
    "serve": ScenarioRunner._serve,
    "ping": ScenarioRunner._start_ping,
    "check": ScenarioRunner._check,
    "observe": ScenarioRunner._pause,
    "heal": ScenarioRunner._heal,
    "wait": ScenarioRunner._wait,
}
