"""The loop around the routers: one sleep, for a packet, a change in the kernel, a signal or a deadline."""

from __future__ import annotations

import gc
import os
import select
import signal
import time
from collections.abc import Callable

from vipd.behaviour import Behaviour
from vipd.clock import Alarm
from vipd.config import Config, RouterConfig
from vipd.netlink import Netlink
from vipd.ports import Ports
from vipd.router import (
    AddAddresses,
    Log,
    RemoveAddresses,
    Router,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.syslog import Syslog
from vipd.voice import Say

_WAKE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Daemon:
    """Runs the routers of one configuration until it is told to stop."""

    def __init__(self, config: Config, behaviour: Behaviour, log: Syslog) -> None:
        self._log = log
        self._netlink = Netlink()
        self._alarm = Alarm()
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._stopped = False
        self._ports = Ports(self._netlink, log, self._watch, self._unwatch, self._carry_out)
        self._routers = [Router(router, behaviour, detail=log.detail) for router in config.routers]
        self._watch(self._netlink.fileno(), self._interfaces_changed)
        self._watch(self._alarm.fileno(), self._alarm.clear)
        self._watch(_signal_pipe(), self._signalled)
        self._ports.settle(self._routers)

    def run(self, ready: Callable[[], None]) -> None:
        """Start the routers, call `ready`, and go on until SIGTERM or SIGINT."""
        self._log.say(Say.LINKS_WATCHED)
        now = time.monotonic_ns()
        for router in self._routers:
            router.started(self._links(router.config), now)
            self._carry_out(router)
        self._ports.report()
        ready()
        gc.collect()
        gc.freeze()  # a collection that walks everything loaded so far would be a pause in the adverts
        while not self._stopped:
            self._turn()
        self._log.say(Say.STOPPING)
        now = time.monotonic_ns()
        for router in self._routers:
            router.shut_down(now)
            self._carry_out(router)
        self._ports.close()

    def _turn(self) -> None:
        deadlines = [deadline for deadline in (router.deadline() for router in self._routers) if deadline is not None]
        self._alarm.set(min(deadlines, default=None))
        # Packets that have been waiting are heard before a timer is believed: a daemon that was paused
        # must not take over from a master whose adverts lie in its queue.
        for descriptor, _ in self._epoll.poll():
            read = self._readers.get(descriptor)
            if read is not None:  # a port may have been closed since, by a report before it in this batch
                read()
        now = time.monotonic_ns()
        for router in self._routers:
            router.handle_deadline(now)
            if router.effects:
                self._carry_out(router)

    # -- what happened

    def _interfaces_changed(self) -> None:
        self._netlink.read()
        self._ports.settle(self._routers)
        now = time.monotonic_ns()
        for router in self._routers:
            for name, up in self._links(router.config).items():
                router.interface_changed(name, up, now)
            self._carry_out(router)

    def _signalled(self) -> None:
        # SIGHUP is read and ignored: reloading is not there yet, and dying of it would be worse.
        caught = os.read(_signal_pipe(), 64)
        self._stopped = any(number in (signal.SIGTERM, signal.SIGINT) for number in caught)

    def _links(self, config: RouterConfig) -> dict[str, bool]:
        """Which of a router's interfaces are up; that of the adverts needs an address to send from, too."""
        links = self._netlink.links
        up = {name: name in links and links[name].up for name in config.interfaces}
        if up.get(config.interface):
            up[config.interface] = bool(self._ports.source_of(config))
        return up

    # -- what is to be done

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
                        self._netlink.add(address)
                elif isinstance(effect, RemoveAddresses):
                    for address in effect.addresses:
                        self._netlink.remove(address)
                    self._ports.release(router)
                elif isinstance(effect, SendGratuitousArp):
                    self._ports.announce(effect)
            except OSError as error:
                self._log.line(f"({router.config.name}) {type(effect).__name__} failed: {error.strerror or error}")

    def _watch(self, descriptor: int, read: Callable[[], None]) -> None:
        self._readers[descriptor] = read
        self._epoll.register(descriptor, select.EPOLLIN)

    def _unwatch(self, descriptor: int) -> None:
        self._epoll.unregister(descriptor)
        del self._readers[descriptor]


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
