"""What a frame can mean to a trial: adverts, ARP and its IPv6 heirs, echo, markers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

BROADCAST = "ff:ff:ff:ff:ff:ff"
UNSPECIFIED = ("0.0.0.0", "::")


def to_group(mac: str) -> bool:
    """Whether a MAC is that of a group of stations or of all: its first octet is odd."""
    return bool(int(mac[:2], 16) & 1)


@dataclass(frozen=True, slots=True)
class Seen:
    """What every frame has: its number in the capture, its time, its length, and who sent it to whom.

    `vlans` are the numbers of its VLANs, the outermost tag first; empty where it has no tag.
    """

    no: int
    time_ns: int
    length: int
    src_mac: str
    dst_mac: str
    vlans: tuple[int, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Advert(Seen):
    """A VRRP advertisement: version 2 (RFC 3768, or authenticated as in RFC 2338) or 3 (RFC 9568)."""

    src_ip: str
    dst_ip: str
    ttl: int
    version: Literal[2, 3]
    virtual_router_id: int
    priority: int
    advert_int_s: float
    # 0 none, 1 password, 2 authentication header; version 3 has none.
    auth_type: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Carp(Seen):
    """A CARP advertisement: it looks like VRRP and is none."""

    src_ip: str
    dst_ip: str
    virtual_host_id: int
    advskew: int
    advbase_s: int

    @property
    def priority(self) -> int:
        """What VRRP has in place of the skew; 0 where the sender gives up, with the longest interval that there is."""
        return 0 if self.advskew == self.advbase_s == 255 else 256 - self.advskew


@dataclass(frozen=True, slots=True)
class Arp(Seen):
    """An ARP request or reply for IPv4 over Ethernet."""

    request: bool
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str

    @property
    def gratuitous(self) -> bool:
        """Announces the sender's own address (RFC 5227, section 3); a probe from 0.0.0.0 does not."""
        return self.sender_ip == self.target_ip and self.sender_ip not in UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Neighbour(Seen):
    """A neighbour solicitation or advertisement of IPv6 (RFC 4861, sections 4.3 and 4.4)."""

    request: bool
    src_ip: str
    dst_ip: str
    target_ip: str
    solicited: bool
    override: bool = False
    link_address: str | None = None
    """The MAC that its option gives, of the source if it is a solicitation, else of the target."""

    @property
    def sender_ip(self) -> str:
        """The address of which it says which MAC that has."""
        return self.src_ip if self.request else self.target_ip

    @property
    def sender_mac(self) -> str:
        """The MAC that it says."""
        return self.link_address or self.src_mac

    @property
    def gratuitous(self) -> bool:
        """An advertisement that nobody asked for (RFC 4861, section 7.2.6)."""
        return not self.request and not self.solicited


@dataclass(frozen=True, slots=True)
class Echo(Seen):
    """An echo request or its answer: ICMP, ICMPv6, or a UDP datagram of the probe.

    `number` and `handed_ns` are what the probe wrote into it: its number, and when it was handed to the kernel. Of the
    ping there is the second only.
    """

    src_ip: str
    dst_ip: str
    request: bool
    ident: int
    seq: int
    number: int | None = None
    handed_ns: int | None = None
    via: Literal["icmp", "udp"] = "icmp"


@dataclass(frozen=True, slots=True)
class Datagram(Seen):
    """A UDP datagram; on `mgmt` one whose payload holds a token is the marker that dates a fault."""

    src_ip: str
    dst_ip: str
    payload: bytes


AddressResolution = Arp | Neighbour
"""Who has an address, asked or said."""
Meaning = Advert | Carp | Arp | Neighbour | Echo | Datagram
