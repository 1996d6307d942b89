"""Rules that hold for a router whatever happens to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.routers import HIGHER_ADDRESS, LOWER_ADDRESS, OWN, VIP, config, packet
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.protocol.effects import AddAddresses, Log, RemoveAddresses, SendAdvert, SendGratuitousArp
from vipd.protocol.packet import GROUPS, Advert
from vipd.protocol.packet_v2 import encode as encode_v2
from vipd.protocol.packet_v3 import encode as encode_v3
from vipd.protocol.router import Router
from vipd.protocol.table import State

HAPPENINGS = st.one_of(
    st.tuples(
        st.just("advert"), st.sampled_from([0, 1, 100, 101, 102, 255]), st.sampled_from([LOWER_ADDRESS, HIGHER_ADDRESS])
    ),
    st.tuples(st.just("rubbish"), st.binary(max_size=40), st.sampled_from([1, 255])),
    st.tuples(st.just("link"), st.sampled_from(["eth0", "eth1"]), st.booleans()),
    st.tuples(st.just("deadline"), st.just(0), st.sampled_from([0, 1, 5_000_000, 10 * SECOND_NS])),
    st.tuples(st.just("time"), st.integers(0, 2 * SECOND_NS), st.just(0)),
    st.tuples(st.just("stop"), st.just(0), st.just(0)),
    st.tuples(st.just("start"), st.booleans(), st.booleans()),
)


@given(
    profile=st.sampled_from(sorted(PRESETS)),
    priority=st.sampled_from([1, 101, 254, 255]),
    preempt=st.booleans(),
    initial_master=st.booleans(),
    preempt_delay_s=st.sampled_from([0, 3]),
    happenings=st.lists(HAPPENINGS, max_size=60),
)
def test_whatever_happens_no_timer_is_lost_and_addresses_follow_the_state(
    profile: str,
    priority: int,
    preempt: bool,
    initial_master: bool,
    preempt_delay_s: int,
    happenings: list[tuple[str, object, object]],
) -> None:
    behaviour = PRESETS[profile]
    router = Router(
        config(
            priority=priority,
            preempt=preempt,
            initial_master=initial_master,
            preempt_delay_ns=preempt_delay_s * SECOND_NS,
        ),
        behaviour,
        OWN,
    )
    now, holds = 1_000 * SECOND_NS, False
    for kind, first, second in happenings:
        before = (router.state, router.deadline())
        discarded = False
        if kind == "advert":
            discarded = router.advert_received(packet(first), second, 255, now) is not None  # type: ignore[arg-type]
        elif kind == "rubbish":
            discarded = router.advert_received(first, HIGHER_ADDRESS, second, now) is not None  # type: ignore[arg-type]
        elif kind == "link":
            router.interface_changed(first, second, now)  # type: ignore[arg-type]
        elif kind == "deadline":
            now = max(now, (router.deadline() or now) + second)  # type: ignore[operator]
            router.handle_deadline(now)
        elif kind == "time":
            now += first  # type: ignore[operator]
        elif kind == "stop":
            router.shut_down(now)
        else:
            router.started({"eth0": first, "eth1": second}, now)  # type: ignore[dict-item]
        effects = router.drain()
        if discarded:
            assert (router.state, router.deadline()) == before
            assert all(isinstance(effect, Log) for effect in effects)
        for effect in effects:
            if isinstance(effect, AddAddresses):
                holds = True
            elif isinstance(effect, RemoveAddresses):
                holds = False
            elif isinstance(effect, SendGratuitousArp):
                assert holds, "nobody announces what they do not hold"
            elif isinstance(effect, SendAdvert):
                assert effect.priority in (0, priority)
        assert holds == (router.state is State.MASTER)
        waits = router.deadline() is not None
        if router.state is State.INITIALIZE:
            assert not waits
        elif router.state is State.FAULT:
            assert waits == behaviour.reads_links_late
        else:
            assert waits, "a router that waits for nothing never comes back"


@given(
    profile=st.sampled_from(sorted(PRESETS)),
    version=st.sampled_from([2, 3]),
    happenings=st.lists(HAPPENINGS, max_size=40),
)
def test_an_advert_known_again_does_what_reading_it_would_do(
    profile: str, version: int, happenings: list[tuple[str, object, object]]
) -> None:
    routers = [Router(config(version=version), PRESETS[profile], OWN) for _ in range(2)]
    for router in routers:
        router.started({"eth0": True, "eth1": True}, 1_000 * SECOND_NS)
    now = 1_000 * SECOND_NS
    for kind, first, second in happenings:
        if kind == "advert":
            advert = Advert(version, 51, first, SECOND_NS, VIP.octets)  # type: ignore[arg-type]
            payload = encode_v2(advert) if version == 2 else encode_v3(advert, 4, second, GROUPS[4])  # type: ignore[arg-type]
            octets = payload, second
            for router, knows in zip(routers, (True, False), strict=True):
                if not router.advert_repeated(octets, now):
                    router.advert_received(payload, second, 255, now, octets=octets if knows else None)  # type: ignore[arg-type]
        else:
            for router in routers:
                if kind == "link":
                    router.interface_changed(first, second, now)  # type: ignore[arg-type]
                elif kind == "rubbish":
                    router.advert_received(first, HIGHER_ADDRESS, second, now)  # type: ignore[arg-type]
                elif kind == "time":
                    router.priority_changed(90 + first % 20, now)  # type: ignore[operator]
            if kind == "deadline":
                now = max(now, (routers[0].deadline() or now) + second)  # type: ignore[operator]
                for router in routers:
                    router.handle_deadline(now)
        known, read = routers
        assert (known.state, known.deadline(), known.drain()) == (read.state, read.deadline(), read.drain())
        assert known.counters.adverts_received == read.counters.adverts_received
        assert known.counters.forms == read.counters.forms
