"""The addresses of hosts: a letter's place in the alphabet gives a host the same number on every network."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from viplab.types import HostName

Card = Literal["eth0", "eth1", "eth2"]
"""The cards that each host has."""

SUBNETS: dict[str, str] = {"eth0": "10.10.10", "eth1": "192.168.122", "eth2": "10.10.12"}
"""The network of each card, of which a host's number is the last octet."""
_FIRST = 11
HTTP_PORT = 80
"""Where the HTTP probe asks under the VIP, and hosts listen."""


def number_of(host: HostName) -> int:
    """A host's number: A has 11, B 12, C 13."""
    return _FIRST + ord(host) - ord("A")


def address_of(host: HostName, card: str) -> str:
    """The address of a host's card."""
    return f"{SUBNETS[card]}.{number_of(host)}"


def link_local(mac: str) -> str:
    """The link-local address that the kernel makes of a card's MAC (RFC 4291, appendix A; RFC 2464, section 5)."""
    octets = octets_of(mac)
    identifier = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(IPv6Address(b"\xfe\x80" + bytes(6) + identifier))


def virtual_mac(virtual_router_id: int, *, ipv6: bool = False) -> str:
    """The MAC of RFC 3768, section 7.3, and of RFC 9568 for IPv6."""
    return f"00:00:5e:00:{2 if ipv6 else 1:02x}:{virtual_router_id:02x}"


def octets_of(mac: str) -> bytes:
    """The six octets of a MAC."""
    return bytes.fromhex(mac.replace(":", ""))
