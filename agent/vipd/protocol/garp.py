"""Encodes the frames that announce an address to a link: gratuitous ARP, and unsolicited neighbour advertisements."""

from __future__ import annotations

import struct

from vipd.protocol.checksum import checksum, pseudo_header

ETH_P_ARP = 0x0806
ETH_P_IPV6 = 0x86DD

_ARP = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
_ETHERNET = struct.Struct("!6s6sH")
_IPV6 = struct.Struct("!IHBB16s16s")
_NEIGHBOUR_ADVERT = struct.Struct("!BBHI16sBB6s")
_BROADCAST = b"\xff" * 6
_ALL_NODES_MAC = bytes.fromhex("333300000001")
_ALL_NODES = 0xFF02 << 112 | 1
_ICMPV6 = 58
_ROUTER, _OVERRIDE = 0x8000_0000, 0x2000_0000
_TARGET_LINK_LAYER_ADDRESS = 2


def gratuitous_arp(mac: bytes, address: bytes) -> bytes:
    """The 42 octets that keepalived sends: a broadcast ARP request, sender and target the address, target MAC ff."""
    return _ARP.pack(_BROADCAST, mac, ETH_P_ARP, 1, 0x0800, 6, 4, 1, mac, address, _BROADCAST, address)


def unsolicited_neighbour_advert(mac: bytes, address: bytes) -> bytes:
    """The 86 octets of RFC 9568 section 6.4.1: to all nodes, R and O set, S not, and the link-layer address in it."""
    flags = _ROUTER | _OVERRIDE
    option = (_TARGET_LINK_LAYER_ADDRESS, 1, mac)
    blank = _NEIGHBOUR_ADVERT.pack(136, 0, 0, flags, address, *option)
    pseudo = pseudo_header(int.from_bytes(address, "big"), _ALL_NODES, len(blank), _ICMPV6)
    message = _NEIGHBOUR_ADVERT.pack(136, 0, checksum(blank, pseudo), flags, address, *option)
    ip = _IPV6.pack(6 << 28, len(message), _ICMPV6, 255, address, _ALL_NODES.to_bytes(16, "big"))
    return _ETHERNET.pack(_ALL_NODES_MAC, mac, ETH_P_IPV6) + ip + message
