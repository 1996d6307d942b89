"""What strangers send and what rules match, made of a scenario's virtual router in either family."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.addresses import link_local
from viplab.capture.dissect import decode
from viplab.capture.frames import Advert, Carp, Meaning
from viplab.capture.index import Frame
from viplab.faults import ByStranger, OnBridge, VirtualRouter, Wires, known
from viplab.faults.hostile import STRANGER_IP, STRANGER_MAC
from viplab.faults.network import AdvertLoss
from viplab.faults.target import ForeignAdvert

IPV4 = VirtualRouter("192.168.122.50", 51, 2, ["192.168.122.50", "192.168.122.51"])
IPV6 = VirtualRouter("fd00:122::50", 52, 3, ["fe80::50", "fd00:122::50"])
ROUTERS = pytest.mark.parametrize(
    "router",
    [IPV4, VirtualRouter(IPV4.vip, 51, 3, IPV4.addresses), IPV6],
    ids=["v2", "v3", "v3 over IPv6"],
)


def sent(kind: str, target: ForeignAdvert, router: VirtualRouter) -> list[Meaning]:
    injection = known()[kind].injection
    assert isinstance(injection, ByStranger)
    frames = injection.frames(target, Wires({}, router, Random(0)))
    return [one for raw in frames for one in decode([Frame(1, 0, len(raw), raw)])]


@ROUTERS
@given(priority=st.integers(0, 255), ttl=st.integers(1, 255))
def test_a_stranger_advertises_the_virtual_router_in_its_version_and_family(
    router: VirtualRouter, priority: int, ttl: int
) -> None:
    (advert,) = sent("foreign_adverts", ForeignAdvert(priority=priority, ttl=ttl), router)
    assert isinstance(advert, Advert)
    # The dissector reads no advert whose sum is wrong.
    assert (advert.version, advert.virtual_router_id) == (router.version, router.virtual_router_id)
    assert (advert.priority, advert.ttl, advert.advert_int_s) == (priority, ttl, 1)
    assert list(advert.addresses) == router.addresses
    assert advert.src_mac == STRANGER_MAC
    assert advert.src_ip == (link_local(STRANGER_MAC) if router is IPV6 else STRANGER_IP)
    assert (advert.dst_ip, advert.dst_mac) == (
        ("ff02::12", "33:33:00:00:00:12") if router is IPV6 else ("224.0.0.18", "01:00:5e:00:00:12")
    )


def test_carp_of_a_stranger_has_the_id_and_a_skew_for_a_priority() -> None:
    (carp,) = sent("foreign_carp", ForeignAdvert(priority=254), IPV4)
    assert isinstance(carp, Carp)
    assert (carp.virtual_host_id, carp.advskew, carp.advbase_s) == (51, 1, 1)


@given(seed=st.integers(), share=st.floats(0.001, 0.999))
def test_which_adverts_are_lost_follows_from_the_seed_and_their_share_is_as_asked(seed: int, share: float) -> None:
    def rule(seed: int) -> str:
        injection = known()["adverts_lost"].injection
        assert isinstance(injection, OnBridge)
        target = AdvertLoss(host="A", share=share)
        return injection.match["forward"](target, Wires({"A": "A-eth0"}, IPV4, Random(seed)))

    found = re.fullmatch(r"iifname A-eth0 meta l4proto 112 numgen inc mod 256 \{ ([0-9, ]+) \}", rule(seed))
    assert found is not None
    lost = [int(number) for number in found[1].split(", ")]
    assert lost == sorted(set(lost))
    assert 0 <= lost[0] <= lost[-1] < 256
    assert len(lost) == max(1, round(share * 256))
    assert rule(seed) == rule(seed)
