"""The codec: known packets, round trips, and octets that nobody would send."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vipd.announcement import gratuitous_arp
from vipd.behaviour import SECOND_NS
from vipd.checksum import checksum
from vipd.discard import Discard
from vipd.packet import Advert, Datagram, Form, open_datagram
from vipd.packet_v2 import decode, encode

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
ADVERTS = st.builds(
    Advert,
    version=st.just(2),
    vrid=st.integers(1, 255),
    priority=st.integers(0, 255),
    advert_int_ns=st.integers(1, 255).map(lambda seconds: seconds * SECOND_NS),
    addresses=st.integers(0, 255).flatmap(lambda count: st.binary(min_size=4 * count, max_size=4 * count)),
    auth_type=st.integers(0, 255),
    auth_data=st.binary(min_size=8, max_size=8),
    form=st.just(Form.MESSAGE),
)
# ucarp on the same group and protocol: version and type octet 0x21, 36 octets, a right checksum of its own.
CARP = bytes.fromhex("2133000700010000") + bytes(28)
CARP = CARP[:6] + checksum(CARP).to_bytes(2, "big") + CARP[8:]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_known_packet_reads_as_its_source_says(vector: dict[str, object]) -> None:
    fields = vector["fields"]
    assert isinstance(fields, dict)
    octets = bytes.fromhex(str(vector["vrrp_hex"]))
    advert = decode(octets)
    assert advert == Advert(
        2,
        fields["vrid"],
        fields["priority"],
        fields["adver_int_s"] * SECOND_NS,
        b"".join(bytes(map(int, address.split("."))) for address in fields["addresses"]),
    )
    assert encode(advert) == octets


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if vector["layer"] == "ip"], ids=lambda vector: vector["id"]
)
def test_a_known_datagram_opens_to_its_packet(vector: dict[str, object]) -> None:
    frame = bytes.fromhex(str(vector["hex"]))
    datagram = open_datagram(frame + bytes(6))  # Ethernet pads to 60 octets
    assert isinstance(datagram, Datagram)
    assert datagram.payload.hex() == vector["vrrp_hex"]
    assert (datagram.ttl, datagram.source.to_bytes(4, "big")) == (255, bytes(map(int, str(vector["src"]).split("."))))


@given(ADVERTS)
def test_an_advert_survives_the_wire(advert: Advert) -> None:
    assert decode(encode(advert)) == advert


@given(ADVERTS, st.data())
def test_no_flipped_bit_goes_unnoticed(advert: Advert, data: st.DataObject) -> None:
    octets = bytearray(encode(advert))
    bit = data.draw(st.integers(0, 8 * len(octets) - 1))
    octets[bit // 8] ^= 1 << bit % 8
    assert isinstance(decode(bytes(octets)), Discard)


@given(ADVERTS, st.integers(-30, 30))
def test_a_length_that_is_not_the_count_s_is_refused(advert: Advert, change: int) -> None:
    assume(change)
    octets = encode(advert)
    changed = octets[:change] if change < 0 else octets + bytes(change)
    assert decode(changed) in (Discard.LENGTH, Discard.TOO_SHORT)


@given(st.binary(max_size=1500))
def test_any_octets_decode_or_say_why_not(octets: bytes) -> None:
    assert isinstance(decode(octets), (Advert, Discard))


@given(st.binary(max_size=200))
def test_any_frame_opens_within_itself_or_not_at_all(frame: bytes) -> None:
    datagram = open_datagram(frame)
    if isinstance(datagram, Datagram):
        assert datagram.payload in frame
    else:
        assert datagram is Discard.NOT_IP


def test_carp_is_told_apart_by_its_length_although_its_checksum_is_right() -> None:
    assert len(CARP) == 36
    assert checksum(CARP) == 0
    assert decode(CARP) is Discard.CARP


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: 0x31}, Discard.VERSION),
        ({0: 0x22}, Discard.TYPE),
        ({3: 2}, Discard.LENGTH),
        ({6: 0}, Discard.CHECKSUM),
    ],
)
def test_the_first_check_that_fails_names_the_reason(change: dict[int, int], reason: Discard) -> None:
    octets = bytearray.fromhex("21331e010001b5c50a0001050000000000000000")
    for at, value in change.items():
        octets[at] = value
    assert decode(bytes(octets)) is reason


def test_gratuitous_arp_is_keepalived_s_broadcast_request_of_42_octets() -> None:
    mac, vip = bytes.fromhex("52540056c3f4"), bytes([192, 168, 122, 50])
    assert gratuitous_arp(mac, vip).hex() == (
        "ffffffffffff52540056c3f40806000108000604000152540056c3f4c0a87a32ffffffffffffc0a87a32"
    )
