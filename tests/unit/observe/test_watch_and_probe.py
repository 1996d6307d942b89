from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from viplab.lab.topology import CLIENT_IP, PAIR, make_host
from viplab.observe.probe import MAGIC, checksum, echo_request
from viplab.observe.watch import Watch

VIP = "192.168.122.50"


@given(st.integers(0, 0xFFFF), st.integers(0, 2**32), st.integers(0, 2**63))
def test_an_echo_request_checks_out_and_carries_its_number(identifier: int, sequence: int, now_ns: int) -> None:
    packet = echo_request(identifier, sequence, now_ns)
    assert checksum(packet) == 0
    assert packet[8:16] == MAGIC
    assert struct.unpack("!QQ", packet[16:32]) == (sequence, now_ns)


def watch() -> Watch:
    return Watch(VIP, [make_host(name) for name in PAIR], "virbr0", "virbr1")


def advert(source: str, priority: int) -> bytes:
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 255, 112, 0) + socket.inet_aton(source) + b"\xe0\0\0\x12"
    return b"\1\0\x5e\0\0\x12" + b"\2" * 6 + b"\x08\0" + ip + bytes([0x21, 51, priority, 1, 0, 1, 0, 0]) + b"\0" * 12


def gratuitous(mac: str) -> bytes:
    sender = bytes.fromhex(mac.replace(":", ""))
    vip = socket.inet_aton(VIP)
    return b"\xff" * 6 + sender + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + sender + vip + b"\xff" * 6 + vip


def test_an_advert_makes_its_sender_the_advertiser_unless_its_priority_is_zero() -> None:
    seen = watch()
    seen.on_advert(advert("10.10.10.11", 102), 1)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("A", 1)
    seen.on_advert(advert("10.10.10.12", 0), 2)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("A", 1)


def test_a_carp_advert_without_skew_makes_its_sender_the_advertiser() -> None:
    seen = watch()
    seen.protocol = "carp"
    seen.on_advert(advert("10.10.10.11", 0), 1)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("A", 1)


def test_bursts_are_counted_by_the_gap_between_them_and_anew_for_a_new_announcer() -> None:
    seen = watch()
    a, b = (make_host(name).interface("eth1").mac for name in ("A", "B"))
    for at_ns in (0, 1_000, 2_000, 5_000_000_000, 5_000_001_000):
        seen.on_public(gratuitous(a), at_ns)
    assert (seen.seen.announcer, seen.seen.bursts) == ("A", 2)
    seen.on_public(gratuitous(b), 6_000_000_000)
    assert (seen.seen.announcer, seen.seen.bursts) == ("B", 1)


def test_only_the_client_s_own_pings_are_counted() -> None:
    seen = watch()
    for source in (CLIENT_IP, "192.168.122.2"):
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 60, 0, 0, 64, 1, 0) + socket.inet_aton(source) + socket.inet_aton(VIP)
        seen.on_public(b"\2" * 12 + b"\x08\0" + ip + echo_request(1, 1, 1), 1)
    assert seen.seen.pings == 1


@given(st.binary(max_size=200))
def test_no_frame_can_stop_the_watch(frame: bytes) -> None:
    seen = watch()
    seen.on_public(frame, 1)
    seen.on_advert(frame, 1)
