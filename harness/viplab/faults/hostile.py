"""What somebody else sends on a network: by mistake, or to take the address."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address

from viplab.address_family import IPV4, AddressFamily, checksum
from viplab.addresses import link_local
from viplab.faults.injection import ByStranger, Wires
from viplab.faults.kind import FaultKind, Heard, Need, Sign
from viplab.faults.target import ForeignAdvert, Spoof

STRANGER_MAC = "52:54:00:10:66:66"
STRANGER_IP = "10.10.10.66"
_PROTOCOL = 112


def _address(family: AddressFamily) -> str:
    return STRANGER_IP if family is IPV4 else link_local(STRANGER_MAC)


def _multicast(family: AddressFamily, ttl: int, body: bytes) -> bytes:
    ends = _address(family), family.vrrp_group
    return family.datagram((STRANGER_MAC, family.vrrp_group_mac), ends, _PROTOCOL, ttl, body)


def _adverts(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    """RFC 3768, section 5.1, without authentication; RFC 9568, section 5.1; both with an interval of one second."""
    router, family = wires.router, wires.router.family
    addresses = [ip_address(address).packed for address in router.addresses]
    vrid = target.virtual_router_id or router.virtual_router_id
    head = bytes((router.version << 4 | 1, vrid, target.priority, len(addresses)))
    interval, authentication = (b"\x00\x01", bytes(8)) if router.version == 2 else (b"\x00\x64", b"")
    rest = b"".join(addresses) + authentication
    covered = head + interval + bytes(2) + rest
    if router.version == 3:
        ends = _address(family), family.vrrp_group
        covered = family.pseudo_header(ends, _PROTOCOL, len(covered)) + covered
    return [_multicast(family, target.ttl, head + interval + struct.pack("!H", checksum(covered)) + rest)]


def _announcements(target: Spoof, wires: Wires) -> Sequence[bytes]:
    return wires.router.family.announcements(STRANGER_MAC, wires.router.vip)


def _carp(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    vrid = target.virtual_router_id or wires.router.virtual_router_id
    # Version 2, type 1; vhid, advskew, length of the authentication, pad, advbase, checksum; counter and digest.
    body = bytearray((0x21, vrid, 255 - target.priority, 7, 0, 1, 0, 0, *bytes(28)))
    body[6:8] = struct.pack("!H", checksum(bytes(body)))
    return [_multicast(IPV4, target.ttl, bytes(body))]


KINDS = (
    FaultKind(
        name="foreign_adverts",
        sentence="A stranger on the interconnect advertises the same virtual router, once a second or as a flood.",
        words="a stranger advertises the virtual router",
        healed="the stranger is gone",
        target=ForeignAdvert,
        injection=ByStranger("interconnect", _adverts),
        heard=Heard.UNKNOWN,
        signs=(Sign.FRAMES_SENT,),
    ),
    FaultKind(
        name="foreign_carp",
        sentence="A stranger on the interconnect speaks CARP, which has VRRP's protocol number, under the same id.",
        words="a stranger speaks CARP",
        healed="the stranger is gone",
        target=ForeignAdvert,
        injection=ByStranger("interconnect", _carp),
        signs=(Sign.FRAMES_SENT,),
        needs=frozenset({Need.IPV4}),
    ),
    FaultKind(
        name="arp_spoofed",
        sentence="A stranger on the public network announces the VIP as its own, by gratuitous ARP.",
        words="a stranger announces the VIP",
        healed="the stranger is gone",
        target=Spoof,
        injection=ByStranger("public", _announcements),
        signs=(Sign.FRAMES_SENT,),
        needs=frozenset({Need.IPV4}),
    ),
    FaultKind(
        name="nd_spoofed",
        sentence="The same over IPv6, by unsolicited neighbour advertisements that override what the client knows.",
        words="a stranger announces the VIP",
        healed="the stranger is gone",
        target=Spoof,
        injection=ByStranger("public", _announcements),
        signs=(Sign.FRAMES_SENT,),
        needs=frozenset({Need.IPV6}),
    ),
)
