"""Encodes the adverts that one router sends and checks those that it receives: version, family, authentication, peers.

A master repeats the same octets every interval, so both ways are cached: adverts to send are built once, and the last
accepted one is known by its octets. Adverts with an authentication header carry a sequence number and are never cached.
"""

from __future__ import annotations

from collections.abc import Iterable

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig, packed
from vipd.protocol import packet_v2, packet_v3
from vipd.protocol.effects import SendAdvert
from vipd.protocol.packet import (
    GROUPS,
    NO_AUTH,
    PRIORITY_OWNER,
    PROTOCOL,
    PROTOCOL_AH,
    TTL,
    Advert,
    ChecksumForm,
    addresses_of,
    ipv4_header,
    ipv6_header,
    is_unicast,
)
from vipd.protocol.validation import Discard, Remark

AUTH_NONE, AUTH_PASS, AUTH_AH = 0, 1, 2
_LINK_LOCAL = 0xFE80 >> 6


class AdvertCodec:
    """Builds the adverts of one router and reads those of others.

    Attributes:
        remarks: what was remarked on the last advert that was read.
        known: octets of the last accepted advert, if the same octets always get the same result; None otherwise.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour) -> None:
        self.remarks: list[Remark] = []
        self.known: object = None
        self._config = config
        self._family = config.family
        self._versions = (3, 2) if config.dual and config.family == 4 else (config.wire_version,)
        self._listens = _listens(config, behaviour)
        self._tos = behaviour.tos
        self._unicast = bool(config.unicast_peers)
        peers = [int.from_bytes(packed(peer), "big") for peer in config.unicast_peers]
        group = int.from_bytes(packed(config.group), "big") if config.group else GROUPS[self._family]
        self._group = group
        self._destinations = tuple(peers) or (group,)
        self._sources = frozenset(peers) if config.check_unicast_src else None
        self._ttl_ranges = dict(zip(peers, config.unicast_ttl_ranges)) if self._unicast else {}
        self._any_ttl = (0, 255) if self._unicast else (TTL, TTL)
        self._ttl = config.unicast_ttl if self._unicast else TTL
        self._octets = b"".join(address.octets for address in config.addresses)
        self._expected = sorted(addresses_of(self._octets, self._family))
        self._auth_type = config.auth_type if self._versions == (2,) else AUTH_NONE
        self._auth_data = config.auth_pass[:8].ljust(8, b"\0") if self._auth_type == AUTH_PASS else NO_AUTH
        self._seal = None
        if self._auth_type == AUTH_AH:
            from vipd.protocol.ah import AuthenticationHeader  # hmac takes milliseconds to import, and few need it

            self._seal = AuthenticationHeader(config.auth_pass, self._tos, self._ttl)
        wants_message = config.message_only_checksum
        message_only = behaviour.message_only_checksum if wants_message is None else wants_message
        self._form = ChecksumForm.MESSAGE if message_only and self._family == 4 else ChecksumForm.PSEUDO_HEADER
        strict = config.link_local_first
        self._link_local_first = behaviour.link_local_first if strict is None else strict
        self._source = 0
        self._kept: dict[int, tuple[SendAdvert, ...]] = {}
        self._version_3_heard: dict[int, int] = {}
        self._stateless = self._seal is None and len(self._versions) == 1

    @property
    def source(self) -> int:
        """Address that adverts are sent from; they cannot be sent before it is known."""
        return self._source

    @source.setter
    def source(self, source: int) -> None:
        if source != self._source:
            self._source = source
            self._kept.clear()

    @property
    def spent(self) -> bool:
        """The sequence numbers of the authentication header are used up (V2-AUTH-09)."""
        return self._seal is not None and self._seal.spent

    def renew(self) -> None:
        """Start again with the first sequence number."""
        if self._seal is not None:
            self._seal.sequence = 0

    def resume_from(self, old: AdvertCodec) -> None:
        """Go on where another one stopped: peers take no sequence number twice."""
        self._version_3_heard = old._version_3_heard
        if self._seal is not None and old._seal is not None:
            self._seal.sequence = old._seal.sequence

    # -- sending

    def prepare(self, priority: int) -> None:
        """Build the adverts for another priority or source, so that a takeover does not wait for it."""
        self.known = None  # it was compared with the old ones
        if self._seal is None and self._source:
            self.adverts(priority)

    def adverts(self, priority: int) -> tuple[SendAdvert, ...]:
        """The adverts of one interval: one for each version and destination."""
        if self._seal is not None:
            return tuple(self._sealed(priority))
        kept = self._kept.get(priority)
        if kept is None:
            kept = self._kept[priority] = tuple(self._built(priority))
        return kept

    def _built(self, priority: int) -> Iterable[SendAdvert]:
        for version in self._versions:
            for destination in self._destinations:
                packet = self._message(version, priority, destination)
                if self._family == 4:
                    ip = ipv4_header(self._source, destination, len(packet), PROTOCOL, self._tos, self._ttl, 0)
                else:
                    ip = ipv6_header(self._source, destination, len(packet), self._tos, self._ttl)
                yield SendAdvert(priority, packet, destination, ip + packet)

    def _sealed(self, priority: int) -> Iterable[SendAdvert]:
        assert self._seal is not None
        for destination in self._destinations:
            datagram = self._seal.seal(self._message(2, priority, destination), self._source, destination)
            yield SendAdvert(priority, datagram[20:], destination, datagram)

    def _message(self, version: int, priority: int, destination: int) -> bytes:
        config = self._config
        advert = Advert(version, config.vrid, priority, config.advert_int_ns, self._octets)
        if version == 2:
            return packet_v2.encode(advert._replace(auth_type=self._auth_type, auth_data=self._auth_data))
        return packet_v3.encode(advert._replace(form=self._form), self._family, self._source, destination)

    # -- receiving

    def read(
        self,
        payload: bytes,
        source: int,
        ttl: int,
        destination: int,
        header: bytes,
        own_priority: int,
        now: int,
        octets: object,
    ) -> Advert | Discard:
        """Do the checks of RFC 3768 and RFC 9568, section 7.1, in their order; the first that fails is returned."""
        if not destination:
            destination = self._source if self._unicast else self._group
        lowest, highest = self._ttl_ranges.get(source, self._any_ttl)
        if not lowest <= ttl <= highest:
            return Discard.TTL
        # RFC 3768 section 5.2.2 and RFC 9568 section 5.1.1.2; one with peers hears what is sent to a host alone.
        if not (is_unicast(destination, self._family) if self._unicast else destination == self._group):
            return Discard.DESTINATION
        if self._sources is not None and source not in self._sources:
            return Discard.PEER
        sealed = len(header) > 9 and header[9] == PROTOCOL_AH
        if sealed != (self._seal is not None):
            return Discard.AUTH_TYPE
        if self._seal is not None:
            opened = self._seal.open(header, payload)
            if isinstance(opened, Discard):
                return opened
            payload = opened
        advert = self._decoded(payload, source, destination)
        if isinstance(advert, Discard):
            return advert
        if advert.vrid != self._config.vrid:
            return Discard.VRID
        if source == self._source and advert.priority == own_priority:
            return Discard.LOOPED
        if self._config.priority == PRIORITY_OWNER and not self._listens:
            return Discard.OWNER
        self.remarks.clear()
        checked = self._checked(advert, source, own_priority, now)
        if not isinstance(checked, Discard):
            self.known = octets if self._stateless and not self.remarks else None
        return checked

    def _decoded(self, payload: bytes, source: int, destination: int) -> Advert | Discard:
        version = payload[0] >> 4 if payload else self._versions[0]
        if len(payload) >= 8 and version not in self._versions:
            return Discard.VERSION
        if version == 2:
            return packet_v2.decode(payload)
        return packet_v3.decode(payload, self._family, source, destination)

    def _checked(self, advert: Advert, source: int, own_priority: int, now: int) -> Advert | Discard:
        """Do the checks that depend on the version: what version 2 discards for, version 3 remarks on."""
        same_interval = advert.advert_int_ns == self._config.advert_int_ns
        same_addresses = (
            advert.addresses == self._octets or sorted(addresses_of(advert.addresses, self._family)) == self._expected
        )
        if advert.version == 2:
            if advert.auth_type != self._auth_type:
                return Discard.AUTH_TYPE
            if self._auth_type == AUTH_PASS and advert.auth_data != self._auth_data:
                return Discard.AUTH_DATA
            if len(self._versions) > 1:
                return self._of_both(advert, source, now)
            if not same_interval:
                return Discard.INTERVAL
            if not same_addresses and advert.priority != PRIORITY_OWNER and not self._config.skip_address_check:
                return Discard.ADDRESSES
            return advert
        if len(self._versions) > 1:
            self._version_3_heard = {source: now + self._config.down_timer_adverts * advert.advert_int_ns}
        if self._family == 6 and int.from_bytes(advert.addresses[:2], "big") >> 6 != _LINK_LOCAL:
            if self._link_local_first:
                return Discard.FIRST_ADDRESS
            self.remarks.append(Remark.FIRST_ADDRESS)
        if not same_interval:
            self.remarks.append(Remark.INTERVAL)
        if not same_addresses:
            self.remarks.append(Remark.ADDRESSES)
        if advert.form is ChecksumForm.GROUP_HEADER:
            self.remarks.append(Remark.GROUP_CHECKSUM)
        if self._config.priority == PRIORITY_OWNER:
            self.remarks.append(Remark.TWO_OWNERS if advert.priority == PRIORITY_OWNER else Remark.OWNER)
        elif advert.priority == own_priority:
            self.remarks.append(Remark.EQUAL_PRIORITY)
        return advert

    def _of_both(self, advert: Advert, source: int, now: int) -> Advert | Discard:
        """Discard version 2 from a sender of both versions (RFC 9568 section 8.4.2)."""
        return Discard.SUPERSEDED if now < self._version_3_heard.get(source, 0) else advert


def _listens(config: RouterConfig, behaviour: Behaviour) -> bool:
    """Whether an owner processes adverts of others: by RFC 3768 no, by erratum 8298 to RFC 9568 yes."""
    if config.owner_ignore_adverts is not None:
        return not config.owner_ignore_adverts
    return behaviour.owner_listens or config.wire_version == 3
