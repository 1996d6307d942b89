"""IPv4 and IPv6, wherever the bench has to tell them apart: who has an address, who says so unasked, what a ping is.

Over IPv4 hosts find each other by ARP (RFC 826) and announce an address by gratuitous ARP (RFC 5227); over IPv6 both is
neighbour discovery (ND, RFC 4861). All that differs is here, as octets, names and expressions of nftables; nothing here
sends or waits.
Frames are those of Ethernet, without VLAN tags.
"""

from __future__ import annotations

import socket
import struct
from abc import ABC, abstractmethod
from functools import cache
from ipaddress import ip_address
from typing import ClassVar, NamedTuple

from viplab.addresses import link_local, octets_of

_ETHERNET = 14
_ALL_STATIONS = "ff:ff:ff:ff:ff:ff"
_ALL_NODES = ("ff02::1", "33:33:00:00:00:01")
_Ends = tuple[str, str]
"""From whom, to whom."""
_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOLICITED, _OVERRIDE = 0x40, 0x20
_SOURCE_LINK, _TARGET_LINK = 1, 2
_HOPS = 255
"""What neighbour discovery is sent with; a router would have taken one off (RFC 4861, section 7.1)."""


class Packet(NamedTuple):
    """An IP packet as far as the bench reads one on the wire; addresses are octets."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes


class AddressFamily(ABC):
    """IPv4 or IPv6; there is one object of each."""

    name: ClassVar[str]
    number: ClassVar[socket.AddressFamily]
    """What a socket calls it."""
    bits: ClassVar[int]
    """Length of an address."""
    second_address: ClassVar[tuple[str, ...]]
    """With what `ip address` adds an address that nobody sends from who does not ask for it."""
    ethertype: ClassVar[int]
    resolution: ClassVar[str]
    """The protocol by which hosts find each other's MAC."""
    resolution_ethertype: ClassVar[int]
    announcement: ClassVar[str]
    """What says unasked who has an address."""
    protocols: ClassVar[str]
    """What a client and hosts speak besides the daemon's own protocol."""
    neighbour_table: ClassVar[tuple[str, ...]]
    """The command that prints a host's neighbours."""
    echo: ClassVar[str]
    """The protocol of echo requests."""
    echo_protocol: ClassVar[int]
    echo_request: ClassVar[int]
    """Type of a request."""
    echo_reply: ClassVar[int]
    in_uri: ClassVar[str]
    """How an address stands in a URI (RFC 3986, section 3.2.2)."""
    raw_header: ClassVar[int]
    """Octets before the echo's own in what a raw socket receives."""
    vrrp_group: ClassVar[str]
    """Where adverts are sent to (RFC 9568, sections 5.1.1.2 and 5.1.2.2)."""
    vrrp_group_mac: ClassVar[str]
    """That group's on Ethernet (RFC 1112, section 6.4; RFC 2464, section 7)."""
    nft_family: ClassVar[str]
    """The family of nftables' tables that see what says who has an address."""
    nft_resolution: ClassVar[str]
    """An expression of nftables for what says that."""

    @abstractmethod
    def packet(self, frame: bytes) -> Packet | None:
        """The packet in a frame; None where it holds none of this family, or not all of its header."""

    @abstractmethod
    def question(self, mac: str, address: str) -> bytes:
        """A frame from that MAC that asks everybody who has an address, and whose answer comes back to it alone."""

    @abstractmethod
    def announcements(self, mac: str, address: str) -> list[bytes]:
        """The frames by which a station with that MAC says unasked that it has an address."""

    @abstractmethod
    def nft_announcement(self, address: str) -> str:
        """An expression of nftables for announcements of an address."""

    @abstractmethod
    def pseudo_header(self, addresses: _Ends, protocol: int, length: int) -> bytes:
        """What a sum over a packet's payload counts of its header, too; addresses are (from, to)."""

    @abstractmethod
    def datagram(self, macs: _Ends, addresses: _Ends, protocol: int, hops: int, data: bytes) -> bytes:
        """A packet in a frame; pairs are (from, to)."""

    @abstractmethod
    def answerer(self, frame: bytes, address: str) -> str | None:
        """The MAC that a frame says an address has, to who asked; None where it is no such answer."""

    @abstractmethod
    def announcer(self, frame: bytes, address: str) -> str | None:
        """The MAC that a frame says unasked an address has; None where it is no announcement of it."""

    @abstractmethod
    def entry(self, table: str, address: str) -> str | None:
        """The MAC that a printed table of neighbours gives for an address."""

    def ping(self, identifier: int, sequence: int, data: bytes = b"") -> bytes:
        """An echo request with data of an even length; over IPv6 the kernel puts in the addresses' part of the sum."""
        header = struct.pack("!BBHHH", self.echo_request, 0, 0, identifier, sequence & 0xFFFF)
        total = struct.pack("!H", checksum(header + data))
        return header[:2] + total + header[4:] + data


