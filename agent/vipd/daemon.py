"""The loop around the routers: one sleep, for a packet, a change in the kernel, a signal or a deadline."""

from __future__ import annotations

import gc
import os
import select
import signal
import time
from collections.abc import Callable
from itertools import islice

from vipd.behaviour import Behaviour
from vipd.clock import Alarm
from vipd.config import Config, RouterConfig
from vipd.discard import Discard
from vipd.netlink import Link, Netlink
from vipd.packet import GROUP, PROTOCOL, open_datagram
from vipd.router import (
    AddAddresses,
    Log,
    RemoveAddresses,
    Router,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.syslog import Syslog
from vipd.transport import ArpSocket, Port
from vipd.voice import Say

_BATCH = 256  # packets read before the deadlines are looked at again, however many a flood has in store
_WAKE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Daemon:
    """Runs the routers of one configuration until it is told to stop.

    Attributes:
        discards: packets that never got to a router, by reason; each router counts those that it refused.
    """

    def __init__(self, config: Config, behaviour: Behaviour, log: Syslog) -> None:
        self._behaviour = behaviour
        self._log = log
        self._netlink = Netlink()
        self._arp = ArpSocket()
        self._alarm = Alarm()
        self._ports: dict[str, Port] = {}
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._stopped = False
        self.discards = dict.fromkeys(Discard, 0)
        self._routers = [Router(router, behaviour) for router in config.routers]
        self._by_vrid: dict[tuple[str, int], Router] = {
            (router.config.interface, router.config.vrid): router for router in self._routers
        }
        self._watch(self._netlink.fileno(), self._interfaces_changed)
        self._watch(self._alarm.fileno(), self._alarm.clear)
        self._watch(_signal_pipe(), self._signalled)
        self._settle_ports()

    def run(self, ready: Callable[[], None]) -> None:
        """Start the routers, call `ready`, and go on until SIGTERM or SIGINT."""
        self._log.say(Say.LINKS_WATCHED)
        now = time.monotonic_ns()
        for router in self._routers:
            router.started(self._links(router.config), now)
            self._carry_out(router)
        self._report_sockets()
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

    def _read_port(self, name: str, port: Port) -> None:
        now = time.monotonic_ns()
        for frame in islice(port.frames(), _BATCH):
            datagram = open_datagram(frame)
            if isinstance(datagram, Discard):
                self.discards[datagram] += 1
                continue
            router = self._by_vrid.get((name, int.from_bytes(datagram.payload[1:2], "big")))
            if router is None:
                self.discards[Discard.VRID] += 1
                continue
            router.advert_received(datagram.payload, datagram.source, datagram.ttl, now)
            self._carry_out(router)

    def _interfaces_changed(self) -> None:
        self._netlink.read()
        self._settle_ports()
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
        if up[config.interface]:
            up[config.interface] = bool(self._netlink.primaries.get(links[config.interface].ifindex))
        return up

    def _settle_ports(self) -> None:
        """Have a port on each interface that is there, with its present index, and tell routers their address."""
        for router in self._routers:
            name = router.config.interface
            link, port = self._netlink.links.get(name), self._ports.get(name)
            if port is not None and (link is None or link.ifindex != port.ifindex):
                self._epoll.unregister(port.fileno())
                del self._readers[port.fileno()]
                port.close()
                del self._ports[name]
                port = None
            if link is not None:
                router.primary = next(iter(self._netlink.primaries.get(link.ifindex, ())), 0)
                if port is None:
                    self._open_port(link)

    def _open_port(self, link: Link) -> None:
        try:
            port = Port(link, self._behaviour.tos)
        except OSError as error:  # it has gone since; netlink says so, too
            self._log.line(f"no socket on {link.name}: {error.strerror}")
            return
        self._ports[link.name] = port
        self._watch(port.fileno(), lambda: self._read_port(link.name, port))

    def _report_sockets(self) -> None:
        for port in self._ports.values():
            self._log.say(
                Say.SOCKET_OPENED, ifindex=port.ifindex, protocol=PROTOCOL, descriptor=port.fileno(), group=GROUP
            )

    # -- what is to be done

    def _carry_out(self, router: Router) -> None:
        for effect in router.drain():
            try:
                if isinstance(effect, SendAdvert):
                    port = self._ports.get(router.config.interface)
                    if port is not None:
                        port.send(effect.packet, router.primary)
                elif isinstance(effect, Log):
                    self._log.line(effect.text, effect.detail)
                elif isinstance(effect, AddAddresses):
                    for address in effect.addresses:
                        self._netlink.add(address)
                elif isinstance(effect, RemoveAddresses):
                    for address in effect.addresses:
                        self._netlink.remove(address)
                elif isinstance(effect, SendGratuitousArp):
                    self._announce(effect)
            except OSError as error:
                self._log.line(f"({router.config.name}) {type(effect).__name__} failed: {error.strerror or error}")

    def _announce(self, effect: SendGratuitousArp) -> None:
        for _ in range(effect.repeat):
            for address in effect.addresses:
                link = self._netlink.links.get(address.device)
                if link is not None:
                    self._arp.announce(link, address.octets)

    def _watch(self, descriptor: int, read: Callable[[], None]) -> None:
        self._readers[descriptor] = read
        self._epoll.register(descriptor, select.EPOLLIN)


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
