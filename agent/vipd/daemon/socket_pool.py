"""The open sockets of all routers: which interfaces they are on, and which router a packet is for."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import RouterConfig, packed
from vipd.daemon.addressees import Addressees, group_of
from vipd.daemon.readers import Readers
from vipd.kernel.accept_filter import AcceptFilter
from vipd.kernel.macvlan import Macvlans
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Link
from vipd.kernel.sockets import AdvertReceiver, AdvertSender, GarpSender
from vipd.kernel.syslog import Syslog, reason
from vipd.protocol.effects import ResolvePeers, SendAdvert, SendGratuitousArp
from vipd.protocol.log_messages import LogEvent
from vipd.protocol.packet import GROUP, GROUP6, PROTOCOL, PROTOCOL_AH, open_datagram
from vipd.protocol.router import Router
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

_BATCH = 256  # packets read before the deadlines are looked at again, however many a flood has in store
_DOWN = (errno.ENETDOWN, errno.ENETUNREACH, errno.EADDRNOTAVAIL)
_AGAIN_NS, _LAST_DELAY_NS = SECOND_NS, 64 * SECOND_NS
_AH_LENGTH = 24
_IHL_20 = 0x45  # IPv4, a header without options
_TTL_255_VRRP = b"\xff\x70"


class SocketKey(NamedTuple):
    """The interface, family and protocol of a receiver."""

    interface: str
    family: int
    protocol: int


class SocketPool:
    """The sockets of all routers.

    Attributes:
        discards: packets that never got to a router, by reason; each router counts those that it refused.
    """

    def __init__(
        self,
        netlink: Netlink,
        log: Syslog,
        readers: Readers,
        run_effects: Callable[[Router], None],
        changed: Callable[[], None],
        mark: str,
    ) -> None:
        """Remove the packet filter of an earlier daemon; open no socket yet.

        Args:
            netlink: knows the interfaces.
            log: for sockets that cannot be opened.
            readers: calls back when a descriptor is readable.
            run_effects: carries out the effects of a router.
            changed: is called when a router has lost a socket, and when it may have got one again.
            mark: marks in the kernel what this daemon makes, so that it leaves alone what others make.
        """
        self.discards = dict.fromkeys(Discard, 0)
        self._netlink = netlink
        self._log = log
        self._readers = readers
        self._run_effects = run_effects
        self._changed = changed
        self._garp_sender = GarpSender()
        self._macvlans = Macvlans(netlink, mark)
        self._without_macvlan: set[str] = set()
        self._accept_filter = AcceptFilter(mark)
        self._accept_filter.clear()
        self._receivers: dict[SocketKey, AdvertReceiver] = {}
        self._senders: dict[tuple[str, int], AdvertSender] = {}
        self._sender_of: dict[Router, AdvertSender] = {}
        self._addressees: dict[SocketKey, Addressees] = {}
        self._deaf: set[str] = set()
        self._mute: set[str] = set()
        self._again_ns: int | None = None
        self._delay_ns = _AGAIN_NS

    def update(self, routers: Iterable[Router]) -> None:
        """Open the sockets that these routers need, close all others, and give each router its primary address.

        Called when the routers change, and when netlink reports something.
        """
        routers = list(routers)
        wanted: dict[SocketKey, list[Router]] = {}
        for router in routers:
            config = router.config
            key = SocketKey(config.interface, config.family, PROTOCOL_AH if config.auth_type == 2 else PROTOCOL)
            wanted.setdefault(key, []).append(router)
        self._addressees = {key: Addressees(there) for key, there in wanted.items()}
        for key in [*self._receivers]:
            if key not in wanted or not self._is_good(key):
                self._close(key)
        self._again_ns = time.monotonic_ns() + _AGAIN_NS  # in case that something below raises
        self._update_macvlans(routers)
        virtual = {one.octets for router in routers if router.config.priority != 255 for one in router.config.served}
        for router in routers:
            router.primary = self._source_of(router.config, virtual)
        self._deaf.clear()
        for key, there in wanted.items():
            link = self._netlink.links.get(key.interface)
            if link is not None:
                self._deaf.update(self._listen(key, link, there))
        self._update_senders(routers)
        if not (self._deaf or self._mute or self._without_macvlan) and self._is_filtered(routers):
            self._again_ns = None

    def serves(self, router: Router) -> bool:
        """Whether a router has the sockets that it needs, as far as its interface is there."""
        name = router.config.name
        return name not in self._deaf and name not in self._mute

    def is_up(self, router: Router) -> bool:
        """Whether the interface of a router's adverts is up."""
        link = self._netlink.links.get(router.config.interface)
        return link is not None and link.up

    def deadline(self) -> int | None:
        """When to look again for sockets that could not be opened."""
        return self._again_ns

    def handle_deadline(self, now: int) -> None:
        """Look for them again."""
        if self._again_ns is not None and now >= self._again_ns:
            self.update([router for there in self._addressees.values() for router in there])
            self._changed()

    def send(self, router: Router, advert: SendAdvert) -> None:
        """Send an advert.

        Raises:
            OSError: the interface is down or gone.
        """
        sender = self._sender_of.get(router) or self._sender(router)
        try:
            sender.send(advert.datagram, router.primary, advert.destination)
        except OSError as error:
            if not router.config.use_vmac or error.errno not in _DOWN:
                raise
            self._set_macvlan(router.config, up=True)
            sender.send(advert.datagram, router.primary, advert.destination)

    def probe(self, router: Router, advert: SendAdvert) -> None:
        """Do what can be done of sending an advert without sending it."""
        sender = self._sender_of.get(router)
        if sender is not None:
            with suppress(OSError, MemoryError):
                sender.probe(advert.datagram, router.primary, advert.destination)

    def announce(self, effect: SendGratuitousArp) -> None:
        """Send gratuitous ARP and unsolicited neighbour adverts.

        Raises:
            OSError: some could not be sent, since their interface is down; the others have been.
        """
        failed: OSError | None = None
        for _ in range(effect.repeat):
            for address in effect.addresses:
                link = self._netlink.links.get(address.device)
                try:
                    if link is not None:
                        self._garp_sender.send(link, address.octets)
                except OSError as error:
                    failed = OSError(error.errno, f"{address.address} on {address.device}: {error.strerror}")
        if failed is not None:
            raise failed

    def resolve(self, router: Router, effect: ResolvePeers) -> None:
        """Announce a router's own address on its interface, and have its peers looked up; a peer may be away.

        Raises:
            OSError: the interface is down.
        """
        config = router.config
        link = self._netlink.links.get(config.interface)
        if link is None or not router.primary:
            return
        for peer in effect.peers:
            with suppress(OSError):
                self._netlink.resolve(link, packed(peer))
        self._garp_sender.send(link, router.primary.to_bytes(4 if config.family == 4 else 16, "big"))

    def prepare(self, router: Router) -> None:
        """Filter packets that a router must not accept, and raise its macvlan, before its addresses are added."""
        wanted = () if router.accepts else [address.octets for address in router.config.served]
        try:
            self._accept_filter.update(router.config.name, wanted)
        except OSError as error:  # an address that answers too much is better than none
            self._log.failure(f"({router.config.name}) packets for its addresses are accepted: {reason(error)}")
        try:
            self._set_macvlan(router.config, up=True)
        except OSError as error:  # its interface is down; `update` comes with the report that it is up
            self._log.failure(f"({router.config.name}) {router.config.vmac_name} is not up: {reason(error)}")

    def release(self, router: Router) -> None:
        """Take the macvlan down and the filter away after a router's addresses: a backup takes no frames.

        Raises:
            OSError: the kernel refuses it.
        """
        try:
            self._set_macvlan(router.config, up=False)
        finally:
            self._accept_filter.update(router.config.name, ())

    def report(self) -> None:
        """Log the open sockets."""
        for key, receiver in self._receivers.items():
            group = GROUP if key.family == 4 else GROUP6
            self._log.event(
                LogEvent.SOCKET_OPENED,
                ifindex=receiver.ifindex,
                protocol=key.protocol,
                descriptor=receiver.fileno(),
                family=f"IPv{key.family}",
                group=group,
            )

    def close(self) -> None:
        """Close everything, and remove the macvlans."""
        for key in [*self._receivers]:
            self._close(key)
        for sender in self._senders.values():
            sender.close()
        self._senders.clear()
        self._sender_of.clear()
        for name, error in self._macvlans.remove().items():
            self._log.failure(f"{name} could not be removed: {reason(error)}")

    # -- opening and closing

    def _is_filtered(self, routers: list[Router]) -> bool:
        """Filter nothing for routers of other names; returns whether the filter is what it should be."""
        try:
            self._accept_filter.keep({router.config.name for router in routers})
        except OSError as error:
            self._log.failure(f"the filter of packets for addresses: {reason(error)}")
            return False
        return True

    def _set_macvlan(self, config: RouterConfig, up: bool) -> None:
        link = self._macvlans.of(config)
        if link is not None:
            self._netlink.raise_link(link, up)

    def _update_macvlans(self, routers: list[Router]) -> None:
        """Make and remove them, and raise those of masters that somebody, or the interface below, took down."""
        failed = self._macvlans.update(router.config for router in routers)
        for name in failed.keys() - self._without_macvlan:
            self._log.failure(f"{name}: {reason(failed[name])}")
        self._without_macvlan = set(failed)
        for router in routers:
            link = self._macvlans.of(router.config) if router.state is State.MASTER else None
            if link is not None and not link.raised:
                with suppress(OSError):
                    self._netlink.raise_link(link, up=True)

    def _is_good(self, key: SocketKey) -> bool:
        link = self._netlink.links.get(key.interface)
        return link is not None and link.ifindex == self._receivers[key].ifindex

    def _listen(self, key: SocketKey, link: Link, routers: list[Router]) -> list[str]:
        """Open the receiver of these routers, have it join their groups; returns the names of those who hear nobody."""
        try:
            if key not in self._receivers:
                self._open(key, link, max(router.config.receive_buffer for router in routers))
        except (OSError, MemoryError) as error:
            self._log.failure(f"no socket on {link.name}: {reason(error)}; its instances are in FAULT")
            return [router.config.name for router in routers]
        groups = {router.config.name: group_of(router.config) for router in routers}
        refused = self._receivers[key].join(group for group in groups.values() if group is not None)
        deaf = [name for name, group in groups.items() if group in refused]
        if deaf:
            why = reason(next(iter(refused.values())))
            self._log.failure(f"a multicast group on {link.name}: {why}; {', '.join(deaf)} in FAULT")
        return deaf

    def _open(self, key: SocketKey, link: Link, buffer: int) -> None:
        receiver = AdvertReceiver(link, key.family, key.protocol, buffer)
        receive = self._receive_4 if key.family == 4 else self._receive_6

        def read() -> None:
            try:
                receive(key, receiver)
                self._delay_ns = _AGAIN_NS
            except (OSError, MemoryError) as error:
                self._log.failure(f"receiving on {key.interface}: {reason(error)}; its instances are in FAULT")
                self._lost(key)

        try:
            self._readers.watch(receiver.fileno(), read)
        except (OSError, MemoryError):
            receiver.close()
            raise
        self._receivers[key] = receiver

    def _lost(self, key: SocketKey) -> None:
        """Give up a receiver that does not receive; another one is opened after a while."""
        self._close(key)
        self._deaf.update(router.config.name for router in self._addressees[key])
        self._again_ns = time.monotonic_ns() + self._delay_ns
        self._delay_ns = min(2 * self._delay_ns, _LAST_DELAY_NS)
        self._changed()

    def _close(self, key: SocketKey) -> None:
        receiver = self._receivers.pop(key)
        self._readers.unwatch(receiver.fileno())
        receiver.close()

    def _source_of(self, config: RouterConfig, virtual: set[bytes]) -> int:
        """The address that a router sends from, 0 if there is none: never any router's virtual one but an owner's."""
        if config.source is not None:
            return int.from_bytes(packed(config.source), "big")
        link = self._netlink.links.get(config.interface)
        if link is None:
            return 0
        known = self._netlink.picture.sources(link.ifindex, config.family)
        size = 4 if config.family == 4 else 16
        return next((address for address in known if address.to_bytes(size, "big") not in virtual), 0)

    def _update_senders(self, routers: list[Router]) -> None:
        """Close the senders that no router uses, and open those that are missing: a takeover must not wait for one."""
        used = {(_sending_interface(router.config), router.config.family) for router in routers}
        for key, sender in [*self._senders.items()]:
            link = self._netlink.links.get(key[0])
            if key not in used or link is None or link.ifindex != sender.ifindex:
                sender.close()
                del self._senders[key]
        self._sender_of.clear()
        self._mute.clear()
        for router in routers:
            if self._sending_link(router.config) is not None:
                try:
                    self._sender(router)
                except (OSError, MemoryError) as error:
                    self._log.failure(f"({router.config.name}) no socket to send from: {reason(error)}; in FAULT")
                    self._mute.add(router.config.name)

    def _sender(self, router: Router) -> AdvertSender:
        name, family = _sending_interface(router.config), router.config.family
        sender = self._senders.get((name, family))
        if sender is None:
            link = self._sending_link(router.config)
            if link is None:
                raise OSError(errno.ENODEV, f"there is no interface {name}")
            sender = self._senders[name, family] = AdvertSender(link, family)
        self._sender_of[router] = sender
        return sender

    def _sending_link(self, config: RouterConfig) -> Link | None:
        if config.use_vmac and not config.vmac_xmit_base:
            return self._macvlans.of(config)
        return self._netlink.links.get(config.interface)

    # -- receiving

    def _receive_4(self, key: SocketKey, receiver: AdvertReceiver) -> None:
        addressees = self._addressees[key]
        for turn in range(_BATCH):  # the first was there when the loop was woken; the others may have come since
            frame = receiver.frame()
            if frame is None:
                return
            now = time.monotonic_ns() if turn else self._readers.woken_ns
            # The common case, before anything is taken apart: the master's advert, the same as an interval ago.
            plain = len(frame) > 28 and frame[0] == _IHL_20 and frame[8:10] == _TTL_255_VRRP
            octets = frame[12:] if plain else None
            router = addressees.single.get(frame[21]) if plain else None
            if router is not None:
                router.queued_ns = self._readers.woken_ns
                if router.advert_repeated(octets, now):
                    if router.effects:
                        self._run_effects(router)
                    continue
            self._read_4(addressees, frame, octets, now)

    def _read_4(self, addressees: Addressees, frame: bytes, octets: bytes | None, now: int) -> None:
        datagram = open_datagram(frame)
        if isinstance(datagram, Discard):
            self.discards[datagram] += 1
            return
        at = _AH_LENGTH + 1 if datagram.header[9] == PROTOCOL_AH else 1
        vrid = int.from_bytes(datagram.payload[at : at + 1], "big")
        router = addressees.find(vrid, datagram.source, datagram.destination)
        if router is None:
            self.discards[Discard.VRID] += 1
            return
        router.queued_ns = self._readers.woken_ns
        router.advert_received(
            datagram.payload, datagram.source, datagram.ttl, now, datagram.destination, datagram.header, octets
        )
        self._run_effects(router)

    def _receive_6(self, key: SocketKey, receiver: AdvertReceiver) -> None:
        addressees = self._addressees[key]
        for turn in range(_BATCH):
            received = receiver.datagram()
            if received is None:
                return
            now = time.monotonic_ns() if turn else self._readers.woken_ns
            source = int.from_bytes(packed(received.source), "big")
            vrid = int.from_bytes(received.payload[1:2], "big")
            router = addressees.find(vrid, source, received.destination)
            if router is None:
                self.discards[Discard.VRID] += 1
                continue
            router.queued_ns = self._readers.woken_ns
            if not router.advert_repeated(received, now):
                router.advert_received(
                    received.payload, source, received.hop_limit, now, received.destination, octets=received
                )
            if router.effects:
                self._run_effects(router)


def _sending_interface(config: RouterConfig) -> str:
    return config.vmac_name if config.use_vmac and not config.vmac_xmit_base else config.interface