class _IPv4(AddressFamily):
    name = "IPv4"
    number = socket.AF_INET
    bits, second_address = 32, ()
    ethertype, resolution_ethertype = 0x0800, 0x0806
    resolution = "ARP"
    announcement, protocols = "gratuitous ARP", "ARP and ICMP"
    neighbour_table = ("arp", "-an")
    echo, echo_protocol, echo_request, echo_reply, raw_header = "ICMP", 1, 8, 0, 20
    vrrp_group, vrrp_group_mac, in_uri = "224.0.0.18", "01:00:5e:00:00:12", "{}"
    nft_family, nft_resolution = "arp", "arp operation { request, reply }"

    def packet(self, frame: bytes) -> Packet | None:
        if len(frame) < _ETHERNET + 20 or frame[12:14] != b"\x08\x00":
            return None
        begin = _ETHERNET + (frame[_ETHERNET] & 15) * 4
        return Packet(frame[26:30], frame[30:34], frame[23], frame[begin:])

    def question(self, mac: str, address: str) -> bytes:
        # An ARP probe (RFC 5227): from the sender address 0.0.0.0 nobody learns anything.
        return self._arp(_REQUEST, mac, bytes(4), _packed(address))

    def announcements(self, mac: str, address: str) -> list[bytes]:
        # Both forms: some systems learn from the one only, some from the other (RFC 5227, section 3).
        own = _packed(address)
        return [self._arp(operation, mac, own, own) for operation in (_REQUEST, _REPLY)]

    def nft_announcement(self, address: str) -> str:
        return f"{self.nft_resolution} arp saddr ip {address} arp daddr ip {address}"

    def pseudo_header(self, addresses: _Ends, protocol: int, length: int) -> bytes:
        return b"".join(map(_packed, addresses)) + struct.pack("!HH", protocol, length)

    def datagram(self, macs: _Ends, addresses: _Ends, protocol: int, hops: int, data: bytes) -> bytes:
        header = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(data), 0, hops, protocol, 0)
        ends = b"".join(map(_packed, addresses))
        header = header[:10] + struct.pack("!H", checksum(header + ends)) + ends
        return _framed(macs, self.ethertype, header + data)

    def answerer(self, frame: bytes, address: str) -> str | None:
        is_answer = self._is_arp(frame) and frame[20:22] == b"\0\2" and frame[28:32] == _packed(address)
        return frame[22:28].hex(":") if is_answer else None

    def announcer(self, frame: bytes, address: str) -> str | None:
        is_announcement = self._is_arp(frame) and frame[28:32] == _packed(address) == frame[38:42]
        return frame[22:28].hex(":") if is_announcement else None

    def entry(self, table: str, address: str) -> str | None:
        for line in table.splitlines():
            words = line.split()
            if f"({address})" in words:
                return _after("at", words)
        return None

    def _arp(self, operation: int, mac: str, sender: bytes, target: bytes) -> bytes:
        own = octets_of(mac)
        body = struct.pack("!HHBBH", 1, self.ethertype, 6, 4, operation) + own + sender + bytes(6) + target
        return _framed((mac, _ALL_STATIONS), self.resolution_ethertype, body)

    def _is_arp(self, frame: bytes) -> bool:
        return len(frame) >= _ETHERNET + 28 and frame[12:14] == b"\x08\x06"


