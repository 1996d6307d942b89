"""What somebody else sends on a network: by mistake, or to take the address."""

from __future__ import annotations

from collections.abc import Sequence

from viplab.faults.injection import ByStranger, Wires
from viplab.faults.kind import FaultKind, Heard, Need, Sign
from viplab.faults.target import ForeignAdvert, Spoof

STRANGER_MAC = "52:54:00:10:66:66"
STRANGER_IP = "10.10.10.66"


def _adverts(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    from scapy.layers.inet import IP
    from scapy.layers.l2 import Ether
    from scapy.layers.vrrp import VRRP

    vrid = target.virtual_router_id or wires.virtual_router_id
    head = Ether(src=STRANGER_MAC, dst="01:00:5e:00:00:12") / IP(
        src=STRANGER_IP, dst="224.0.0.18", ttl=target.ttl, tos=0xC0
    )
    advert = VRRP(version=2, vrid=vrid, priority=target.priority, adv=1, addrlist=[wires.vip], auth1=0, auth2=0)
    return [bytes(head / advert)]


def _announcements(target: Spoof, wires: Wires) -> Sequence[bytes]:
    from scapy.layers.l2 import ARP, Ether

    frame = Ether(src=STRANGER_MAC, dst="ff:ff:ff:ff:ff:ff")
    return [bytes(frame / ARP(op=op, hwsrc=STRANGER_MAC, psrc=wires.vip, pdst=wires.vip)) for op in (1, 2)]


def _carp(target: ForeignAdvert, wires: Wires) -> Sequence[bytes]:
    from scapy.layers.inet import IP
    from scapy.layers.l2 import Ether

    vrid = target.virtual_router_id or wires.virtual_router_id
    # Version 2, type 1; vhid, advskew, length of the authentication, pad, advbase, checksum; counter and digest.
    body = bytearray((0x21, vrid, 255 - target.priority, 7, 0, 1, 0, 0, *bytes(28)))
    total = sum(int.from_bytes(body[at : at + 2], "big") for at in range(0, len(body), 2))
    total = (total & 0xFFFF) + (total >> 16)
    body[6:8] = (~(total + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
    head = IP(src=STRANGER_IP, dst="224.0.0.18", ttl=target.ttl, proto=112)
    return [bytes(Ether(src=STRANGER_MAC, dst="01:00:5e:00:00:12") / head / bytes(body))]


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
        needs=frozenset({Need.IPV4}),
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
        sentence="A stranger on the public network announces the VIP as its own.",
        words="a stranger announces the VIP",
        healed="the stranger is gone",
        target=Spoof,
        injection=ByStranger("public", _announcements),
        signs=(Sign.FRAMES_SENT,),
        needs=frozenset({Need.IPV4}),
    ),
)
