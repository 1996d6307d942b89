"""What IPv4 and IPv6 differ in: questions and answers as octets, which a second reader has to understand as well."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.address_family import (
    IPV4,
    IPV6,
    AddressFamily,
    advertisement,
    checksum,
    family_of,
    link_address,
    solicitation,
    solicited_node,
)
from viplab.addresses import link_local
from viplab.capture.dissect import decode
from viplab.capture.frames import Arp, Meaning, Neighbour
from viplab.capture.index import Frame
from viplab.ground_truth import wire

VIPS = {IPV4: "192.168.122.50", IPV6: "fd00:122::50"}
MAC, OTHER = "52:54:00:03:ba:f2", "02:76:69:70:6c:62"
FAMILIES = pytest.mark.parametrize("family", [IPV4, IPV6], ids=lambda family: family.name)

macs = st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":"))
addresses = st.ip_addresses(v=6).map(str)


def meaning(raw: bytes) -> Meaning:
    (found,) = decode([Frame(1, 0, len(raw), raw)])
    return found


def answer(family: AddressFamily, mac: str, address: str) -> bytes:
    if family is IPV4:
        return wire.arp(mac, OTHER, 2, address, OTHER, "0.0.0.0")
    return advertisement((mac, OTHER), (address, link_local(OTHER)), address, solicited=True)


def announcement(family: AddressFamily, mac: str, address: str) -> bytes:
    if family is IPV4:
        return wire.arp(mac, wire.BROADCAST, 1, address, wire.BROADCAST, address)
    return wire.unsolicited_na(mac, address)


@given(macs, addresses, addresses)
def test_a_solicitation_is_read_as_it_was_written(mac: str, source: str, target: str) -> None:
    read = meaning(solicitation(mac, source, target))
    assert isinstance(read, Neighbour)
    assert (read.request, read.src_ip, read.target_ip, read.src_mac) == (True, source, target, mac)
    assert (read.sender_ip, read.sender_mac) == (source, mac)
    assert (read.dst_ip, read.dst_mac) == solicited_node(target)
    assert link_address(solicitation(mac, source, target)[54:]) == mac


@given(macs, macs, addresses, addresses, st.booleans())
def test_an_advertisement_is_read_as_it_was_written(
    mac: str, to_mac: str, target: str, to: str, solicited: bool
) -> None:
    raw = advertisement((mac, to_mac), (target, to), target, solicited=solicited)
    read = meaning(raw)
    assert isinstance(read, Neighbour)
    assert (read.request, read.solicited, read.gratuitous) == (False, solicited, not solicited)
    assert (read.src_mac, read.dst_mac, read.src_ip, read.dst_ip) == (mac, to_mac, target, to)
    assert IPV6.answerer(raw, target) == (mac if solicited else None)
    assert IPV6.announcer(raw, target) == (None if solicited else mac)


def test_the_ground_truth_writes_the_same_solicitation_by_its_own_hand() -> None:
    assert solicitation(MAC, "fe80::1", VIPS[IPV6]) == wire.solicitation(MAC, "fe80::1", VIPS[IPV6])


@FAMILIES
def test_a_question_tells_the_client_nothing_and_its_answer_names_the_mac(family: AddressFamily) -> None:
    vip = VIPS[family]
    asked = meaning(family.question(OTHER, vip))
    assert isinstance(asked, Arp | Neighbour)
    assert asked.request
    assert asked.target_ip == vip
    assert not asked.gratuitous
    assert family.answerer(answer(family, MAC, vip), vip) == MAC
    for frame in (family.question(OTHER, vip), announcement(family, MAC, vip)[:40], b""):
        assert family.answerer(frame, vip) is None
    assert family.answerer(answer(family, MAC, vip), vip[:-1]) is None


@FAMILIES
def test_only_what_is_said_unasked_of_that_address_is_an_announcement(family: AddressFamily) -> None:
    vip = VIPS[family]
    assert family.announcer(announcement(family, MAC, vip), vip) == MAC
    assert family.announcer(announcement(family, MAC, vip), vip[:-1]) is None
    assert family.announcer(answer(family, MAC, vip), vip) is None
    assert family.announcer(family.question(OTHER, vip), vip) is None


@given(st.binary(max_size=120), st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd"]))
def test_no_frame_is_too_short_or_too_odd(rest: bytes, ethertype: bytes) -> None:
    for family, vip in VIPS.items():
        for frame in (rest, bytes(12) + ethertype + rest):
            assert family.answerer(frame, vip) is None
            assert family.announcer(frame, vip) is None
            packet = family.packet(frame)
            assert packet is None or len(packet.source) == family.bits // 8


@FAMILIES
def test_the_packet_of_a_frame_has_its_two_ends_and_its_payload(family: AddressFamily) -> None:
    vip, client = VIPS[family], VIPS[family][:-2] + "1"
    packet = family.packet(wire.echo((OTHER, MAC), (client, vip), 7, 1, b"", request=True))
    assert packet is not None
    assert (packet.source, packet.destination) == (wire.ip_bytes(client), wire.ip_bytes(vip))
    assert packet.protocol == family.echo_protocol
    assert packet.payload[0] == family.echo_request


@FAMILIES
@pytest.mark.parametrize("data", [b"", bytes(range(24))])
def test_an_echo_request_carries_number_and_data(family: AddressFamily, data: bytes) -> None:
    request = family.ping(0x1234, 0x10005, data)
    assert struct.unpack_from("!BBHHH", request)[0::3] == (family.echo_request, 0x1234)
    assert request[6:8] == b"\0\5", "a sequence number has 16 bits"
    assert request[8:] == data
    assert checksum(request) == 0


@pytest.mark.parametrize(
    ("family", "table"),
    [
        (IPV4, "? (192.168.122.50) at {} [ether] on virbr0\n? (192.168.122.11) at 52:54:00:00:00:01 [ether] on virbr0"),
        (IPV6, "fd00:122::5 dev virbr0 lladdr 52:54:00:00:00:01 STALE\nfd00:122::50 dev virbr0 lladdr {} REACHABLE"),
    ],
)
def test_a_printed_table_gives_the_entry_of_one_address(family: AddressFamily, table: str) -> None:
    assert family.entry(table.format(MAC.upper()), VIPS[family]) == MAC
    assert family.entry(table.format("<incomplete>"), VIPS[family]) is None
    assert family.entry("fd00:122::50 dev virbr0 FAILED", VIPS[family]) is None
    assert family.entry("", VIPS[family]) is None


def test_the_link_local_address_is_made_of_the_mac_as_the_kernel_makes_it() -> None:
    assert link_local("52:54:00:10:10:0b") == "fe80::5054:ff:fe10:100b"


@given(st.ip_addresses())
def test_every_address_has_the_family_of_its_version(address: object) -> None:
    assert family_of(str(address)) is (IPV6 if isinstance(address, IPv6Address) else IPV4)


@FAMILIES
@given(mac=macs)
def test_what_a_station_announces_is_read_as_an_announcement_of_that_station(family: AddressFamily, mac: str) -> None:
    frames = family.announcements(mac, VIPS[family])
    assert [family.announcer(frame, VIPS[family]) for frame in frames] == [mac] * len(frames)
    read = [meaning(frame) for frame in frames]
    assert all(isinstance(frame, Arp | Neighbour) and frame.gratuitous for frame in read)
    assert {frame.dst_mac for frame in read} == {"ff:ff:ff:ff:ff:ff" if family is IPV4 else "33:33:00:00:00:01"}


@FAMILIES
@given(body=st.binary(min_size=8, max_size=64), hops=st.integers(1, 255))
def test_a_datagram_is_read_as_it_was_written(family: AddressFamily, body: bytes, hops: int) -> None:
    ends = VIPS[family], family.vrrp_group
    frame = family.datagram((MAC, family.vrrp_group_mac), ends, 112, hops, body)
    read = family.packet(frame)
    assert read == (ip_address(ends[0]).packed, ip_address(ends[1]).packed, 112, body)
    assert frame[8 + 14 if family is IPV4 else 7 + 14] == hops
    if family is IPV4:
        assert checksum(frame[14:34]) == 0
