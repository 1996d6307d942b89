"""A reload: what stops and starts, what goes on, what is refused."""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path

import pytest

from support.keepalived_conf import PART_1
from support.reloads import DEFINITIONS, RELOADS, Reload, configuration, instance
from support.routers import HIGHER_ADDRESS, MS_NS, OWN, config, packet3
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.keywords import BLOCKS
from vipd.config.model import Config, RouterConfig, Track
from vipd.config.parser import Parsed, parse
from vipd.daemon.reload import compare, refusal
from vipd.kernel import files
from vipd.protocol.effects import AddAddresses, Log, Notify, SendAdvert, SendGratuitousArp
from vipd.protocol.router import Router
from vipd.protocol.table import State

KEEPALIVED = PRESETS["keepalived-2"]


def begun(made: RouterConfig) -> Router:
    """A router that has just become master."""
    router = Router(made, KEEPALIVED, OWN)
    router.started(dict.fromkeys(router.interfaces, True), 0)
    if router.state is State.BACKUP:
        router.handle_deadline(router.deadline() or 0)
    assert router.state is State.MASTER
    router.drain()
    return router


def master(**changes: object) -> Router:
    """The same of the article's instance, with changes."""
    return begun(config(**changes))


def reloaded(router: Router, **changes: object) -> Router:
    """What a router is after a reload with other settings; the daemon has told it of everything once more."""
    (made,) = compare({router.config.name: router}, Config((config(**changes),)), KEEPALIVED, True).routers.values()
    made.primary = OWN
    return made


def test_every_keyword_of_an_instance_has_its_reload() -> None:
    said = {line.split()[0] for one in RELOADS for line in f"{one.before}\n{one.after}".splitlines() if line}
    assert {name for name, keyword in BLOCKS["vrrp_instance"].items() if keyword.to} - said == {"no_virtual_ipaddress"}
    assert {len(parse(configuration(after), "x").config.routers) for after in (False, True)} == {len(RELOADS)}


@pytest.mark.parametrize("reload", RELOADS, ids=lambda one: one.name)
def test_a_reload_stops_and_starts_what_keepalived_does_and_nothing_else_changes_its_state(reload: Reload) -> None:
    before, after = (
        parse(DEFINITIONS + instance(21, reload.name, body), "x").config for body in (reload.before, reload.after)
    )
    router = begun(before.routers[0])
    changes = compare({reload.name: router}, after, KEEPALIVED, True)
    assert (len(changes.gone), len(changes.new)) == ((1, 1) if reload.restarts else (0, 0))
    for _, made in changes.succeeded:
        assert (made.state, made.deadline()) == (router.state, router.deadline())
        made.reviewed(made.deadline() or 0)
        assert not [effect for effect in made.drain() if isinstance(effect, (SendAdvert, Notify))]


def test_another_name_is_the_same_virtual_router() -> None:
    one, two = master(name="one", vrid=1), master(name="two", vrid=2)
    swapped = Config((one.config._replace(name="two"), two.config._replace(name="one")))
    changes = compare({"one": one, "two": two}, swapped, KEEPALIVED, True)
    assert (changes.gone, changes.new) == ([], [])
    assert [(before.config.vrid, after.config.vrid) for before, after in changes.succeeded] == [(1, 1), (2, 2)]


def test_a_priority_that_a_reload_changes_is_advertised_from_then_on() -> None:
    after = reloaded(master(priority=150), priority=77)
    after.handle_deadline(after.deadline() or 0)
    assert [effect.priority for effect in after.drain() if isinstance(effect, SendAdvert)] == [77]
    tracking = reloaded(after, priority=90, tracks=(Track("script", "s", 5),))
    assert tracking.priority == 77, "moved by what is tracked, and not twice"


def test_what_a_reload_begins_to_track_counts_once_it_is_told_and_what_it_leaves_counts_no_more() -> None:
    router = reloaded(master(tracked=()), tracked=("eth9",))
    assert router.state is State.MASTER
    router.interface_changed("eth9", up=False, now=5 * SECOND_NS)
    assert router.state is State.FAULT
    router = reloaded(router, tracked=(), priority=150)
    router.reviewed(6 * SECOND_NS)
    assert router.state is State.BACKUP, "what put it into FAULT is tracked no more"
    needy = reloaded(master(), tracks=(Track("script", "s"),))
    needy.need_changed("script s", met=False, now=7 * SECOND_NS)
    free = reloaded(needy)
    free.reviewed(8 * SECOND_NS)
    assert (needy.state, free.state) == (State.FAULT, State.BACKUP)


