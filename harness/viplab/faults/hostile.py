"""What somebody else sends on a network: by mistake, or to take the address."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address

from viplab.address_family import IPV4, IPV6, AddressFamily, checksum
from viplab.addresses import link_local
from viplab.faults.injection import ByStranger, Wires
from viplab.faults.kind import FaultKind, Heard, Need, Sign
from viplab.faults.target import ForeignAdvert, Spoof

STRANGER_MAC = "52:54:00:10:66:66"
STRANGER_IP = "10.10.10.66"
_PROTOCOL = 112


def _multicast(family: AddressFamily, ttl: int, message: bytes, *, pseudo_header: bool = False) -> bytes:
    """A message to VRRP's group with its sum put in, which adverts of each version and CARP have at octet 6."""
    ends = STRANGER_IP if family is IPV4 else link_local(STRANGER_MAC), family.vrrp_group
    counted = family.pseudo_header(ends, _PROTOCOL, len(message)) if pseudo_header else b""
    message = message[:6] + struct.pack("!H", checksum(counted + message)) + message[8:]
    return family.datagram((STRANGER_MAC, family.vrrp_group_mac), ends, _PROTOCOL, ttl, message)


def _adverts(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    """RFC 3768, section 5.1, without authentication; RFC 9568, section 5.1; both with an interval of one second."""
    router = wires.router
    vrid = target.virtual_router_id or router.virtual_router_id
    # In seconds, behind a type of authentication that is 0; or in hundredths.
    interval, authentication = (1, bytes(8)) if router.version == 2 else (100, b"")
    head = (router.version << 4 | 1, vrid, target.priority, len(router.addresses), interval, 0)
    addresses = b"".join(ip_address(address).packed for address in router.addresses)
    message = struct.pack("!BBBBHH", *head) + addresses + authentication
    return [_multicast(router.family, target.ttl, message, pseudo_header=router.version == 3)]


def _announcements(target: Spoof, wires: Wires) -> Sequence[bytes]:
    return wires.router.family.announcements(STRANGER_MAC, wires.router.vip)


def _carp(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    vrid = target.virtual_router_id or wires.router.virtual_router_id
    # Version 2, type 1; vhid, advskew, length of the authentication, pad, advbase, checksum; counter and digest.
    return [_multicast(IPV4, target.ttl, bytes((0x21, vrid, 255 - target.priority, 7, 0, 1, 0, 0, *bytes(28))))]


def _spoofed(name: str, family: AddressFamily, need: Need) -> FaultKind:
    return FaultKind(
        name=name,
        sentence=f"A stranger on the public network announces the VIP as its own, by {family.announcement}.",
        words="a stranger announces the VIP",
        healed="the stranger is gone",
        target=Spoof,
        injection=ByStranger("public", _announcements),
        signs=(Sign.FRAMES_SENT,),
        needs=frozenset({need}),
    )


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
    _spoofed("arp_spoofed", IPV4, Need.IPV4),
    _spoofed("nd_spoofed", IPV6, Need.IPV6),
)
