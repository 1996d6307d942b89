"""The de-facto rules, learnt from real peers; the first of them are in test_v2.py and test_v3.py."""

from __future__ import annotations

import pytest

from support.playbook import advert, backup, becomes, owner, refused_by, removes, sends, timed_out
from support.routers import HIGHER6, HIGHER_ADDRESS, LOWER_ADDRESS, OWN, VIP6, packet, packet3, resealed
from vipd.config.behaviour import PRESETS
from vipd.protocol.packet import GROUPS, ChecksumForm, open_datagram
from vipd.protocol.table import State
from vipd.protocol.validation import Discard, Remark

UNICAST = {"version": 3, "unicast_peers": ("10.0.0.3",)}


def test_df_01_both_checksums_are_heard_and_the_one_of_the_deployed_base_is_sent() -> None:
    assert not any(preset.message_only_checksum for preset in PRESETS.values())
    for form in (ChecksumForm.MESSAGE, ChecksumForm.PSEUDO_HEADER):
        assert refused_by(backup(version=3), packet3(102, form=form)) is None


def test_df_02_unicast_checksums_cover_the_peer_s_address_or_the_group_s_and_any_ttl_is_heard() -> None:
    play = backup(**UNICAST)
    right = packet3(102, destination=OWN)
    old = packet3(102, destination=GROUPS[4])
    for octets in (right, old):
        assert refused_by(play, octets, ttl=64, destination=OWN) is None
    assert play.router.counters.remarks[Remark.GROUP_CHECKSUM] == 1
    assert timed_out(**UNICAST).destination == HIGHER_ADDRESS
    ranged = backup(unicast_ttl_ranges=((254, 255),), **UNICAST)
    assert refused_by(ranged, right, ttl=64, destination=OWN) is Discard.TTL
    for elsewhere in (GROUPS[4], 0xE0000063, 0xFFFFFFFF):
        assert refused_by(backup(**UNICAST), old, destination=elsewhere) is Discard.DESTINATION
    checked = backup(check_unicast_src=True, **UNICAST)
    assert refused_by(checked, packet3(102, source=9, destination=OWN), source=9, destination=OWN) is Discard.PEER


def test_df_03_frr_s_ipv6_adverts_are_heard_with_a_remark() -> None:
    play = backup(version=3, addresses=VIP6[1:], native_ipv6=True)
    assert refused_by(play, packet3(102, family=6, addresses=VIP6[1].octets), source=HIGHER6) is None
    assert play.router.counters.remarks[Remark.FIRST_ADDRESS] == 1


def test_df_04_nothing_that_is_read_is_asked_for_its_source_mac() -> None:
    """An ear is a raw IP socket: it has no Ethernet header to look at. tests/netns/vipd has both kinds as peers."""
    assert "mac" not in backup().router.advert_received.__annotations__


def test_df_07_ethernet_padding_is_cut_at_the_ip_length() -> None:
    octets = packet(102)
    header = bytes([0x45, 0, 0, 20 + len(octets), 0, 0, 0, 0, 255, 112, 0, 0, 10, 0, 0, 3, 224, 0, 0, 18])
    datagram = open_datagram(header + octets + bytes(26))
    assert not isinstance(datagram, Discard)
    assert refused_by(backup(), datagram.payload) is None


@pytest.mark.parametrize(("source", "stays"), [(HIGHER_ADDRESS, False), (LOWER_ADDRESS, True)])
def test_df_09_of_two_owners_the_one_of_higher_address_stays_master(source: int, stays: bool) -> None:
    """keepalived of 2024 has one of them drop to 254 besides; up to 2.3 they compare addresses, as here."""
    play = owner("keepalived-2")
    play >> advert(255, source) << ...
    assert (play.router.state is State.MASTER) is stays


def test_df_10_frr_s_limits_need_nothing_of_a_peer() -> None:
    """FRR has no authentication in version 2: what it sends is heard by a router without one, and by no other."""
    assert refused_by(backup(), packet(102)) is None
    assert refused_by(backup(auth_type=1, auth_pass=b"x"), packet(102)) is Discard.AUTH_TYPE


def test_df_11_cisco_s_md5_trailer_is_discarded_cleanly() -> None:
    octets = packet(102)
    cisco = resealed(octets[:4] + bytes([254]) + octets[5:] + bytes(20))
    assert refused_by(backup(), cisco) is Discard.LENGTH


@pytest.mark.parametrize("family", [4, 6])
def test_df_12_an_hmac_trailer_is_discarded_by_the_exact_length(family: int) -> None:
    changes = {"version": 3, **({"addresses": VIP6, "native_ipv6": True} if family == 6 else {})}
    source = HIGHER6 if family == 6 else HIGHER_ADDRESS
    assert refused_by(backup(**changes), packet3(102, family=family) + bytes(28), source=source) is Discard.LENGTH


def test_df_08_lower_prio_no_advert_keeps_a_master_silent() -> None:
    play = owner("keepalived-2", lower_prio_no_advert=True)
    play >> advert(100) << ...
    assert sends(255) not in play.did


def test_higher_prio_send_advert_makes_the_other_one_announce_again() -> None:
    play = backup("keepalived-2", higher_prio_send_advert=True)
    play.router.handle_deadline(play.router.deadline() or 0)
    play.router.drain()
    play >> advert(102) << sends(101) << removes() << becomes(State.BACKUP)