class _IPv6(AddressFamily):
    name = "IPv6"
    number = socket.AF_INET6
    bits, second_address = 128, ("preferred_lft", "0")
    ethertype = resolution_ethertype = 0x86DD
    resolution = "ND"
    announcement, protocols = "unsolicited neighbour advertisement", "ICMPv6, ND and echo"
    neighbour_table = ("ip", "-6", "neighbour", "show")
    echo, echo_protocol, echo_request, echo_reply, raw_header = "ICMPv6", 58, 128, 129, 0
    vrrp_group, vrrp_group_mac, in_uri = "ff02::12", "33:33:00:00:00:12", "[{}]"
    nft_family, nft_resolution = "ip6", "icmpv6 type nd-neighbor-advert"

    def packet(self, frame: bytes) -> Packet | None:
        if len(frame) < _ETHERNET + 40 or frame[12:14] != b"\x86\xdd":
            return None
        return Packet(frame[22:38], frame[38:54], frame[20], frame[54:])

    def question(self, mac: str, address: str) -> bytes:
        # With an address of its own. One from :: would be a look for duplicates, whose answer goes to all nodes and
        # overrides what they know (RFC 4861, section 7.2.4): the client would learn from it.
        return solicitation(mac, link_local(mac), address)

    def announcements(self, mac: str, address: str) -> list[bytes]:
        group, group_mac = _ALL_NODES
        return [advertisement((mac, group_mac), (link_local(mac), group), address, solicited=False)]

    def nft_announcement(self, address: str) -> str:
        # The S flag, and the target: nftables 1.0.6 has no names for them.
        return f"{self.nft_resolution} @th,33,1 0 @th,64,128 0x{_packed(address).hex()}"

    def pseudo_header(self, addresses: _Ends, protocol: int, length: int) -> bytes:
        return b"".join(map(_packed, addresses)) + struct.pack("!II", length, protocol)

    def datagram(self, macs: _Ends, addresses: _Ends, protocol: int, hops: int, data: bytes) -> bytes:
        header = struct.pack("!IHBB", 6 << 28, len(data), protocol, hops)
        return _framed(macs, self.ethertype, header + b"".join(map(_packed, addresses)) + data)

    def answerer(self, frame: bytes, address: str) -> str | None:
        return self._advertised(frame, address, solicited=True)

    def announcer(self, frame: bytes, address: str) -> str | None:
        return self._advertised(frame, address, solicited=False)

    def entry(self, table: str, address: str) -> str | None:
        for line in table.splitlines():
            words = line.split()
            if words[:1] == [address]:
                return _after("lladdr", words)
        return None

    def _advertised(self, frame: bytes, address: str, *, solicited: bool) -> str | None:
        packet = self.packet(frame)
        if packet is None or packet.protocol != self.echo_protocol or len(packet.payload) < 24:
            return None
        kind, flags, target = packet.payload[0], packet.payload[4], packet.payload[8:24]
        if kind != _ADVERTISEMENT or bool(flags & _SOLICITED) is not solicited or target != _packed(address):
            return None
        return link_address(packet.payload) or frame[6:12].hex(":")


IPV4: AddressFamily = _IPv4()
IPV6: AddressFamily = _IPv6()


def family_of(address: str) -> AddressFamily:
    """The family of an address as text; what is read from a folder may be none, and is then taken for IPv4."""
    return IPV6 if ":" in address else IPV4


def solicitation(mac: str, source: str, target: str) -> bytes:
    """A neighbour solicitation to all that may have the target (RFC 4861, sections 4.3 and 7.2.2), as a frame."""
    group, group_mac = solicited_node(target)
    body = struct.pack("!BBHI", _SOLICITATION, 0, 0, 0) + _packed(target) + _link(_SOURCE_LINK, mac)
    return _discovery((mac, group_mac), (source, group), body)


def advertisement(macs: _Ends, addresses: _Ends, target: str, *, solicited: bool, override: bool = True) -> bytes:
    """A neighbour advertisement (RFC 4861, section 4.4), as a frame; pairs are (from, to)."""
    flags = _SOLICITED * solicited | _OVERRIDE * override
    body = struct.pack("!BBHB3x", _ADVERTISEMENT, 0, 0, flags) + _packed(target) + _link(_TARGET_LINK, macs[0])
    return _discovery(macs, addresses, body)


def solicited_node(address: str) -> tuple[str, str]:
    """The multicast group in which a host hears that it is looked for, and its MAC (RFC 4291, 2.7.1; RFC 2464, 7)."""
    last = _packed(address)[-3:]
    group = bytes.fromhex("ff0200000000000000000001ff") + last
    return str(ip_address(group)), "33:33:ff:" + last.hex(":")


def link_address(message: bytes) -> str | None:
    """The MAC that a neighbour solicitation or advertisement gives in its first option (RFC 4861, section 4.6.1)."""
    wanted = {_SOLICITATION: _SOURCE_LINK, _ADVERTISEMENT: _TARGET_LINK}.get(message[0])
    return message[26:32].hex(":") if message[24:26] == bytes([wanted or 0, 1]) and len(message) >= 32 else None


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of data with an even length."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _discovery(macs: _Ends, addresses: _Ends, body: bytes) -> bytes:
    total = checksum(IPV6.pseudo_header(addresses, IPV6.echo_protocol, len(body)) + body)
    body = body[:2] + struct.pack("!H", total) + body[4:]
    return IPV6.datagram(macs, addresses, IPV6.echo_protocol, _HOPS, body)


def _framed(macs: _Ends, ethertype: int, packet: bytes) -> bytes:
    return octets_of(macs[1]) + octets_of(macs[0]) + struct.pack("!H", ethertype) + packet


def _link(kind: int, mac: str) -> bytes:
    return bytes([kind, 1]) + octets_of(mac)


def _after(word: str, words: list[str]) -> str | None:
    """The MAC that follows a word."""
    if word not in words[:-1]:
        return None
    mac = words[words.index(word) + 1].lower()
    return mac if mac.count(":") == 5 else None


@cache
def _packed(address: str) -> bytes:
    return ip_address(address).packed
