"""The daemon: it joins its parts and runs the loop, which waits in one place for all events.

A packet, a change in the kernel, a signal, a script that has ended: each makes a descriptor readable, and so does the
earliest deadline (`timerfd`). An iteration reads what is readable, and then calls what is due (`schedule`).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from vipd.config.behaviour import SECOND_NS, Behaviour
from vipd.config.macvlan_names import named
from vipd.config.model import Config
from vipd.config.parser import ConfigError, Parsed
from vipd.daemon import dumps, status
from vipd.daemon.config_files import commands
from vipd.daemon.control import Control
from vipd.daemon.effect_runner import EffectRunner
from vipd.daemon.kernel_state import KernelState
from vipd.daemon.latency import Latency
from vipd.daemon.notify import Notifier
from vipd.daemon.readers import Readers
from vipd.daemon.rehearsal import Rehearsal
from vipd.daemon.reload import Changes, compare, refusal
from vipd.daemon.router_inputs import RouterInputs
from vipd.daemon.routing_watch import RoutingWatch
from vipd.daemon.runtime import Runtime
from vipd.daemon.schedule import Schedule
from vipd.daemon.scripts import Scripts
from vipd.daemon.socket_pool import SocketPool
from vipd.daemon.trackers import Trackers
from vipd.daemon.unsent_adverts import UnsentAdverts
from vipd.kernel.macvlan import taken
from vipd.kernel.netlink import Netlink
from vipd.kernel.script_runner import Channel
from vipd.kernel.sd_notify import ServiceManager
from vipd.kernel.signals import RELOAD, STOP, Signals
from vipd.kernel.syslog import FAILURES, Syslog, reason
from vipd.kernel.timerfd import TimerFd
from vipd.protocol.groups import regroup
from vipd.protocol.log_messages import LogEvent
from vipd.protocol.router import Router
from vipd.protocol.table import State

_TIMERLESS_S = 1.0


class Daemon:
    """Runs the routers of one configuration until it is told to stop."""

    def __init__(
        self,
        parsed: Parsed,
        behaviour: Behaviour,
        log: Syslog,
        channel: Channel,
        load: Callable[[], Parsed],
        mark: str,
    ) -> None:
        """Open sockets, netlink and the timer; start no router yet.

        Args:
            parsed: the configuration to run.
            behaviour: the profile.
            log: takes the log lines.
            channel: the way to the script runner.
            load: reads the configuration again, for SIGHUP.
            mark: marks in the kernel what this daemon makes, so that it leaves alone what others make.
        """
        self._log = log
        self._mark = mark
        self._load = load
        self._parsed = parsed
        self._netlink = Netlink()
        config = self._fitted(parsed.config)
        self._timer = TimerFd()
        self._stopped = False
        self._schedule = Schedule()
        self._readers = Readers(log, self._schedule.update)
        update = self._schedule.update
        self._routing_watch = RoutingWatch(self._netlink, log, self._readers, update, self._routing_changed)
        self._latency = Latency()
        self._manager = ServiceManager()
        self._control: Control | None = None
        began = time.time(), time.monotonic()
        self._pool = SocketPool(self._netlink, log, self._readers, self._run_effects, self._sockets_changed, mark)
        self._rehearsal = Rehearsal(self._pool.probe)
        self._scripts = Scripts(channel, log, self._readers.unwatch)
        self._trackers = Trackers(self._scripts, self._schedule, log, self._tracked_changed, time.monotonic_ns)
        routers = {router.name: Router(router, behaviour, detail=log.detail) for router in config.routers}
        self._runtime = Runtime(config, behaviour, routers, began)
        self._scripts.default(*config.globals.script_user)
        self._notifier = Notifier(config.globals, self._scripts, log)
        self._kernel_state = KernelState(self._netlink, log, self._schedule.update)
        serves, lost_routing = self._pool.serves, self._kernel_state.lost_routing
        self._inputs = RouterInputs(
            self._runtime, self._netlink, self._trackers, self._notifier, serves, lost_routing, self._run_effects
        )
        self._unsent = UnsentAdverts(self._runtime, self._schedule.update, self._inputs.needs_changed)
        effect_runner = EffectRunner(
            self._runtime, self._pool, self._kernel_state, self._notifier, log, self._unsent, self._run_effects
        )
        self._run_now = effect_runner.run
        self._starts_ns: int | None = None
        self._signals = Signals((*STOP, RELOAD, *dumps.SIGNALS))
        for descriptor, read in (
            (self._netlink.fileno(), self._interfaces_changed),
            (self._timer.fileno(), self._timer.clear),
            (self._signals.fileno(), self._signalled),
            (self._scripts.fileno(), self._scripts.read),
        ):
            self._readers.watch(descriptor, read)
        self._update_sockets()

    # -- running

    def run(self, ready: Callable[[], None], control: str | None = None) -> None:
        """Start the routers, call `ready`, and go on until SIGTERM or SIGINT; `control` is where to listen."""
        try:
            self._start(ready, control)
            while not self._stopped:
                self._iterate()
        finally:
            self._shut_down()

    def _start(self, ready: Callable[[], None], control: str | None) -> None:
        self._log.event(LogEvent.LINKS_WATCHED)
        if control is not None:
            self._listen(control)
        settings = self._runtime.config.globals
        if settings.startup is not None:
            self._scripts.wait(settings.startup, settings.startup_timeout_ns)
        self._configure()
        self._kernel_state.set_static(self._runtime.config, present=True)
        for config in self._runtime.config.routers[:1]:
            self._rehearsal.warm_up(config, self._runtime.behaviour)
        now = time.monotonic_ns()
        self._starts_ns = now + settings.startup_delay_ns
        self._schedule.update(self)
        if not settings.startup_delay_ns:
            self.handle_deadline(now)
        self._pool.report()
        self._schedule.update(self._manager)
        ready()
        self._manager.ready(f"{len(self._runtime.routers)} instances")
        gc.collect()
        gc.freeze()  # a collection that walks everything loaded so far would be a pause in the adverts

    def _shut_down(self) -> None:
        """Give up all addresses, whatever the daemon ends for: nobody would take them from a host that has them."""
        self._manager.stopping()
        self._log.event(LogEvent.STOPPING)
        now = time.monotonic_ns()
        for router in self._runtime.routers.values():
            router.shut_down(now)
            self._run_now(router)
        for group in self._runtime.groups:
            group.state = State.INITIALIZE
            self._notifier.tell_group(group)
        self._kernel_state.set_static(self._runtime.config, present=False)
        self._pool.close()
        self._notifier.close()
        settings = self._runtime.config.globals
        if settings.shutdown is not None:
            self._scripts.wait(settings.shutdown, settings.shutdown_timeout_ns)
        if self._control is not None:
            self._control.close()

    def deadline(self) -> int | None:
        """When the routers start (vrrp_startup_delay)."""
        return self._starts_ns

    def handle_deadline(self, now: int) -> None:
        """Start the routers."""
        if self._starts_ns is not None and now >= self._starts_ns:
            self._starts_ns = None
            self._inputs.start(self._runtime.routers.values(), now)

    def _iterate(self) -> None:
        next_ns, wait_s = self._schedule.next(), -1.0
        try:
            self._timer.set(self._rehearsal.wake_ns(self._schedule.first, next_ns))
        except (OSError, MemoryError) as error:
            self._log.failure(f"the timer cannot be set: {reason(error)}; adverts may be a millisecond late")
            self._timer.drain()
            wait_s = _TIMERLESS_S if next_ns is None else max(0.0, (next_ns - time.monotonic_ns()) / SECOND_NS)
        # Waiting packets are read before any timer is handled: a daemon that was paused must not take over from a
        # master whose adverts are in its queue.
        self._readers.read(wait_s)
        self._rehearsal.wait(self._timer, self._readers.read)
        now = time.monotonic_ns()
        for deadline, timed in self._schedule.due(now):
            try:
                timed.handle_deadline(now)
                if isinstance(timed, Router):
                    if timed.effects:
                        self._run_now(timed)
                    self._latency.record(now - deadline)
                self._schedule.update(timed)
            except FAILURES as error:
                self._log.failure(f"what was due failed, and is tried again: {reason(error)}")
                self._schedule.postpone(timed, now + SECOND_NS)

    def _run_effects(self, router: Router) -> None:
        """Carry out a router's effects and reschedule it."""
        if router.effects:
            self._run_now(router)
        self._schedule.update(router)

    # -- what happened

    def _interfaces_changed(self) -> None:
        self._netlink.read()
        self._update_sockets()
        self._sockets_changed()

    def _routing_changed(self) -> None:
        self._interfaces_changed()  # an interface that goes down takes its routes along, and that is a FAULT
        if self._starts_ns is None:
            self._inputs.routing_changed(time.monotonic_ns())

    def _update_sockets(self) -> None:
        try:
            self._pool.update(self._runtime.routers.values())
        finally:
            self._schedule.update(self._pool)  # which tries again what failed

    def _sockets_changed(self) -> None:
        self._schedule.update(self._pool)
        if self._starts_ns is None:
            self._inputs.interfaces_changed(time.monotonic_ns())

    def _tracked_changed(self, kind: str, name: str) -> None:
        self._inputs.tracked_changed(kind, name, time.monotonic_ns())

    def _signalled(self) -> None:
        for number in self._signals.pending():
            if number in STOP:
                self._stopped = True
            elif number == RELOAD:
                self._reload()
            else:
                self._dump(number)

    # -- being asked

    def _listen(self, path: str) -> None:
        try:
            self._control = Control(
                path,
                lambda: status.report(self._runtime, self._pool.discards, self._latency, self._trackers.values),
                self._schedule.update,
            )
        except (OSError, MemoryError) as error:
            self._log.line(f"{path}: `vipd status` will not work: {reason(error)}")
            return
        self._readers.watch(self._control.fileno(), self._control.read)

    def _dump(self, number: int) -> None:
        try:
            dumps.dump(number, self._runtime)
        except FAILURES as error:
            self._log.failure(f"the state could not be written: {reason(error)}")

    # -- the configuration

    def _fitted(self, config: Config) -> Config:
        """The configuration with other names for macvlans whose name somebody else's interface has."""
        others = taken(self._netlink.links, config.routers, self._mark)
        routers = named(config.routers, config.globals.vmac_prefix, others)
        for asked, router in zip(config.routers, routers):
            if router.vmac != asked.vmac:
                self._log.line(f"({router.name}) {asked.vmac} is another's interface; the macvlan is {router.vmac}")
        return config._replace(routers=routers)

    def _configure(self) -> None:
        """Apply the configuration to scripts, notifications, sync groups and trackers."""
        runtime, trackers = self._runtime, self._trackers
        self._scripts.default(*runtime.config.globals.script_user)
        self._scripts.look_up(commands(runtime.config))
        self._notifier.update(runtime.config.globals)
        runtime.groups = regroup(runtime.groups, runtime.config.groups, runtime.routers, time.monotonic_ns())
        if trackers.files is not None:
            trackers.files.unwatch(self._readers)
        self._routing_watch.configure(runtime.config)
        trackers.apply(runtime.config)
        if trackers.files is not None:
            trackers.files.watch(self._readers)
            self._schedule.update(trackers.files)
        for router in runtime.config.routers:
            if router.promote_secondaries:
                self._kernel_state.promote_secondaries(router)

    def _reload(self) -> None:
        """Apply a new configuration, if it has no errors; instances that it does not change go on undisturbed."""
        self._manager.reloading()
        self._log.line("Reloading")
        try:
            parsed = self._load()
        except ConfigError as error:
            for problem in error.problems:
                self._log.line(problem)
            self._refuse("the new configuration has errors")
            return
        except FAILURES as error:
            self._refuse(f"the new configuration cannot be read: {reason(error)}")
            return
        why = refusal(self._parsed, parsed)
        if why is not None:
            self._refuse(why)
            return
        self._parsed, config = parsed, parsed.config
        for warning in parsed.diagnostics.warnings:
            self._log.line(warning)
        if config.globals.net_namespace != self._runtime.config.globals.net_namespace:
            self._log.line("net_namespace: another one is entered at a start only; restart vipd")
        self._apply(self._fitted(config))
        self._manager.ready(f"{len(self._runtime.routers)} instances")

    def _refuse(self, why: str) -> None:
        self._log.line(f"{why}; the old one stays in force")
        self._manager.ready(f"reload refused: {why}")

    def _apply(self, config: Config) -> None:
        """Replace the configuration; what fails of it is said, and keeps no router from its adverts."""
        now, runtime = time.monotonic_ns(), self._runtime
        changes = compare(runtime.routers, config, runtime.behaviour, self._log.detail)
        old, runtime.config = runtime.config, config
        steps: tuple[Callable[[], None], ...] = (
            lambda: self._end(changes.gone, now),
            lambda: self._replace(changes),
            self._update_sockets,
            lambda: self._remove_left(changes.succeeded),
            self._configure,
            lambda: self._kernel_state.replace_static(old, config),
            self._set_routing,
            lambda: self._begin(changes.new, now),
            self._tell_fifos,
        )
        for step in steps:
            try:
                step()
            except FAILURES as error:
                self._log.failure(f"a part of the reload failed: {reason(error)}; if it is missing, restart vipd")

    def _end(self, routers: list[Router], now: int) -> None:
        for router in routers:
            router.shut_down(now)
            self._run_now(router)
            self._schedule.remove(router)

    def _replace(self, changes: Changes) -> None:
        self._runtime.routers = changes.routers
        for before, after in changes.succeeded:
            self._schedule.remove(before)
            self._schedule.update(after)
        names = {before.config.name: after.config.name for before, after in changes.succeeded}
        self._runtime.rename(names)
        self._unsent.rename(names)

    def _remove_left(self, succeeded: list[tuple[Router, Router]]) -> None:
        for before, after in succeeded:
            if before.state is State.MASTER:
                self._kernel_state.remove_left(before.config, after.config)

    def _set_routing(self) -> None:
        for router in self._runtime.routers.values():
            if router.state is State.MASTER:  # somebody else may have removed some, and not of all of them is heard
                config = router.config
                self._kernel_state.set_routing(config.name, config.routes, config.rules, present=True)

    def _begin(self, routers: list[Router], now: int) -> None:
        if self._starts_ns is None:
            self._inputs.start(routers, now)
            self._inputs.replaced(now)

    def _tell_fifos(self) -> None:
        if self._runtime.config.globals.fifo_on_reload:
            for router in self._runtime.routers.values():
                name = dumps.STATES[router.state][1]
                self._notifier.tell(
                    "INSTANCE", router.config.name, name, router.priority, router.config.hooks._replace(commands=())
                )
