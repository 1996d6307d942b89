from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from viplab.address_family import IPV4, IPV6
from viplab.ground_truth import wire
from viplab.lab.topology import CLIENT_IP, CLIENTS, PAIR, make_host
from viplab.observe.probe import payload
from viplab.observe.watch import Watch

VIP, VIP6 = "192.168.122.50", "fd00:122::50"


def watch(vip: str = VIP) -> Watch:
    return Watch(vip, [make_host(name) for name in PAIR], "virbr0", "virbr1", 51)


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


def test_an_advert_of_another_virtual_router_says_nothing_of_this_one() -> None:
    seen = watch()
    frame = bytearray(advert("10.10.10.11", 102))
    frame[14 + 20 + 1] = 52
    seen.on_advert(bytes(frame), 1)
    assert seen.seen.advertiser is None


def test_a_carp_advert_without_skew_makes_its_sender_the_advertiser() -> None:
    seen = watch()
    seen.protocol = "carp"
    seen.on_advert(advert("10.10.10.11", 0), 1)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("A", 1)


def test_where_nobody_advertises_who_announces_is_the_advertiser_and_a_stranger_s_adverts_are_none() -> None:
    seen = watch()
    seen.protocol = "none"
    seen.on_public(gratuitous(make_host("A").interface("eth1").mac), 1)
    seen.on_advert(advert("10.10.10.12", 102), 2)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("A", 1)


def test_bursts_are_counted_by_the_gap_between_them_and_anew_for_a_new_announcer() -> None:
    seen = watch()
    a, b = (make_host(name).interface("eth1").mac for name in ("A", "B"))
    for at_ns in (0, 1_000, 2_000, 5_000_000_000, 5_000_001_000):
        seen.on_public(gratuitous(a), at_ns)
    assert (seen.seen.announcer, seen.seen.bursts) == ("A", 2)
    seen.on_public(gratuitous(b), 6_000_000_000)
    assert (seen.seen.announcer, seen.seen.bursts) == ("B", 1)


def test_an_announcement_with_the_virtual_mac_is_of_who_begins_to_advertise_where_that_comes_later() -> None:
    second, shared = 1_000_000_000, "00:00:5e:00:01:33"
    for begins_within_ns, announcer in ((0, "A"), (5 * second // 4, "B")):
        seen = watch()
        seen.virtual_mac, seen.begins_within_ns = shared, begins_within_ns
        for at, host in ((10, ".11"), (11, ".11"), (12, ".11")):
            seen.on_advert(advert(f"10.10.10{host}", 102), at * second)
        seen.on_public(gratuitous(shared), 12 * second + second // 2)
        assert (seen.seen.announcer, seen.seen.bursts) == ("A", 1)
        seen.on_advert(advert("10.10.10.11", 102), 13 * second)
        assert seen.seen.announcer == "A", "one that has advertised all the while begins nothing"
        seen.on_advert(advert("10.10.10.12", 103), 13 * second + second // 2)
        assert (seen.seen.advertiser, seen.seen.announcer, seen.seen.bursts) == ("B", announcer, 1)


def test_only_the_client_s_own_pings_are_counted() -> None:
    seen = watch()
    for source in (CLIENT_IP, "192.168.122.2"):
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 60, 0, 0, 64, 1, 0) + socket.inet_aton(source) + socket.inet_aton(VIP)
        seen.on_public(b"\2" * 12 + b"\x08\0" + ip + IPV4.ping(1, 1, payload(1, 1)), 1)
    assert seen.seen.pings == 1


def test_over_ipv6_a_host_is_known_by_its_link_local_address_and_announces_by_an_advertisement() -> None:
    seen = watch(VIP6)
    host = make_host("B")
    eth0, eth1 = host.interface("eth0"), host.interface("eth1")
    seen.on_advert(wire.advert_v3(eth0.mac, eth0.address_in(IPV6), [VIP6]), 1)
    assert (seen.seen.advertiser, seen.seen.advert_ns) == ("B", 1)
    seen.on_public(wire.unsolicited_na(eth1.mac, VIP6), 2)
    assert (seen.seen.announcer, seen.seen.announced_ns, seen.seen.bursts) == ("B", 2, 1)
    for source in (CLIENTS[IPV6].address, CLIENTS[IPV6].probe):
        seen.on_public(wire.echo(("02:00:00:00:00:01", eth1.mac), (source, VIP6), 1, 1, request=True), 3)
    assert seen.seen.pings == 1


@given(st.binary(max_size=200))
def test_no_frame_can_stop_the_watch(frame: bytes) -> None:
    for seen in (watch(), watch(VIP6)):
        seen.on_public(frame, 1)
        seen.on_advert(frame, 1)
