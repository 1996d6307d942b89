"""Frames: what is an advert, a gratuitous ARP, an echo, a marker, and what only looks like one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import synthetic as s
from viplab.capture.dissect import decode, meanings
from viplab.capture.frames import Advert, Arp, Carp, Datagram, Echo, Neighbour
from viplab.capture.index import Frame
from viplab.capture.pcap import Pcap
from viplab.ground_truth import wire

EVERY_KIND = [
    s.advert("A", 102),
    wire.advert("52:54:00:00:00:0a", "10.0.0.1", [s.VIP], authenticated=True),
    wire.advert_v3("52:54:00:00:00:0a", "fe80::a", ["fe80::50"]),
    s.carp("A"),
    s.arp(s.MAC["B"], s.BROADCAST, 1, s.VIP, s.BROADCAST, s.VIP),
    wire.unsolicited_na(s.MAC["B"], "2001:db8::50"),
    s.echo(s.CLIENT_MAC, s.MAC["A"], s.CLIENT_IP, s.VIP, 8, 1, 1),
    s.datagram(b"token"),
    wire.tcp((s.CLIENT_MAC, s.MAC["A"]), (s.CLIENT_IP, s.VIP), b"foreign"),
]
EVERY_KIND += [wire.tagged(raw, *vlans) for raw in EVERY_KIND for vlans in ((100,), (200, 100))]


def meaning(raw: bytes):  # type: ignore[no-untyped-def]
    found = list(decode([Frame(7, 42, len(raw), raw)]))
    return found[0] if found else None


def test_an_advert_is_read_with_its_fields() -> None:
    advert = meaning(s.advert("A", 102))
    assert isinstance(advert, Advert)
    assert (advert.no, advert.time_ns, advert.src_ip, advert.src_mac) == (7, 42, s.WIRE_IP["A"], s.WIRE_MAC["A"])
    assert (advert.virtual_router_id, advert.priority, advert.advert_int_s, advert.ttl) == (51, 102, 1.0, 255)
    assert advert.addresses == (s.VIP,)


def test_ethernet_padding_does_not_belong_to_an_advert() -> None:
    assert isinstance(meaning(s.advert("A", 102) + bytes(6)), Advert)


def test_a_carp_packet_is_recognised_and_no_advert() -> None:
    seen = meaning(wire.carp(s.WIRE_MAC["A"], s.WIRE_IP["A"], 51, advskew=7))
    assert isinstance(seen, Carp)
    assert (seen.virtual_host_id, seen.advskew, seen.advbase_s) == (51, 7, 1)


def test_an_advert_behind_an_authentication_header_is_read() -> None:
    advert = meaning(wire.advert(s.WIRE_MAC["A"], s.WIRE_IP["A"], [s.VIP], priority=102, authenticated=True))
    assert isinstance(advert, Advert)
    assert (advert.version, advert.auth_type, advert.priority, advert.addresses) == (2, 2, 102, (s.VIP,))


@pytest.mark.parametrize("pseudo", [True, False])
def test_version_3_over_ipv4_is_read_with_either_checksum(pseudo: bool) -> None:
    raw = wire.advert_v3(s.WIRE_MAC["A"], s.WIRE_IP["A"], [s.VIP], advert_cs=3, pseudo=pseudo)
    advert = meaning(raw + bytes(10))
    assert isinstance(advert, Advert)
    assert (advert.version, advert.advert_int_s, advert.addresses) == (3, 0.03, (s.VIP,))


def test_version_3_over_ipv6_is_read_and_needs_its_pseudo_header() -> None:
    vips = ["fe80::50", "2001:db8::50"]
    advert = meaning(wire.advert_v3(s.WIRE_MAC["A"], "fe80::a", vips, priority=0))
    assert isinstance(advert, Advert)
    assert (advert.src_ip, advert.priority, advert.addresses) == ("fe80::a", 0, tuple(vips))
    assert meaning(wire.advert_v3(s.WIRE_MAC["A"], "fe80::a", vips, pseudo=False)) is None


def test_an_unsolicited_neighbour_advertisement_is_ipv6s_gratuitous_arp() -> None:
    announced = meaning(wire.unsolicited_na(s.MAC["B"], "2001:db8::50"))
    asked = meaning(wire.solicitation(s.MAC["B"], "2001:db8::b", "2001:db8::50"))
    assert isinstance(announced, Neighbour)
    assert isinstance(asked, Neighbour)
    assert (announced.gratuitous, announced.override, announced.target_ip) == (True, True, "2001:db8::50")
    assert (announced.sender_ip, announced.sender_mac) == ("2001:db8::50", s.MAC["B"])
    assert (asked.gratuitous, asked.request) == (False, True)
    assert (asked.sender_ip, asked.sender_mac) == ("2001:db8::b", s.MAC["B"])


@pytest.mark.parametrize("ips", [(s.PROBE_IP, s.VIP), ("2001:db8::2", "2001:db8::50")])
def test_the_probes_number_and_time_are_read_from_echo_of_both_families(ips: tuple[str, str]) -> None:
    macs = (s.CLIENT_MAC, s.MAC["A"])
    echo = meaning(wire.echo(macs, ips, 9, 4464, wire.probe_payload(70_000, 42), request=True))
    assert isinstance(echo, Echo)
    assert (echo.request, echo.ident, echo.seq, echo.number, echo.handed_ns) == (True, 9, 4464, 70_000, 42)


def test_a_udp_probe_is_an_echo_whose_responder_has_the_lower_port() -> None:
    macs, ips, payload = (s.CLIENT_MAC, s.MAC["A"]), (s.PROBE_IP, s.VIP), wire.probe_payload(70_000, 42)
    sent, answered = (meaning(wire.udp(macs, ips, ports, payload)) for ports in ((40_000, 7), (7, 40_000)))
    assert isinstance(sent, Echo)
    assert isinstance(answered, Echo)
    assert (sent.request, answered.request, sent.ident, answered.ident) == (True, False, 40_000, 40_000)
    assert (sent.seq, sent.number, sent.via) == (70_000 & 0xFFFF, 70_000, "udp")


@given(raw=st.sampled_from(EVERY_KIND), vlans=st.lists(st.integers(1, 4094), min_size=1, max_size=3))
def test_a_tagged_frame_means_what_it_means_without_its_tags_and_says_its_vlans(raw: bytes, vlans: list[int]) -> None:
    plain, tagged = meaning(raw), meaning(wire.tagged(raw, *vlans))
    wanted = plain and replace(plain, length=len(raw) + 4 * len(vlans), vlans=(*vlans, *plain.vlans))
    assert tagged == wanted


def test_a_tag_without_a_vlan_is_one_of_priority_only() -> None:
    seen = meaning(wire.tagged(s.advert("A", 102), 7 << 13))
    assert isinstance(seen, Advert)
    assert seen.vlans == ()


def test_a_frame_of_nothing_but_tags_means_nothing() -> None:
    assert meaning(wire.tagged(bytes(60), *[1] * 50_000)) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_batch_means_what_its_frames_mean_one_by_one(tmp_path: Path, data: st.DataObject) -> None:
    raws = [bytearray(raw) for raw in data.draw(st.lists(st.sampled_from(EVERY_KIND), max_size=12))]
    for raw in raws:
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
        del raw[data.draw(st.integers(0, len(raw))) :]
    path = tmp_path / "x.pcap"
    path.write_bytes(wire.pcap_bytes([(s.START_NS + n, bytes(raw)) for n, raw in enumerate(raws)]))
    pcap = Pcap(path)
    assert [m for batch in pcap.batches() for m in meanings(batch)] == list(decode(pcap))


def test_an_advert_with_a_wrong_checksum_is_none() -> None:
    raw = bytearray(s.advert("A", 102))
    raw[36] ^= 1
    assert meaning(bytes(raw)) is None


def test_gratuitous_is_an_announcement_of_the_senders_own_address_and_no_probe() -> None:
    announced = meaning(s.arp(s.MAC["B"], s.BROADCAST, 1, s.VIP, s.BROADCAST, s.VIP))
    census = meaning(s.arp(s.OBSERVER_MAC, s.BROADCAST, 1, "0.0.0.0", s.BROADCAST, s.VIP))
    nothing = meaning(s.arp(s.OBSERVER_MAC, s.BROADCAST, 1, "0.0.0.0", s.BROADCAST, "0.0.0.0"))
    assert isinstance(announced, Arp)
    assert announced.gratuitous
    assert isinstance(census, Arp)
    assert not census.gratuitous
    assert isinstance(nothing, Arp)
    assert not nothing.gratuitous


def test_echo_and_datagram_are_read() -> None:
    echo = meaning(s.echo(s.CLIENT_MAC, s.MAC["A"], s.CLIENT_IP, s.VIP, 8, 0x1234, 65535))
    assert isinstance(echo, Echo)
    assert (echo.request, echo.ident, echo.seq, echo.dst_mac) == (True, 0x1234, 65535, s.MAC["A"])
    marker = meaning(s.datagram(b"token"))
    assert isinstance(marker, Datagram)
    assert marker.payload == b"token"


@given(raw=st.binary(max_size=120))
def test_no_bytes_raise(raw: bytes) -> None:
    meaning(raw)


@given(at=st.integers(12, 60), value=st.integers(0, 255), kind=st.sampled_from(["advert", "arp", "echo", "carp"]))
def test_no_changed_byte_raises(at: int, value: int, kind: str) -> None:
    raws = {
        "advert": s.advert("A", 102),
        "arp": s.arp(s.MAC["B"], s.BROADCAST, 1, s.VIP, s.BROADCAST, s.VIP),
        "echo": s.echo(s.CLIENT_MAC, s.MAC["A"], s.CLIENT_IP, s.VIP, 8, 1, 1),
        "carp": s.carp("A"),
    }
    raw = bytearray(raws[kind])
    raw[min(at, len(raw) - 1)] = value
    meaning(bytes(raw))
    meaning(bytes(raw[:at]))
