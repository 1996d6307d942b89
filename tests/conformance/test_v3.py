"""VRRP version 3 by RFC 9568 with its errata, clause by clause; the level and the rule stand in `clauses.tsv`.

Those of the wire itself are tested on a real kernel, in tests/netns/vipd.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.playbook import (
    Event,
    Playbook,
    adds,
    backup,
    becomes,
    garps,
    hears,
    link,
    master,
    owner,
    refused_by,
    removes,
    seconds,
    sends,
    sent,
    stopped,
    timed_out,
    timeout,
)
from support.routers import HIGHER6, HIGHER_ADDRESS, LOWER_ADDRESS, OWN, OWN6, VIP, VIP6, config, packet3
from vipd.config.behaviour import SECOND_NS
from vipd.config.parser import ConfigError, parse
from vipd.kernel.macvlan import virtual_mac
from vipd.protocol.checksum import checksum, pseudo_header
from vipd.protocol.garp import gratuitous_arp, unsolicited_neighbour_advert
from vipd.protocol.packet import GROUPS, Advert, ChecksumForm
from vipd.protocol.packet_v2 import encode as encode_v2
from vipd.protocol.packet_v3 import decode
from vipd.protocol.table import State
from vipd.protocol.validation import Discard, Remark

SKEW_S = 155 / 256
V3 = {"version": 3}
V6 = {"version": 3, "addresses": VIP6, "native_ipv6": True}
CONF = "vrrp_instance V {{\nversion 3\ninterface eth0\nvirtual_router_id 1\n{}\nvirtual_ipaddress {{ 10.0.0.1 }}\n}}\n"


def advert(priority: int, source: int = HIGHER_ADDRESS, interval_s: float = 1) -> Event:
    return hears(packet3(priority, interval_s, source=source), source)


# -- packets


@pytest.mark.parametrize("destination", [OWN6, 0xFF02 << 112 | 1])
def test_v3_pkt_02_only_what_is_sent_to_the_group_is_heard(destination: int) -> None:
    assert refused_by(backup(**V3), packet3(200), destination=OWN) is Discard.DESTINATION
    octets = packet3(200, family=6, destination=destination)
    assert refused_by(backup(**V6), octets, source=HIGHER6, destination=destination) is Discard.DESTINATION


@pytest.mark.parametrize("changes", [V3, V6])
def test_v3_pkt_05_version_3_type_1(changes: dict[str, object]) -> None:
    assert timed_out(**changes).packet[0] == 0x31


@pytest.mark.parametrize("kind", [0, 2, 15])
def test_v3_pkt_06_unknown_type_is_discarded(kind: int) -> None:
    assert refused_by(backup(**V3), bytes([0x30 | kind]) + packet3(102)[1:]) is Discard.TYPE


def test_v3_pkt_07_owner_255_backups_1_to_254_and_0_to_relinquish() -> None:
    play = Playbook("rfc9568", priority=255, **V3)
    play.router.started({"eth0": True, "eth1": True}, play.now)
    assert sent(play)[0].packet[2] == 255
    play.router.shut_down(play.now)
    assert sent(play)[0].packet[2] == 0
    assert parse(CONF.format(""), "f").config.routers[0].priority == 100
    with pytest.raises(ConfigError, match="priority"):
        parse(CONF.format("priority 0"), "f")


def test_v3_pkt_08_an_advert_without_addresses_is_ignored() -> None:
    assert refused_by(backup(**V3), packet3(102, addresses=b"")) is Discard.NO_ADDRESS


@given(st.integers(1, 15))
def test_v3_pkt_09_the_reserved_nibble_is_zero_sent_and_ignored(reserved: int) -> None:
    assert timed_out(**V3).packet[4] >> 4 == 0
    octets = packet3(102, form=ChecksumForm.MESSAGE)
    changed = octets[:4] + bytes([octets[4] | reserved << 4]) + octets[5:6] + b"\0\0" + octets[8:]
    changed = changed[:6] + checksum(changed).to_bytes(2, "big") + changed[8:]
    advert = decode(changed, 4, HIGHER_ADDRESS, GROUPS[4])
    assert isinstance(advert, Advert)
    assert advert.advert_int_ns == SECOND_NS


@pytest.mark.parametrize("centiseconds", [1, 100, 4095])
def test_v3_pkt_10_the_interval_is_twelve_bits_of_centiseconds(centiseconds: int) -> None:
    octets = timed_out(advert_int_s=centiseconds / 100, **V3).packet
    assert int.from_bytes(octets[4:6], "big") == centiseconds
    assert config(**V3).advert_int_ns == SECOND_NS, "100 by default"


@given(st.integers(0, 255), st.binary(min_size=16, max_size=16))
def test_v3_pkt_11_over_ipv6_the_checksum_covers_the_pseudo_header(priority: int, address: bytes) -> None:
    octets = packet3(priority, family=6, addresses=address)
    pseudo = (
        HIGHER6.to_bytes(16, "big")
        + GROUPS[6].to_bytes(16, "big")
        + len(octets).to_bytes(4, "big")
        + bytes([0, 0, 0, 112])
    )
    assert checksum(pseudo + octets) == 0
    assert isinstance(decode(octets, 6, HIGHER6, GROUPS[6]), Advert)
    assert decode(octets, 6, HIGHER6 + 1, GROUPS[6]) is Discard.CHECKSUM


def test_v3_pkt_12_over_ipv4_both_checksums_are_read_counted_and_can_be_sent() -> None:
    play = backup(**V3)
    for form in (ChecksumForm.MESSAGE, ChecksumForm.PSEUDO_HEADER):
        assert refused_by(play, packet3(102, form=form)) is None
        assert play.router.counters.forms[form] == 1
    assert checksum(timed_out(message_only_checksum=True, **V3).packet) == 0
    octets = timed_out(**V3).packet
    assert checksum(octets, pseudo_header(OWN, GROUPS[4], len(octets), 112)) == 0, "RFC 5798's by default (DF-01)"


def test_v3_pkt_13_the_first_ipv6_address_is_link_local() -> None:
    assert timed_out(**V6).packet[8:10] == b"\xfe\x80"


def test_v3_pkt_14_the_address_family_is_that_of_the_ip_header() -> None:
    assert len(timed_out(**V3).packet) == 8 + 4
    assert len(timed_out(**V6).packet) == 8 + 2 * 16
    assert decode(packet3(102), 6, HIGHER6, GROUPS[6]) is Discard.LENGTH


@given(st.integers(1, 255))
def test_v3_pkt_15_the_virtual_mac_is_made_of_family_and_vrid(vrid: int) -> None:
    assert virtual_mac(vrid, 4).hex("-") == f"00-00-5e-00-01-{vrid:02x}"
    assert virtual_mac(vrid, 6).hex("-") == f"00-00-5e-00-02-{vrid:02x}"


def test_v3_pkt_16_addresses_go_in_the_order_of_the_configuration() -> None:
    assert timed_out(**V6).packet[8:] == b"".join(vip.octets for vip in VIP6)


# -- receiving


@pytest.mark.parametrize("ttl", [0, 1, 64, 254])
@pytest.mark.parametrize("changes", [V3, V6])
def test_v3_rx_01_ttl_other_than_255_is_discarded(ttl: int, changes: dict[str, object]) -> None:
    assert refused_by(backup(**changes), packet3(102), ttl=ttl) is Discard.TTL


@pytest.mark.parametrize("version", [0, 1, 2, 15])
def test_v3_rx_02_version_other_than_3_is_discarded(version: int) -> None:
    assert refused_by(backup(**V3), bytes([version << 4 | 1]) + packet3(102)[1:]) is Discard.VERSION


@pytest.mark.parametrize("kind", [0, 2, 15])
def test_v3_rx_03_type_other_than_1_is_discarded(kind: int) -> None:
    test_v3_pkt_06_unknown_type_is_discarded(kind)


@given(st.integers(0, 11))
def test_v3_rx_04_incomplete_packet_is_discarded(length: int) -> None:
    assert refused_by(backup(**V3), packet3(102)[:length]) in (Discard.TOO_SHORT, Discard.LENGTH)


def test_v3_rx_05_bad_checksum_is_discarded() -> None:
    for family, changes in ((4, V3), (6, V6)):
        octets = bytearray(packet3(102, family=family))
        octets[7] ^= 1
        assert refused_by(backup(**changes), bytes(octets), source=HIGHER6 if family == 6 else HIGHER_ADDRESS) is (
            Discard.CHECKSUM
        )


def test_v3_rx_06_vrid_that_is_not_configured_is_discarded() -> None:
    assert refused_by(backup(**V3), packet3(102, vrid=52)) is Discard.VRID


def test_v3_rx_07_an_owner_hears_and_remarks_on_it_and_can_be_told_not_to() -> None:
    play = owner(**V3)
    assert refused_by(play, packet3(100)) is None
    assert play.router.counters.remarks[Remark.OWNER] == 1
    assert refused_by(owner(owner_ignore_adverts=True, **V3), packet3(100)) is Discard.OWNER


def test_v3_rx_08_an_interval_of_zero_is_discarded() -> None:
    assert refused_by(backup(**V3), packet3(102, interval_s=0)) is Discard.NO_INTERVAL


def test_v3_rx_09_a_first_address_that_is_not_link_local_is_remarked_on_or_discarded() -> None:
    octets = packet3(102, family=6, addresses=VIP6[1].octets)
    play = backup(**V6)
    assert refused_by(play, octets, source=HIGHER6) is None
    assert play.router.counters.remarks[Remark.FIRST_ADDRESS] == 1
    assert refused_by(backup(link_local_first=True, **V6), octets, source=HIGHER6) is Discard.FIRST_ADDRESS


def test_v3_rx_10_discards_are_logged_but_not_at_the_rate_they_come() -> None:
    play = Playbook("rfc9568", logs=True, **V3)
    play.router.started({"eth0": True, "eth1": True}, play.now)
    play.router.drain()
    for _ in range(100):
        play.router.advert_received(b"", HIGHER_ADDRESS, 255, play.now)
    assert len(play.router.drain()) == 1


def test_v3_rx_11_another_interval_is_remarked_on_and_not_dropped() -> None:
    play = backup(**V3)
    assert refused_by(play, packet3(102, interval_s=2)) is None
    assert play.router.counters.remarks[Remark.INTERVAL] == 1


def test_v3_rx_12_another_address_list_is_remarked_on_and_not_dropped() -> None:
    play = backup(**V3)
    assert refused_by(play, packet3(102, addresses=bytes([10, 0, 0, 99]))) is None
    assert play.router.counters.remarks[Remark.ADDRESSES] == 1


# -- timers


@given(st.integers(1, 254), st.integers(1, 4095))
def test_v3_tmr_01_skew_scales_with_the_interval_and_is_not_rounded(priority: int, centiseconds: int) -> None:
    made = config(priority=priority, advert_int_s=centiseconds / 100, **V3)
    assert made.skew_ns == (256 - priority) * centiseconds * 10_000_000 // 256


@given(st.integers(1, 254), st.integers(1, 4095))
def test_v3_tmr_02_active_down_interval_is_three_intervals_and_the_skew(priority: int, centiseconds: int) -> None:
    play = backup(priority=priority, advert_int_s=centiseconds / 100, **V3)
    deadline = play.router.deadline()
    assert deadline is not None
    made = play.router.config
    assert deadline - play.now == 3 * centiseconds * 10_000_000 + made.skew_ns


def test_v3_tmr_03_defaults_are_100_cs_100_preempt_and_accept_false_by_the_rfc() -> None:
    (found,) = parse(CONF.format(""), "f").config.routers
    assert (found.advert_int_ns, found.priority, found.preempt) == (SECOND_NS, 100, True)
    assert not backup(**V3).router.behaviour.accepts


# -- state machine


@pytest.mark.parametrize("changes", [V3, V6])
def test_v3_fsm_01_an_owner_is_active_at_once(changes: dict[str, object]) -> None:
    play = owner(**changes)
    assert play.waits_s == 1


def test_v3_fsm_01_the_neighbour_advert_has_r_and_o_and_the_virtual_mac() -> None:
    mac, address = virtual_mac(51, 6), VIP6[1].octets
    frame = unsolicited_neighbour_advert(mac, address)
    ethernet, ip, icmp = frame[:14], frame[14:54], frame[54:]
    assert ethernet == bytes.fromhex("333300000001") + mac + b"\x86\xdd"
    assert (ip[6], ip[7], ip[8:24], ip[24:].hex()) == (58, 255, address, "ff02" + "0" * 27 + "1")
    assert (icmp[0], icmp[4], icmp[8:24], icmp[24:26], icmp[26:]) == (136, 0xA0, address, b"\x02\x01", mac)
    pseudo = ip[8:40] + len(icmp).to_bytes(4, "big") + bytes([0, 0, 0, 58])
    assert checksum(pseudo + icmp) == 0


def test_v3_fsm_02_gratuitous_arp_names_the_address_twice_and_the_virtual_mac() -> None:
    frame = gratuitous_arp(virtual_mac(51, 4), VIP.octets)
    assert (frame[28:32], frame[38:42]) == (VIP.octets, VIP.octets)
    assert frame[6:12] == frame[22:28] == virtual_mac(51, 4)


def test_v3_fsm_03_startup_below_255_is_backup_with_the_own_interval() -> None:
    play = backup(advert_int_s=0.5, **V3)
    assert play.waits_s == pytest.approx(1.5 + 0.5 * SKEW_S)


def test_v3_fsm_04_a_backup_holds_no_address_that_it_could_answer_for() -> None:
    play = master(**V6)
    play >> hears(packet3(102, family=6), HIGHER6) << removes() << becomes(State.BACKUP)


def test_v3_fsm_07_backup_shut_down_sends_no_priority_zero() -> None:
    play = backup(**V3)
    play >> stopped() << becomes(State.INITIALIZE)
    assert play.waits_s is None


@pytest.mark.parametrize("changes", [V3, V6])
def test_v3_fsm_08_timeout_sends_an_advert_and_announces(changes: dict[str, object]) -> None:
    play = backup(**changes)
    play >> timeout(3 + SKEW_S) << sends(101) << adds() << garps(1) << becomes(State.MASTER)
    assert play.waits_s == 1


def test_v3_fsm_09_priority_zero_sets_skew_time() -> None:
    play = backup(advert_int_s=0.1, **V3)
    play >> advert(0, interval_s=0.1)
    assert play.waits_s == pytest.approx(0.1 * SKEW_S)


@pytest.mark.parametrize("priority", [101, 102, 255])
def test_v3_fsm_10_backup_adopts_the_interval_and_computes_skew_and_down_interval_anew(priority: int) -> None:
    play = backup(**V3)
    play >> advert(priority, interval_s=0.2)
    assert play.waits_s == pytest.approx(0.6 + 0.2 * SKEW_S)
    play >> advert(0, interval_s=7)
    assert play.waits_s == pytest.approx(0.2 * SKEW_S), "the farewell's interval is not adopted"


def test_v3_fsm_10_without_preemption_from_a_lower_one_too() -> None:
    play = backup(preempt=False, **V3)
    play >> advert(1, interval_s=0.2)
    assert play.waits_s == pytest.approx(0.6 + 0.2 * SKEW_S)


def test_v3_fsm_11_a_lower_advert_leaves_timer_and_interval_alone() -> None:
    play = backup(**V3)
    play >> seconds(2)
    play >> advert(100, interval_s=0.2)
    assert play.waits_s == pytest.approx(1 + SKEW_S)
    play >> advert(0)
    assert play.waits_s == pytest.approx(SKEW_S)


def test_v3_fsm_16_active_shut_down_sends_priority_zero() -> None:
    play = master(**V3)
    play >> stopped() << sends(0) << removes() << becomes(State.INITIALIZE)
    assert play.waits_s is None


def test_v3_fsm_17_the_advert_timer_sends_and_starts_again_and_priority_zero_does_so_too() -> None:
    play = master(advert_int_s=0.1, **V3)
    play >> timeout(0.1) << sends(101)
    play >> timeout(0.1) << sends(101)
    play >> seconds(0.05)
    play >> advert(0) << sends(101)
    assert play.waits_s == pytest.approx(0.1)


@pytest.mark.parametrize(("priority", "source"), [(102, LOWER_ADDRESS), (255, LOWER_ADDRESS), (101, 0xC0000001)])
def test_v3_fsm_18_active_yields_to_a_higher_priority_or_address_and_adopts_its_interval(
    priority: int, source: int
) -> None:
    play = master(**V3)
    play >> advert(priority, source, 0.2) << removes() << becomes(State.BACKUP)
    assert play.waits_s == pytest.approx(0.6 + 0.2 * SKEW_S)


def test_v3_fsm_18_addresses_of_ipv6_compare_as_unsigned_numbers() -> None:
    play = master(**V6)
    play >> hears(packet3(101, family=6), HIGHER6) << removes() << becomes(State.BACKUP)
    play = master(**V6)
    lower = OWN6 - 1
    play >> hears(packet3(101, family=6, source=lower), lower) << sends(101)


@pytest.mark.parametrize(("priority", "source"), [(100, HIGHER_ADDRESS), (101, LOWER_ADDRESS)])
def test_v3_fsm_19_active_asserts_itself_at_once_and_leaves_its_timer(priority: int, source: int) -> None:
    play = master(**V3)
    play >> seconds(0.4)
    play >> advert(priority, source) << sends(101)
    assert play.waits_s == pytest.approx(0.6)


def test_v3_fsm_20_the_same_vrid_of_two_families_are_two_routers() -> None:
    text = (
        "vrrp_instance A {\nversion 3\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress { 10.0.0.1 }\n}\n"
        "vrrp_instance B {\nversion 3\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress { fe80::1 }\n}\n"
    )
    assert [router.family for router in parse(text, "f").config.routers] == [4, 6]


# -- hosts and operations


def test_v3_host_02_nothing_is_announced_before_there_is_an_address_to_send_from() -> None:
    play = Playbook("rfc9568", priority=255, **V3)
    play.router.started({"eth0": False, "eth1": True}, play.now)
    play.router.drain()
    assert play.router.state is State.FAULT, "the shell takes an interface without an address for one that is down"
    play >> link("eth0", True) << sends(255) << adds() << garps(1) << becomes(State.MASTER)
    play.done()


def test_v3_host_07_two_owners_and_equal_priorities_are_remarked_on() -> None:
    play = owner(**V3)
    refused_by(play, packet3(255))
    assert play.router.counters.remarks[Remark.TWO_OWNERS] == 1
    play = backup(**V3)
    refused_by(play, packet3(101))
    assert play.router.counters.remarks[Remark.EQUAL_PRIORITY] == 1


# -- versions 2 and 3 together


def dual(**changes: object) -> Playbook:
    return backup(version=3, dual=True, **changes)


def test_v3_int_01_dual_mode_sends_both_versions_at_the_configured_rate() -> None:
    play = dual(advert_int_s=0.5)
    deadline = play.router.deadline()
    assert deadline is not None
    play.router.handle_deadline(deadline)
    assert [effect.packet[0] for effect in sent(play)] == [0x31, 0x21]
    assert play.router.deadline() == deadline + SECOND_NS // 2
    play.router.handle_deadline(deadline + SECOND_NS // 2)
    assert [effect.packet[0] for effect in sent(play)] == [0x31, 0x21]


def test_v3_int_02_dual_mode_backup_times_out_on_the_active_one_s_rate() -> None:
    play = dual(advert_int_s=0.5)
    play >> hears(encode_v2(Advert(2, 51, 102, 4 * SECOND_NS, VIP.octets)))
    assert play.waits_s == pytest.approx(12 + 4 * SKEW_S)


def test_v3_int_03_version_2_is_ignored_from_one_that_sends_version_3_too() -> None:
    play = dual()
    play >> advert(102, interval_s=0.2)
    v2 = encode_v2(Advert(2, 51, 102, SECOND_NS, VIP.octets))
    assert refused_by(play, v2) is Discard.SUPERSEDED
    play.now += SECOND_NS
    assert refused_by(play, v2) is None, "it no longer does"
