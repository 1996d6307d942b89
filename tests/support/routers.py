"""The article's virtual router: its configuration, the addresses around it, and adverts that another one sends."""

from __future__ import annotations

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import RouterConfig, VirtualAddress
from vipd.protocol import packet_v2, packet_v3
from vipd.protocol.checksum import checksum
from vipd.protocol.packet import GROUPS, Advert, ChecksumForm

MS_NS = 1_000_000
VIP = VirtualAddress("192.168.122.50", 24, "eth1", "192.168.122.255", "eth1:0")
VIP6 = (VirtualAddress("fe80::50", 64, "eth0"), VirtualAddress("2001:db8::50", 64, "eth0"))
LOWER_ADDRESS = 0x0A000001  # 10.0.0.1
OWN = 0x0A000002
HIGHER_ADDRESS = 0x0A000003
OWN6 = 0xFE80 << 112 | 2
HIGHER6 = 0xFE80 << 112 | 3


def config(**changes: object) -> RouterConfig:
    """The article's instance, with changes; `advert_int_s` is in seconds."""
    fields: dict[str, object] = {
        "name": "VI_1",
        "interface": "eth0",
        "vrid": 51,
        "addresses": (VIP,),
        "priority": 101,
        "tracked": ("eth1",),
    }
    interval_s = changes.pop("advert_int_s", None)
    if interval_s is not None:
        changes["advert_int_ns"] = round(float(interval_s) * SECOND_NS)  # type: ignore[arg-type]
    return RouterConfig(**{**fields, **changes})  # type: ignore[arg-type]


def packet(priority: int, vrid: int = 51, advert_int_s: int = 1, addresses: bytes = VIP.octets) -> bytes:
    """An advert of version 2."""
    return packet_v2.encode(Advert(2, vrid, priority, advert_int_s * SECOND_NS, addresses))


def packet3(
    priority: int,
    interval_s: float = 1,
    family: int = 4,
    addresses: bytes | None = None,
    form: ChecksumForm = ChecksumForm.PSEUDO_HEADER,
    source: int | None = None,
    destination: int | None = None,
    vrid: int = 51,
) -> bytes:
    """An advert of version 3."""
    if addresses is None:
        addresses = VIP.octets if family == 4 else b"".join(vip.octets for vip in VIP6)
    source = source if source is not None else (HIGHER_ADDRESS if family == 4 else HIGHER6)
    advert = Advert(3, vrid, priority, round(interval_s * SECOND_NS), addresses, form=form)
    return packet_v3.encode(advert, family, source, destination or GROUPS[family])


def resealed(octets: bytes) -> bytes:
    """The same packet of version 2 with a right checksum."""
    blank = octets[:6] + b"\0\0" + octets[8:]
    return blank[:6] + checksum(blank).to_bytes(2, "big") + blank[8:]