def test_announcements_go_on_over_a_reload() -> None:
    router = master(garp_delay_ns=5 * SECOND_NS, garp_refresh_ns=60 * SECOND_NS)
    began_ns = router._now_ns
    after = reloaded(router, priority=99, garp_delay_ns=5 * SECOND_NS, garp_refresh_ns=60 * SECOND_NS)
    assert after._garp.due_ns == began_ns + 5 * SECOND_NS, "the second burst"
    after.handle_deadline(began_ns + 5 * SECOND_NS)
    assert after._garp.due_ns == began_ns + 60 * SECOND_NS, "the refresh"
    assert reloaded(after, priority=98, garp_refresh_ns=10 * SECOND_NS)._garp.due_ns == after._now_ns + 10 * SECOND_NS
    assert reloaded(after, priority=97)._garp.due_ns is None


def test_a_backup_keeps_the_interval_that_it_learnt_and_sequence_numbers_go_on() -> None:
    backup = Router(config(version=3), KEEPALIVED, OWN)
    backup.started(dict.fromkeys(backup.interfaces, True), 0)
    assert backup.advert_received(packet3(200, interval_s=0.1), HIGHER_ADDRESS, 255, MS_NS) is None
    assert reloaded(backup, version=3, priority=90).timers_ns[0] == 100 * MS_NS
    sealed = reloaded(master(auth_type=2, auth_pass=b"x"), auth_type=2, auth_pass=b"x", priority=90)
    assert sealed._codec.adverts(90)[0].packet[8:12] == (2).to_bytes(4, "big")


def test_a_reload_leaves_what_has_not_changed_alone_and_carries_on_what_has() -> None:
    master = Router(config(name="a", priority=200), KEEPALIVED)
    master.started(dict.fromkeys(master.interfaces, True), 0)
    master.handle_deadline(10 * SECOND_NS)
    master.drain()
    same = Router(config(name="b", vrid=9), KEEPALIVED)
    more = config(name="a", priority=200, excluded=(config().addresses[0]._replace(address="10.9.9.9"),))
    changes = compare({"a": master, "b": same}, Config((more, same.config)), KEEPALIVED, True)
    assert changes.routers["b"] is same
    after = changes.routers["a"]
    assert (after.state, after.deadline()) == (State.MASTER, master.deadline()), "no advert out of turn"
    assert [type(effect) for effect in after.drain() if not isinstance(effect, Log)] == [
        AddAddresses,
        SendGratuitousArp,
    ]
    assert (changes.gone, changes.new) == ([], [])
    fewer = compare({"a": after}, Config((config(name="a", priority=200),)), KEEPALIVED, True).routers["a"]
    (added,) = fewer.drain()  # what is left is set again, since the kernel may have removed it with the first
    assert isinstance(added, AddAddresses) and added.addresses == config().served


def test_a_reload_stops_what_is_gone_and_starts_what_is_new() -> None:
    running = Router(config(name="a"), KEEPALIVED)
    changes = compare({"a": running}, Config((config(name="a", vrid=8), config(name="c", vrid=9))), KEEPALIVED, True)
    assert changes.gone == [running]
    assert [router.config.name for router in changes.new] == ["a", "c"]


_INCLUDING = "include more.conf\ninclude conf.d/*.conf\n" + PART_1


def _parsed(text: str, files: dict[str, str | None]) -> Parsed:
    """A configuration, and what its includes find."""
    return parse(text, "x", find=lambda pattern, folder: [one for one in files.items() if fnmatch(one[0], pattern)])


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ((_INCLUDING, {"more.conf": ""}), ("", {}), "has no vrrp_instance"),
        ((_INCLUDING, {"more.conf": ""}), ("global_defs {\nrouter_id a\n}\n", {}), "has no vrrp_instance"),
        ((_INCLUDING, {"more.conf": ""}), (_INCLUDING, {}), "more.conf is included and can no longer be read"),
        ((_INCLUDING, {"more.conf": ""}), (_INCLUDING, {"more.conf": None}), "more.conf is included and can no longer"),
        ((_INCLUDING, {"conf.d/a.conf": ""}), (_INCLUDING, {"conf.d/a.conf": None}), "conf.d/a.conf is included"),
        ((_INCLUDING, {"conf.d/a.conf": ""}), (_INCLUDING, {}), None),  # a pattern that matches nothing any more
        ((_INCLUDING, {}), (_INCLUDING, {}), None),  # it has been missing all along
        ((_INCLUDING, {"more.conf": ""}), (PART_1, {}), None),
        (("", {}), ("", {}), None),
        (("", {}), (PART_1, {}), None),
    ],
)
def test_a_reload_takes_no_configuration_that_has_lost_its_instances_or_a_file(
    before: tuple[str, dict[str, str | None]], after: tuple[str, dict[str, str | None]], refused: str | None
) -> None:
    why = refusal(_parsed(*before), _parsed(*after))
    assert why is None if refused is None else why is not None and refused in why


def test_a_fifo_that_nobody_writes_to_is_empty_and_stops_no_reload(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert files.read(str(tmp_path / "fifo")) == ""
