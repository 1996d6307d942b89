"""Several instances of one VRID on one interface: which of them an advert is for. keepalived 2.2.7 was measured."""

from __future__ import annotations

import pytest

from support.routers import OWN, config
from vipd.config.behaviour import PRESETS
from vipd.config.model import Config, RouterConfig
from vipd.daemon.addressees import Addressees
from vipd.daemon.reload import compare
from vipd.protocol.router import Router

KEEPALIVED = PRESETS["keepalived-2"]
GROUP, OTHER_GROUP, STRANGER = "224.0.0.18", "224.0.0.99", "10.0.0.10"


def router(**changes: object) -> Router:
    return Router(config(vrid=7, **changes), KEEPALIVED, OWN)


def number(address: str) -> int:
    return int.from_bytes(bytes(map(int, address.split("."))), "big")


def hearers(routers: list[Router]) -> dict[tuple[str, str], str | None]:
    """By source and destination: who hears it."""
    found = {}
    for source, destination in (
        ("10.0.0.8", GROUP), ("10.0.0.8", OTHER_GROUP), ("10.0.0.8", "10.0.0.2"), ("10.0.0.9", "10.0.0.2"),
        (STRANGER, "10.0.0.2"),
    ):  # fmt: skip
        one = Addressees(routers).find(7, number(source), number(destination))
        found[source, destination] = None if one is None else one.config.name
    return found


def test_of_two_groups_each_has_its_instance() -> None:
    assert [*hearers([router(name="a"), router(name="b", group=OTHER_GROUP)]).values()] == ["a", "b", None, None, None]


def test_what_is_sent_to_this_host_is_for_the_one_that_has_peers() -> None:
    heard = hearers([router(name="a"), router(name="b", unicast_peers=("10.0.0.9",))])
    assert [*heard.values()] == ["a", "b", "b", "b", "b"], "it refuses what was sent to a group itself"


def test_several_with_peers_hear_each_its_own_and_no_stranger() -> None:
    heard = hearers([router(name="a", unicast_peers=("10.0.0.8",)), router(name="b", unicast_peers=("10.0.0.9",))])
    assert [heard["10.0.0.8", "10.0.0.2"], heard["10.0.0.9", "10.0.0.2"]] == ["a", "b"]
    assert heard[STRANGER, "10.0.0.2"] is None


@pytest.mark.parametrize("of_b", ["10.0.0.3", None])
def test_several_with_addresses_of_their_own_hear_what_is_sent_there(of_b: str | None) -> None:
    a = router(name="a", source="10.0.0.2", unicast_peers=("10.0.0.9",))
    b = router(name="b", source=of_b, unicast_peers=("10.0.0.9",))
    addressees = Addressees([a, b])
    for sender in ("10.0.0.9", STRANGER):
        assert addressees.find(7, number(sender), number("10.0.0.2")) is a
        assert addressees.find(7, number(sender), number("10.0.0.3")) is b


def test_one_alone_hears_whatever_has_its_number_and_refuses_it_itself() -> None:
    assert {*hearers([router(name="a")]).values()} == {"a"}
    assert Addressees([router(name="a")]).find(8, 0, number(GROUP)) is None


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_a_reload_leaves_none_of_them_behind(renamed: bool, turned: bool) -> None:
    def made(name: str, *peers: str, priority: int = 100) -> RouterConfig:
        return config(name=name, vrid=7, unicast_peers=peers, priority=priority)

    running = {name: Router(made(name, peer), KEEPALIVED) for name, peer in (("a", "10.0.0.8"), ("b", "10.0.0.9"))}
    after = [
        made("x" if renamed else "a", "10.0.0.8", "10.0.0.7"),
        made("a" if renamed else "b", "10.0.0.9", priority=50),
    ]
    changes = compare(running, Config(tuple(after[::-1] if turned else after)), KEEPALIVED, True)
    assert (changes.gone, changes.new) == ([], [])
    assert {(before.config.name, after.config.unicast_peers[0]) for before, after in changes.succeeded} == {
        ("a", "10.0.0.8"), ("b", "10.0.0.9"),
    }  # fmt: skip
    changes = compare(running, Config((made("a", "10.0.0.8"),)), KEEPALIVED, True)
    assert [one.config.name for one in changes.gone] == ["b"], "what is left out stops"
