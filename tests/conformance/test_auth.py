"""Authentication of version 2, clause by clause: RFC 2338 and what keepalived makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.playbook import backup, becomes, master, refused_by, removes, sent, timed_out, timeout
from support.routers import HIGHER_ADDRESS, LOWER_ADDRESS, OWN, VIP, packet, resealed
from vipd.config.behaviour import SECOND_NS
from vipd.config.model import VirtualAddress
from vipd.protocol.ah import LAST, LENGTH, AuthenticationHeader
from vipd.protocol.packet import GROUPS, Advert, Datagram, open_datagram
from vipd.protocol.packet_v2 import encode
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

PASS = {"auth_type": 1, "auth_pass": b"secret"}
AH = {"auth_type": 2, "auth_pass": b"interopp"}
# Two adverts of Debian's keepalived 2.2.7: VRID 51, priority 102, 192.0.2.50, auth_type AH, auth_pass interopp.
KEEPALIVED = [
    bytes.fromhex(f"45c000400{number}0000ff3318b{check}c0000202e000001270040000c00002020000000{sequence}{rest}")
    for number, check, sequence, rest in (
        ("001", "5", "6", "d4df1b659c90ec0e715a14d0213366010201b497c00002320000000000000000"),
        ("002", "4", "7", "9a19ccd84e129a8170f8f7c5213366010201b497c00002320000000000000000"),
    )
]
SOURCE = 0xC0000202
INTEROP = {"addresses": (VirtualAddress("192.0.2.50", 24, "eth0"),), **AH}


def opened(frame: bytes) -> Datagram:
    datagram = open_datagram(frame)
    assert isinstance(datagram, Datagram)
    return datagram


def sealed(
    priority: int = 102, source: int = HIGHER_ADDRESS, sequence: int = 0, password: bytes = b"interopp"
) -> bytes:
    """A whole datagram as another router sends it."""
    seal = AuthenticationHeader(password, 0xC0, 255)
    seal.sequence = sequence
    return seal.seal(encode(Advert(2, 51, priority, SECOND_NS, VIP.octets, 2)), source, GROUPS[4])


def refused_frame(play: object, frame: bytes) -> Discard | None:
    datagram = opened(frame)
    more = {"destination": datagram.destination, "header": datagram.header}
    return refused_by(play, datagram.payload, datagram.ttl, datagram.source, **more)  # type: ignore[arg-type]


def test_v2_auth_01_pass_configured_and_none_received() -> None:
    assert refused_by(backup(**PASS), packet(102)) is Discard.AUTH_TYPE


@given(st.binary(min_size=8, max_size=8))
def test_v2_auth_02_the_password_has_to_be_equal(data: bytes) -> None:
    payload = encode(Advert(2, 51, 102, SECOND_NS, VIP.octets, 1, data))
    expected = None if data == b"secret\0\0" else Discard.AUTH_DATA
    assert refused_by(backup(**PASS), payload) is expected
    assert refused_by(backup(**PASS), encode(Advert(2, 51, 102, SECOND_NS, VIP.octets, 1, b"secret\0\0"))) is None


@pytest.mark.parametrize(("password", "data"), [(b"ab", b"ab\0\0\0\0\0\0"), (b"longer than 8", b"longer t")])
def test_v2_auth_03_a_password_is_filled_with_zero_or_cut_to_8(password: bytes, data: bytes) -> None:
    octets = timed_out(auth_type=1, auth_pass=password).packet
    assert (octets[4], octets[-8:]) == (1, data)


def test_v2_auth_04_no_header_or_a_wrong_digest_is_discarded_and_the_data_is_zero() -> None:
    assert refused_by(backup(**AH), packet(102)) is Discard.AUTH_TYPE
    frame = bytearray(sealed())
    frame[20 + 12] ^= 1
    assert refused_frame(backup(**AH), bytes(frame)) is Discard.AH_DIGEST
    assert refused_frame(backup(**AH), sealed(password=b"another")) is Discard.AH_DIGEST
    octets = timed_out(**AH).packet[LENGTH:]
    assert (octets[4], octets[-8:]) == (2, bytes(8))


def test_v2_auth_05_the_digest_is_hmac_md5_cut_to_12_octets() -> None:
    """Test case 2 of RFC 2202 would need a longer text; a packet of keepalived's serves as well (AUTH-07)."""
    (first, _) = KEEPALIVED
    assert AuthenticationHeader(b"interopp", 0xC0, 255).open(first[:20], first[20:]) == first[44:]
    assert len(first[32:44]) == 12


