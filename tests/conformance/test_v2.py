"""VRRP version 2 by RFC 3768, clause by clause; the level and the rule stand in `clauses.tsv`.

Those of the wire itself are tested on a real kernel, in tests/netns/vipd; authentication in test_auth.py.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.playbook import (
    Playbook,
    adds,
    advert,
    backup,
    becomes,
    garps,
    log,
    master,
    owner,
    refused_by,
    removes,
    seconds,
    sends,
    sent,
    started,
    stopped,
    timed_out,
    timeout,
)
from support.routers import HIGHER_ADDRESS, LOWER_ADDRESS, OWN, VIP, config, packet
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import VirtualAddress
from vipd.config.parser import ConfigError, parse
from vipd.kernel.macvlan import virtual_mac
from vipd.protocol.checksum import checksum
from vipd.protocol.packet import GROUPS, Advert
from vipd.protocol.packet_v2 import decode, encode
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

SKEW_S = 155 / 256
DOWN_S = 3 + SKEW_S


def refused(payload: bytes, ttl: int = 255, source: int = HIGHER_ADDRESS, **changes: object) -> Discard | None:
    """Why a router, fresh for this, refuses a packet."""
    play = owner(**changes) if changes.pop("priority", None) == 255 else backup(**changes)
    return refused_by(play, payload, ttl, source)


# -- packets


@pytest.mark.parametrize("destination", [OWN, 0xFFFF_FFFF, 0x0A00_00FF, 0xE000_0063])
def test_v2_pkt_02_only_what_is_sent_to_the_group_is_heard(destination: int) -> None:
    assert refused_by(backup(), packet(200), destination=destination) is Discard.DESTINATION
    assert refused_by(backup(), packet(200), destination=GROUPS[4]) is None


def test_v2_pkt_05_version_2_type_1() -> None:
    assert timed_out().packet[0] == 0x21


@pytest.mark.parametrize("kind", [0, 2, 15])
def test_v2_pkt_06_unknown_type_is_discarded(kind: int) -> None:
    assert refused(bytes([0x20 | kind]) + packet(102)[1:]) is Discard.TYPE


@pytest.mark.parametrize("vrid", ["0", "256", ""])
def test_v2_pkt_07_vrid_is_1_to_255_and_has_no_default(vrid: str) -> None:
    line = f"virtual_router_id {vrid}" if vrid else ""
    with pytest.raises(ConfigError, match="virtual_router_id"):
        parse(f"vrrp_instance V {{\ninterface eth0\n{line}\nvirtual_ipaddress {{ 10.0.0.1 }}\n}}\n", "f")


def test_v2_pkt_08_the_owner_advertises_255() -> None:
    play = Playbook("rfc9568", priority=255)
    play.router.started({"eth0": True, "eth1": True}, play.now)
    assert sent(play)[0].packet[2] == 255


def test_v2_pkt_09_a_backup_has_1_to_254_and_100_by_default() -> None:
    text = "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{}\nvirtual_ipaddress {{ 10.0.0.1 }}\n}}\n"
    assert parse(text.format(""), "f").config.routers[0].priority == 100
    with pytest.raises(ConfigError, match="priority"):
        parse(text.format("priority 0"), "f")


def test_v2_pkt_10_priority_0_says_that_the_master_has_stopped() -> None:
    play = master()
    play.router.shut_down(play.now)
    assert sent(play)[0].packet[2] == 0


@pytest.mark.parametrize("count", [1, 2, 20])
def test_v2_pkt_11_length_is_8_and_4_for_each_address_and_8(count: int) -> None:
    addresses = tuple(VirtualAddress(f"10.9.0.{number}", 32, "eth1") for number in range(count))
    octets = timed_out(addresses=addresses).packet
    assert octets[3] == count
    assert len(octets) == 8 + 4 * count + 8
    for wrong in (octets[:-1], octets + b"\0", octets[:-8]):
        assert refused(wrong) is Discard.LENGTH


@pytest.mark.parametrize("advert_int_s", [1, 4, 255])
def test_v2_pkt_12_interval_is_one_octet_of_whole_seconds(advert_int_s: int) -> None:
    assert timed_out(advert_int_s=advert_int_s).packet[5] == advert_int_s


@given(st.binary(min_size=4, max_size=4))
def test_v2_pkt_13_checksum_covers_the_message_and_nothing_else(address: bytes) -> None:
    octets = encode(Advert(2, 51, 101, SECOND_NS, address))
    zeroed = octets[:6] + b"\0\0" + octets[8:]
    assert int.from_bytes(octets[6:8], "big") == checksum(zeroed)


def test_v2_pkt_14_authentication_data_is_zero_sent_and_ignored_but_counted_in() -> None:
    octets = timed_out().packet
    assert octets[4] == 0
    assert octets[-8:] == bytes(8)
    filled = octets[:6] + b"\0\0" + octets[8:-8] + b"password"
    filled = filled[:6] + checksum(filled).to_bytes(2, "big") + filled[8:]
    assert isinstance(decode(filled), Advert)
    assert decode(octets[:-8] + b"password") is Discard.CHECKSUM


@pytest.mark.parametrize("auth_type", [1, 2, 3, 254])
def test_v2_auth_01_a_type_that_is_not_the_configured_one_is_discarded(auth_type: int) -> None:
    octets = packet(102)
    changed = octets[:4] + bytes([auth_type]) + octets[5:6] + b"\0\0" + octets[8:]
    changed = changed[:6] + checksum(changed).to_bytes(2, "big") + changed[8:]
    assert refused(changed) is Discard.AUTH_TYPE


# -- receiving


@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
def test_v2_rx_01_ttl_other_than_255_is_discarded(ttl: int) -> None:
    assert refused(packet(102), ttl=ttl) is Discard.TTL


@pytest.mark.parametrize("version", [0, 1, 3, 15])
def test_v2_rx_02_version_other_than_2_is_discarded(version: int) -> None:
    assert refused(bytes([version << 4 | 1]) + packet(102)[1:]) is Discard.VERSION


@given(st.integers(0, 19))
def test_v2_rx_03_incomplete_packet_is_discarded(length: int) -> None:
    assert refused(packet(102)[:length]) in (Discard.TOO_SHORT, Discard.LENGTH)


def test_v2_rx_04_bad_checksum_is_discarded() -> None:
    octets = bytearray(packet(102))
    octets[6] ^= 1
    assert refused(bytes(octets)) is Discard.CHECKSUM


def test_v2_rx_05_vrid_that_is_not_configured_is_discarded() -> None:
    assert refused(packet(102, vrid=52)) is Discard.VRID


def test_v2_rx_06_the_owner_discards() -> None:
    assert refused(packet(255), priority=255) is Discard.OWNER


def test_v2_rx_07_authentication_that_fails_is_discarded() -> None:
    test_v2_auth_01_a_type_that_is_not_the_configured_one_is_discarded(1)


def test_v2_rx_08_a_discard_is_logged_with_its_reason() -> None:
    play = Playbook("rfc9568", logs=True)
    play.router.started({"eth0": True, "eth1": True}, play.now)
    play.router.drain()
    play.router.advert_received(b"", HIGHER_ADDRESS, 255, play.now)
    (line,) = play.router.drain()
    assert log(getattr(line, "text", "")) == log(f"(VI_1) discarded a packet from 10.0.0.3: {Discard.TOO_SHORT.value}")


def test_v2_rx_09_another_address_list_is_discarded_unless_the_owner_sends_it() -> None:
    other = bytes([10, 0, 0, 99])
    assert refused(packet(102, addresses=other)) is Discard.ADDRESSES
    assert refused(packet(102, addresses=VIP.octets + other)) is Discard.ADDRESSES
    assert refused(packet(255, addresses=other)) is None


def test_v2_rx_09_the_order_of_addresses_does_not_matter() -> None:
    other = VirtualAddress("10.0.0.99", 32, "eth1")
    assert refused(packet(102, addresses=other.octets + VIP.octets), addresses=(VIP, other)) is None


def test_v2_rx_10_another_interval_is_discarded() -> None:
    assert refused(packet(102, advert_int_s=2)) is Discard.INTERVAL


# -- sending


def test_v2_tx_01_fields_are_those_of_the_router_and_the_checksum_fits() -> None:
    octets = timed_out(vrid=7, priority=33, advert_int_s=2).packet
    assert decode(octets) == Advert(2, 7, 33, 2 * SECOND_NS, VIP.octets)


def test_v2_pkt_15_the_virtual_mac_is_made_of_the_vrid() -> None:
    assert virtual_mac(51, 4).hex("-") == "00-00-5e-00-01-33"


# -- timers


@given(st.integers(1, 254), st.integers(1, 255))
def test_v2_tmr_01_skew_is_a_256th_of_a_second_for_each_step_of_priority(priority: int, advert_int_s: int) -> None:
    skew_ns = config(priority=priority, advert_int_s=advert_int_s).skew_ns
    assert abs(skew_ns - (256 - priority) / 256 * SECOND_NS) < 1


@given(st.integers(1, 254), st.integers(1, 255))
def test_v2_tmr_02_master_down_interval_is_three_intervals_and_the_skew(priority: int, advert_int_s: int) -> None:
    made = config(priority=priority, advert_int_s=advert_int_s)
    assert made.master_down_ns == 3 * advert_int_s * SECOND_NS + made.skew_ns


def test_v2_tmr_03_defaults_are_1_s_100_and_preempt() -> None:
    text = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 10.0.0.1 }\n}\n"
    (found,) = parse(text, "f").config.routers
    assert (found.advert_int_ns, found.priority, found.preempt) == (SECOND_NS, 100, True)


# -- state machine


def test_v2_fsm_01_startup_of_an_owner_sends_an_advert_and_announces() -> None:
    play = Playbook("rfc9568", priority=255)
    play >> started() << sends(255) << adds() << garps(1) << becomes(State.MASTER)
    assert play.waits_s == 1


def test_v2_fsm_02_startup_below_255_is_backup_for_a_master_down_interval() -> None:
    play = backup()
    assert play.waits_s == pytest.approx(DOWN_S)


def test_v2_fsm_03_a_backup_holds_no_address_that_it_could_answer_for() -> None:
    play = Playbook("rfc9568")
    play >> started() << removes() << becomes(State.BACKUP)


def test_v2_fsm_05_a_backup_accepts_nothing_for_the_address_it_gave_up() -> None:
    play = master()
    play >> advert(102) << removes() << becomes(State.BACKUP)


def test_v2_fsm_06_backup_shut_down_sends_no_priority_zero() -> None:
    play = backup()
    play >> stopped() << becomes(State.INITIALIZE)
    assert play.waits_s is None


def test_v2_fsm_07_timeout_sends_an_advert_and_announces_each_address() -> None:
    play = backup()
    play >> timeout(DOWN_S) << sends(101) << adds() << garps(1) << becomes(State.MASTER)
    assert play.waits_s == 1


def test_v2_fsm_08_priority_zero_sets_skew_time() -> None:
    play = backup()
    play >> seconds(1)
    play >> advert(0)
    assert play.waits_s == pytest.approx(SKEW_S)


@pytest.mark.parametrize("priority", [101, 102, 255])
def test_v2_fsm_09_an_advert_of_no_lower_priority_sets_the_timer_anew(priority: int) -> None:
    play = backup()
    play >> seconds(2)
    play >> advert(priority)
    assert play.waits_s == pytest.approx(DOWN_S)


def test_v2_fsm_09_without_preemption_a_lower_one_does_too() -> None:
    play = backup(preempt=False)
    play >> seconds(2)
    play >> advert(1)
    assert play.waits_s == pytest.approx(DOWN_S)


def test_v2_fsm_10_a_lower_advert_leaves_the_timer_alone() -> None:
    play = backup()
    play >> seconds(2)
    play >> advert(100)
    assert play.waits_s == pytest.approx(DOWN_S - 2)


def test_v2_fsm_11_a_master_holds_the_address_that_it_answers_for() -> None:
    play = backup()
    play >> timeout(DOWN_S) << sends(101) << adds() << garps(1) << becomes(State.MASTER)


def test_v2_fsm_13_master_shut_down_sends_priority_zero() -> None:
    play = master()
    play >> stopped() << sends(0) << removes() << becomes(State.INITIALIZE)
    assert play.waits_s is None


def test_v2_fsm_14_the_advert_timer_sends_an_advert_and_starts_again() -> None:
    play = master()
    for _ in range(5):
        play >> timeout(1) << sends(101)


def test_v2_fsm_15_master_answers_priority_zero_and_starts_its_timer_again() -> None:
    play = master()
    play >> seconds(0.5)
    play >> advert(0) << sends(101)
    assert play.waits_s == 1


@pytest.mark.parametrize(("priority", "source"), [(102, LOWER_ADDRESS), (255, LOWER_ADDRESS), (101, HIGHER_ADDRESS)])
def test_v2_fsm_16_master_yields_to_a_higher_priority_or_address(priority: int, source: int) -> None:
    play = master()
    play >> advert(priority, source) << removes() << becomes(State.BACKUP)
    assert play.waits_s == pytest.approx(DOWN_S)


def test_v2_fsm_16_addresses_compare_as_unsigned_numbers() -> None:
    play = master()
    play >> advert(101, 0xC0000001) << removes() << becomes(State.BACKUP)


@pytest.mark.parametrize(("priority", "source"), [(100, HIGHER_ADDRESS), (101, LOWER_ADDRESS)])
def test_v2_fsm_17_master_discards_any_other_advert_silently(priority: int, source: int) -> None:
    play = master()
    play >> seconds(0.5)
    play >> advert(priority, source)
    assert play.waits_s == pytest.approx(0.5)


def test_v2_fsm_18_a_master_that_may_not_preempt_yields_all_the_same() -> None:
    play = master(preempt=False)
    play >> advert(102) << removes() << becomes(State.BACKUP)


def test_v2_fsm_18_a_backup_does_not_ask_for_addresses() -> None:
    play = backup()
    play >> seconds(2)
    play >> advert(101, LOWER_ADDRESS)
    assert play.waits_s == pytest.approx(DOWN_S)


# -- learnt from peers


def test_df_05_bursts_can_be_configured() -> None:
    play = Playbook("rfc9568", garp_repeat=3, garp_delay_ns=SECOND_NS // 2)
    play >> started() << removes() << becomes(State.BACKUP)
    play >> timeout(DOWN_S) << sends(101) << adds() << garps(3) << becomes(State.MASTER)
    play >> timeout(0.5) << garps(3)


def test_df_06_carp_does_not_reach_the_state_machine() -> None:
    carp = bytes.fromhex("2133000700010000") + bytes(28)
    carp = carp[:6] + checksum(carp).to_bytes(2, "big") + carp[8:]
    assert refused(carp) is Discard.CARP


def test_df_08_answering_a_lower_advert_is_a_switch() -> None:
    assert {name: preset.answers_lower_advert for name, preset in PRESETS.items()} == {
        "rfc9568": False,
        "keepalived-2": True,
        "keepalived-1.2.2": True,
    }


def test_df_13_an_own_advert_that_comes_back_is_ignored() -> None:
    play = master()
    assert play.router.advert_received(packet(101), play.router.primary, 255, play.now) is Discard.LOOPED
