"""Frames: what is an advert, a gratuitous ARP, an echo, a marker, and what only looks like one."""

from __future__ import annotations

import synthetic as s
from hypothesis import given
from hypothesis import strategies as st

from viplab.analysis.frames import Advert, Arp, Datagram, Echo, decode
from viplab.analysis.pcap import Frame


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


def test_a_carp_packet_is_no_advert() -> None:
    assert meaning(s.carp("A")) is None


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