def test_v2_auth_06_the_header_is_laid_out_as_keepalived_s() -> None:
    play = master(**AH)
    play.router.handle_deadline(play.router.deadline() or 0)
    (advert,) = sent(play)
    assert advert.datagram[9] == 51
    assert advert.packet[:12] == bytes([112, 4, 0, 0]) + OWN.to_bytes(4, "big") + (2).to_bytes(4, "big")
    assert timed_out(**AH).packet[8:12] == (1).to_bytes(4, "big"), "numbers start with 1"


def test_v2_auth_07_packets_of_keepalived_open_and_any_change_in_them_is_seen() -> None:
    play = backup(**INTEROP)
    for frame in KEEPALIVED:
        assert refused_frame(play, frame) is None
    for at in range(len(KEEPALIVED[0])):
        frame = bytearray(KEEPALIVED[0])
        frame[at] ^= 1
        datagram = open_datagram(bytes(frame))
        if isinstance(datagram, Discard) or at in (1, 6, 7, 9, 10, 11):
            continue  # not a header any more, or what the digest leaves out
        more = {"destination": datagram.destination, "header": datagram.header}
        assert backup(**INTEROP).router.advert_received(datagram.payload, datagram.source, datagram.ttl, 0, **more) in (
            Discard.AH_DIGEST,
            Discard.AH_FORM,
            Discard.TTL,
            Discard.DESTINATION,
        ), at


def test_v2_auth_08_digest_first_then_sender_then_a_number_higher_than_any_seen() -> None:
    play = backup(**AH)
    frame = sealed(sequence=6)
    assert refused_frame(play, frame) is None
    assert refused_frame(play, frame) is Discard.AH_REPLAY
    assert refused_frame(play, sealed(source=LOWER_ADDRESS, sequence=7)) is None, "one count for all senders"
    foreign = AuthenticationHeader(b"interopp", 0xC0, 255)
    whole = bytearray(foreign.seal(encode(Advert(2, 51, 102, SECOND_NS, VIP.octets, 2)), HIGHER_ADDRESS, GROUPS[4]))
    ip = bytes(whole[:12]) + LOWER_ADDRESS.to_bytes(4, "big") + bytes(whole[16:20])
    blank = bytes(whole[20:32]) + bytes(12) + bytes(whole[44:])
    moved = ip + bytes(whole[20:32]) + foreign._digest(ip, blank) + bytes(whole[44:])
    assert refused_frame(backup(**AH), moved) is Discard.AH_SPI


def test_v2_auth_09_a_master_goes_on_past_the_number_it_hears_and_yields_when_none_is_left() -> None:
    play = master("keepalived-2", **AH)
    datagram = opened(sealed(100, sequence=1000))
    more = {"destination": datagram.destination, "header": datagram.header}
    assert play.router.advert_received(datagram.payload, datagram.source, 255, play.now, **more) is None
    (answer,) = sent(play)
    assert int.from_bytes(answer.packet[8:12], "big") > 1001
    seal = play.router._codec._seal
    assert seal is not None
    seal.sequence = LAST + 1
    play >> timeout(play.waits_s or 0) << removes() << becomes(State.BACKUP)


def test_v2_auth_10_a_header_that_is_not_configured_is_discarded_before_anything_is_read() -> None:
    assert refused_frame(backup(), sealed()) is Discard.AUTH_TYPE
    assert refused_frame(backup(**PASS), sealed()) is Discard.AUTH_TYPE
    assert refused_by(backup(**AH), resealed(packet(102))) is Discard.AUTH_TYPE
