"""The loop around the routers: one sleep, for a packet, a change in the kernel, a signal or a deadline."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from vipd import __version__, dumps, routing, status
from vipd.behaviour import Behaviour
from vipd.clock import Alarm
from vipd.conf import ConfigError
from vipd.config import Config, Route, RouterConfig, Rule, packed
from vipd.control import Control
from vipd.effects import NotifyOfLower
from vipd.groups import Group
from vipd.lateness import Lateness
from vipd.netlink import Netlink
from vipd.notify import Notifier
from vipd.ports import Ports
from vipd.reload import compared
from vipd.router import (
    AddAddresses,
    Log,
    Notify,
    RemoveAddresses,
    Router,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.schedule import Schedule
from vipd.scripts import Scripts
from vipd.sdnotify import ServiceManager
from vipd.syslog import Syslog
from vipd.table import State
from vipd.tracking import judged
from vipd.voice import Say
from vipd.watching import Watching

JSON_SIGNAL = 36  # what `keepalived --signum=JSON` says
_STOP = (signal.SIGTERM, signal.SIGINT)
_WAKE = (*_STOP, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, JSON_SIGNAL)
_SILENT = (State.GOTO_MASTER, State.TRANSITION)  # halfway states, of which nobody is told


class Daemon:
    """Runs the routers of one configuration until it is told to stop."""

    def __init__(
        self,
        config: Config,
        behaviour: Behaviour,
        log: Syslog,
        channel: socket.socket,
        load: Callable[[], Config],
        mark: str,
    ) -> None:
        """Open what the routers need.

        Args:
            config: what to run.
            behaviour: the profile.
            log: where lines go.
            channel: the way to the process that runs scripts.
            load: reads the configuration anew, for SIGHUP.
            mark: tells what this daemon makes in the kernel from what others make.
        """
        self._config = config
        self._behaviour = behaviour
        self._log = log
        self._load = load
        self._netlink = Netlink()
        self._alarm = Alarm()
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._stopped = False
        self._schedule = Schedule()
        self._lateness = Lateness()
        self._manager = ServiceManager()
        self._control: Control | None = None
        self._began = time.time(), time.monotonic()
        self._since: dict[str, tuple[float, str]] = {}
        self._ports = Ports(self._netlink, log, self._watch, self._unwatch, self._acted, mark)
        self._scripts = Scripts(channel, log)
        self._watching = Watching(self._scripts, self._schedule, log, self._tracked_changed, time.monotonic_ns)
        self._routers = {router.name: Router(router, behaviour, detail=log.detail) for router in config.routers}
        self._groups: list[Group] = []
        self._scripts.default(*config.globals.script_user)
        self._notifier = Notifier(config.globals, self._scripts, log)
        self._starts_ns: int | None = None
        for descriptor, read in (
            (self._netlink.fileno(), self._interfaces_changed),
            (self._alarm.fileno(), self._alarm.clear),
            (_signal_pipe(), self._signalled),
            (self._scripts.fileno(), self._scripts.read),
        ):
            self._watch(descriptor, read)
        self._ports.settle(self._routers.values())

    # -- living

    def run(self, ready: Callable[[], None], control: str | None = None) -> None:
        """Start the routers, call `ready`, and go on until SIGTERM or SIGINT; `control` is where to listen."""
        self._log.say(Say.LINKS_WATCHED)
        if control is not None:
            self._listen(control)
        said = self._config.globals
        if said.startup is not None:
            self._scripts.wait(said.startup, said.startup_timeout_ns)
        self._settle()
        self._set_static(self._config, present=True)
        now = time.monotonic_ns()
        self._starts_ns = now + self._config.globals.startup_delay_ns
        self._schedule.look(self)
        if not self._config.globals.startup_delay_ns:
            self.handle_deadline(now)
        self._ports.report()
        self._schedule.look(self._manager)
        ready()
        self._manager.ready(f"{len(self._routers)} instances")
        gc.collect()
        gc.freeze()  # a collection that walks everything loaded so far would be a pause in the adverts
        while not self._stopped:
            self._turn()
        self._manager.stopping()
        self._log.say(Say.STOPPING)
        now = time.monotonic_ns()
        for router in self._routers.values():
            router.shut_down(now)
            self._carry_out(router)
        self._set_static(self._config, present=False)
        self._ports.close()
        self._notifier.close()
        said = self._config.globals
        if said.shutdown is not None:
            self._scripts.wait(said.shutdown, said.shutdown_timeout_ns)
        if self._control is not None:
            self._control.close()

    def deadline(self) -> int | None:
        """When the routers are to start (vrrp_startup_delay)."""
        return self._starts_ns

    def handle_deadline(self, now: int) -> None:
        """Start the routers."""
        if self._starts_ns is not None and now >= self._starts_ns:
            self._starts_ns = None
            for router in self._routers.values():
                self._start(router, now)

    def _turn(self) -> None:
        self._alarm.set(self._schedule.next())
        # Packets that have been waiting are heard before a timer is believed: a daemon that was paused
        # must not take over from a master whose adverts lie in its queue.
        for descriptor, _ in self._epoll.poll():
            read = self._readers.get(descriptor)
            if read is not None:  # a port may have been closed since, by a report before it in this batch
                read()
        now = time.monotonic_ns()
        for deadline, timed in self._schedule.due(now):
            timed.handle_deadline(now)
            if isinstance(timed, Router):
                self._lateness.note(now - deadline)
                if timed.effects:
                    self._carry_out(timed)
            self._schedule.look(timed)

    def _start(self, router: Router, now: int) -> None:
        self._weigh(router, now)
        router.started(self._links(router.config, now), now)
        self._acted(router)

    def _settle(self) -> None:
        """Have around the routers what the configuration asks for."""
        said = self._config.globals
        self._scripts.default(*said.script_user)
        if not self._notifier.is_for(said):
            self._notifier.close()
            self._notifier = Notifier(said, self._scripts, self._log)
        self._groups = [Group(group, self._routers) for group in self._config.groups]
        if self._watching.files is not None:
            self._unwatch(self._watching.files.fileno())
        self._watching.apply(self._config)
        if self._watching.files is not None:
            self._watch(self._watching.files.fileno(), self._watching.files.read)
        for router in self._config.routers:
            if router.promote_secondaries:
                self._promote(router)

    def _promote(self, router: RouterConfig) -> None:
        for device in {address.device for address in router.served}:
            try:
                with open(f"/proc/sys/net/ipv4/conf/{device}/promote_secondaries", "w", encoding="ascii") as opened:  # noqa: PTH123
                    opened.write("1")
            except OSError as error:
                self._log.line(f"({router.name}) promote_secondaries on {device}: {error.strerror}")

    def _set_static(self, config: Config, present: bool) -> None:
        """Set, or remove, static addresses, routes and rules."""
        for address in config.addresses:
            self._tried("static_ipaddress", self._netlink.add if present else self._netlink.remove, address)
        self._set_routing("static", config.routes, config.rules, present)

    # -- what happened

    def _interfaces_changed(self) -> None:
        self._netlink.read()
        self._ports.settle(self._routers.values())
        now = time.monotonic_ns()
        if self._starts_ns is None:
            for router in self._routers.values():
                self._link_states(router, now)
                if router.state is State.MASTER and self._lost_an_address(router.config):
                    router.address_lost(now)
                self._acted(router)
            self._weigh_groups(now)

    def _link_states(self, router: Router, now: int) -> None:
        for name, up in self._links(router.config, now).items():
            router.interface_changed(name, up, now)
        for track in router.config.tracks:
            if track.kind == "interface":
                link = self._netlink.links.get(track.name)
                up = self._watching.link(track.name, link is not None and link.up, now)
                if self._watching.values.get(("interface", track.name)) != up:
                    self._watching.values["interface", track.name] = int(up)
        self._weigh(router, now)

    def _links(self, config: RouterConfig, now: int) -> dict[str, bool]:
        """Which of a router's interfaces are up; that of the adverts needs an address to send from, too."""
        links = self._netlink.links
        up = {name: self._watching.link(name, name in links and links[name].up, now) for name in config.interfaces}
        if up.get(config.interface):
            up[config.interface] = bool(self._ports.source_of(config)) and self._has_source(config)
        return up

    def _has_source(self, config: RouterConfig) -> bool:
        """Whether the configured source address is on this host, if that is tracked (track_src_ip)."""
        if not config.track_source or config.source is None:
            return True
        return any(packed(config.source) in held for held in self._netlink.held.values())

    def _lost_an_address(self, config: RouterConfig) -> bool:
        for address in config.served:
            link = self._netlink.links.get(address.device)
            if link is not None and address.octets not in self._netlink.held.get(link.ifindex, ()):
                return True
        return False

    def _tracked_changed(self, kind: str, name: str) -> None:
        now = time.monotonic_ns()
        for router in self._routers.values():
            if kind == "interface":
                self._link_states(router, now)
            elif any((track.kind, track.name) == (kind, name) for track in router.config.tracks):
                self._weigh(router, now)
            self._acted(router)
        self._weigh_groups(now)

    def _weigh(self, router: Router, now: int) -> None:
        """Let a router have the priority that what it tracks gives it, or be in FAULT for what is missing."""
        config = router.config
        if config.tracks:
            judgement = judged(config, self._watching.values)
            before = router.priority
            router.priority_changed(judgement.priority, now)
            if router.priority != before and config.hooks.priority_changes:
                name = dumps.STATES[router.state][1]
                self._notifier.tell("INSTANCE", config.name, f"{name}_PRIORITY", router.priority, config.hooks)
            for need, met in judgement.needs.items():
                router.need_changed(need, met, now)
        if config.unicast_fault_no_peer and not config.unicast_peers:
            router.need_changed("unicast peer", False, now)

    def _weigh_groups(self, now: int) -> None:
        for group in self._groups:
            for router in group.weighed(now):
                self._acted(router)

    # -- signals

    def _signalled(self) -> None:
        for number in os.read(_signal_pipe(), 64):
            if number in _STOP:
                self._stopped = True
            elif number == signal.SIGHUP:
                self._reload()
            else:
                self._dump(number)

    def _reload(self) -> None:
        """Take a new configuration, if it is good; instances that it leaves alone do not notice."""
        self._manager.reloading()
        self._log.line("Reloading")
        try:
            config = self._load()
        except ConfigError as error:
            for problem in error.problems:
                self._log.line(problem)
            self._log.line("the new configuration has errors; the old one stays in force")
            self._manager.ready("reload refused: the new configuration has errors")
            return
        for warning in config.warnings:
            self._log.line(warning)
        self._take(config)
        self._manager.ready(f"{len(self._routers)} instances")

    def _take(self, config: Config) -> None:
        now = time.monotonic_ns()
        old, self._config = self._config, config
        changes = compared(self._routers, config, self._behaviour, self._log.detail)
        for router in changes.gone:
            router.shut_down(now)
            self._carry_out(router)
            self._schedule.forget(router)
        self._routers = changes.routers
        self._ports.settle(self._routers.values())
        for before, after in changes.succeeded:
            self._schedule.forget(before)
            if before.state is State.MASTER:
                left = [one for one in before.config.routes if one not in after.config.routes]
                left_rules = [one for one in before.config.rules if one not in after.config.rules]
                self._set_routing(after.config.name, left, left_rules, present=False)
                self._set_routing(after.config.name, after.config.routes, after.config.rules, present=True)
        self._settle()
        kept = config._replace(
            addresses=tuple(one for one in old.addresses if one not in config.addresses),
            routes=tuple(one for one in old.routes if one not in config.routes),
            rules=tuple(one for one in old.rules if one not in config.rules),
        )
        self._set_static(kept, present=False)
        self._set_static(config, present=True)
        for router in changes.new:
            self._start(router, now)
        for router in self._routers.values():
            self._link_states(router, now)
            self._acted(router)
        self._weigh_groups(now)
        if config.globals.fifo_on_reload:
            for router in self._routers.values():
                name = dumps.STATES[router.state][1]
                self._notifier.tell(
                    "INSTANCE", router.config.name, name, router.priority, router.config.hooks._replace(commands=())
                )

    def _dump(self, number: int) -> None:
        said, routers = self._config.globals, list(self._routers.values())
        since = {name: moment for name, (moment, _) in self._since.items()}
        try:
            if number == signal.SIGUSR1:
                dumps.write(
                    said.data_file, "".join(f"{line}\n" for line in dumps.data(routers, self._behaviour, since))
                )
            elif number == signal.SIGUSR2:
                dumps.write(said.stats_file, "".join(f"{line}\n" for line in dumps.stats(routers)))
            else:
                import json

                dumps.write(said.json_file, json.dumps(dumps.as_json(routers, since)))
        except OSError as error:
            self._log.line(f"the state could not be written: {error.strerror}")

    # -- being asked

    def _listen(self, path: str) -> None:
        try:
            self._control = Control(path, self._report)
        except OSError as error:
            self._log.line(f"{path}: `vipd status` will not work: {error.strerror}")
            return
        self._watch(self._control.fileno(), self._control.read)

    def _report(self) -> dict[str, Any]:
        routers = list(self._routers.values())
        began = _date(self._began[0])
        instances = []
        for router in routers:
            moment, reason = self._since.get(router.config.name, (self._began[0], "not-master"))
            instances.append(status.instance(router, _date(moment), reason, began))
        return {
            "vipd": {
                "version": __version__,
                "pid": os.getpid(),
                "profile": self._behaviour.name,
                "uptime-s": round(time.monotonic() - self._began[1], 3),
                "lateness": self._lateness.shown(),
                "worst-lateness-us": self._lateness.worst_ns / 1000,
            },
            "vrrp": status.totals(routers, self._ports.discards, began),
            "vrrp-instance": instances,
            "vrrp-sync-group": [
                {
                    "name": group.config.name,
                    "members": group.config.members,
                    "state": group.state.value if group.state else None,
                }
                for group in self._groups
            ],
            "tracked": [
                {"kind": kind, "name": name, "value": value} for (kind, name), value in self._watching.values.items()
            ],
        }

    # -- what is to be done

    def _acted(self, router: Router) -> None:
        """Something happened to this router."""
        if router.effects:
            self._carry_out(router)
        self._schedule.look(router)

    def _carry_out(self, router: Router) -> None:
        for effect in router.drain():
            try:
                if isinstance(effect, SendAdvert):
                    self._ports.send(router, effect)
                elif isinstance(effect, Log):
                    self._log.line(effect.text, effect.detail)
                elif isinstance(effect, AddAddresses):
                    self._ports.prepare(router)
                    for address in effect.addresses:
                        self._tried(router.config.name, self._netlink.add, address)
                    self._set_routing(router.config.name, router.config.routes, router.config.rules, present=True)
                elif isinstance(effect, RemoveAddresses):
                    whole = effect.addresses == router.config.served  # not so if a reload takes some away
                    if whole:
                        self._set_routing(router.config.name, router.config.routes, router.config.rules, present=False)
                    for address in effect.addresses:
                        self._tried(router.config.name, self._netlink.remove, address)
                    if whole:
                        self._ports.release(router)
                elif isinstance(effect, SendGratuitousArp):
                    self._ports.announce(effect)
                elif isinstance(effect, Notify):
                    self._notified(router, effect.state)
                elif isinstance(effect, NotifyOfLower):
                    hooks = router.config.hooks
                    self._notifier.tell("INSTANCE", router.config.name, "MASTER_RX_LOWER_PRI", router.priority, hooks)
            except OSError as error:
                self._log.line(f"({router.config.name}) {type(effect).__name__} failed: {error.strerror or error}")

    def _notified(self, router: Router, state: State) -> None:
        if state in _SILENT:
            return
        config, now = router.config, time.monotonic_ns()
        reason = "no-response" if state is State.MASTER else "not-master"
        if state is State.MASTER and config.priority == 255:
            reason = "priority"
        self._since[config.name] = time.time(), reason
        name = "STOP" if state is State.INITIALIZE else dumps.STATES[state][1]
        self._notifier.tell("INSTANCE", config.name, name, router.priority, config.hooks)
        for group in self._groups:
            if router in group.members and state is not State.INITIALIZE:
                before = group.state
                for other in group.changed(router, state, now):
                    self._acted(other)
                for other in group.weighed(now):
                    self._acted(other)
                if group.state is not before and group.state is not None:
                    word = dumps.STATES[group.state][1]
                    self._log.line(f"VRRP_Group({group.config.name}) Syncing instances to {word} state")
                    self._notifier.tell("GROUP", group.config.name, word, router.priority, group.config.hooks)

    def _set_routing(self, who: str, routes: Iterable[Route], rules: Iterable[Rule], present: bool) -> None:
        """Routes first and then rules that lead to them; the other way round when they go."""
        netlink = self._netlink
        steps: list[tuple[Callable[[Any], None], Any]] = []
        steps += [(lambda one: routing.route(netlink, one, present), route) for route in routes]
        steps += [(lambda one: routing.rule(netlink, one, present), rule) for rule in rules]
        for do, what in steps if present else steps[::-1]:
            self._tried(who, do, what)

    def _tried(self, who: str, do: Callable[[Any], None], what: Any) -> None:
        """Do one of several things; that one of them fails does not keep the others from being done."""
        try:
            do(what)
        except OSError as error:
            shown = (
                getattr(what, "address", None) or getattr(what, "destination", None) or f"preference {what.preference}"
            )
            self._log.line(f"({who}) {shown}: {error.strerror or error}")

    def _watch(self, descriptor: int, read: Callable[[], None]) -> None:
        self._readers[descriptor] = read
        self._epoll.register(descriptor, select.EPOLLIN)

    def _unwatch(self, descriptor: int) -> None:
        with suppress(OSError, KeyError):
            self._epoll.unregister(descriptor)
        self._readers.pop(descriptor, None)


def _date(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


_PIPE: list[int] = []


def _signal_pipe() -> int:
    """Descriptor that turns readable when a signal has come."""
    if not _PIPE:
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in _WAKE:
            signal.signal(number, lambda *_: None)
        _PIPE[:] = read, write
    return _PIPE[0]
