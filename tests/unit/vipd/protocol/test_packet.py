"""The codec: known packets, round trips, and octets that nobody would send."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vipd.config.behaviour import SECOND_NS
from vipd.protocol import packet_v3
from vipd.protocol.ah import AuthenticationHeader
from vipd.protocol.checksum import checksum
from vipd.protocol.garp import gratuitous_arp
from vipd.protocol.packet import GROUPS, Advert, ChecksumForm, Datagram, open_datagram
from vipd.protocol.packet_v2 import decode, encode
from vipd.protocol.validation import Discard

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
    form=st.just(ChecksumForm.MESSAGE),
)
# ucarp on the same group and protocol: version and type octet 0x21, 36 octets, a right checksum of its own.
CARP = bytes.fromhex("2133000700010000") + bytes(28)
CARP = CARP[:6] + checksum(CARP).to_bytes(2, "big") + CARP[8:]


FORMATS = {"message-only": ChecksumForm.MESSAGE, "pseudo-header": ChecksumForm.PSEUDO_HEADER}


def octets_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["vrrp_hex"])


def addressed(text: str | None, default: int) -> int:
    return int(ip_address(text)) if text else default


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_known_packet_reads_as_its_source_says_and_is_written_alike(vector: dict[str, Any]) -> None:
    fields, octets, family = vector["fields"], octets_of(vector), vector["ip_version"]
    source, destination = addressed(vector["src"], 0), addressed(vector["dst"], GROUPS[family])
    three = vector["vrrp_version"] == 3
    advert = packet_v3.decode(octets, family, source, destination) if three else decode(octets)
    if not vector["valid"]:
        assert advert is Discard.CHECKSUM
        return
    assert advert == Advert(
        vector["vrrp_version"],
        fields["vrid"],
        fields["priority"],
        fields["max_adver_int_cs"] * packet_v3.CENTISECOND_NS if three else fields["adver_int_s"] * SECOND_NS,
        b"".join(ip_address(address).packed for address in fields["addresses"]),
        form=FORMATS[vector["checksum_form"][0]],
    )
    assert (packet_v3.encode(advert, family, source, destination) if three else encode(advert)) == octets


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["layer"] == "ip" and vector["ip_version"] == 4],
    ids=lambda vector: vector["id"],
)
def test_a_known_datagram_opens_to_its_packet(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    datagram = open_datagram(frame + bytes(6))  # Ethernet pads to 60 octets
    assert isinstance(datagram, Datagram)
    assert datagram.payload == octets_of(vector)
    assert (datagram.ttl, datagram.source) == (255, int(ip_address(vector["src"])))


@given(
    family=st.sampled_from([4, 6]),
    payload=st.binary(max_size=1500),
    source=st.integers(0, 2**32 - 1),
    version=st.sampled_from([b"", b"\x31", b"\x21"]),
)
def test_any_octets_decode_as_version_3_or_say_why_not(
    family: int, payload: bytes, source: int, version: bytes
) -> None:
    assert isinstance(packet_v3.decode(version + payload, family, source, GROUPS[family]), (Advert, Discard))


@given(st.sampled_from([4, 6]), st.data())
def test_an_advert_of_version_3_survives_the_wire_and_no_flipped_bit_goes_unnoticed(
    family: int, data: st.DataObject
) -> None:
    size = {4: 4, 6: 16}[family]
    count = data.draw(st.integers(1, 255))
    advert = Advert(
        3,
        data.draw(st.integers(1, 255)),
        data.draw(st.integers(0, 255)),
        data.draw(st.integers(1, 4095)) * packet_v3.CENTISECOND_NS,
        data.draw(st.binary(min_size=size * count, max_size=size * count)),
        form=ChecksumForm.PSEUDO_HEADER,
    )
    octets = packet_v3.encode(advert, family, 7, GROUPS[family])
    assert packet_v3.decode(octets, family, 7, GROUPS[family]) == advert
    bit = data.draw(st.integers(0, 8 * len(octets) - 1))
    flipped = bytearray(octets)
    flipped[bit // 8] ^= 1 << bit % 8
    found = packet_v3.decode(bytes(flipped), family, 7, GROUPS[family])
    # A sum of one form may, by a flipped bit, become one of the other; never is the same form right again.
    assert isinstance(found, Discard) or found.form is not ChecksumForm.PSEUDO_HEADER


@given(ADVERTS, st.binary(min_size=24, max_size=24), st.integers(0, 2**32 - 1))
def test_no_authentication_header_but_the_right_one_opens(advert: Advert, header: bytes, source: int) -> None:
    seal = AuthenticationHeader(b"password", 0, 255)
    ip = bytes([0x45]) + bytes(11) + source.to_bytes(4, "big") + GROUPS[4].to_bytes(4, "big")
    assert isinstance(seal.open(ip, header + encode(advert)), Discard)
    assert isinstance(seal.open(ip, header[:20]), Discard)
    assert isinstance(seal.open(b"", header), Discard)


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
