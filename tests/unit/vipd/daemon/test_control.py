"""Answers that must not be given twice, nor at the adverts' expense: to what waited in a queue, and to `vipd status`.

And sync groups that a reload changes, of which members must not go on waiting for those that are gone.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.playbook import advert, master, seconds
from support.routers import OWN, config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import Config, SyncGroup
from vipd.daemon import control
from vipd.daemon.control import Control
from vipd.daemon.latency import Latency
from vipd.daemon.runtime import Runtime
from vipd.daemon.schedule import Schedule
from vipd.daemon.status import report
from vipd.protocol.effects import SendAdvert, SendGratuitousArp
from vipd.protocol.groups import Group, regroup
from vipd.protocol.router import Router
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

KEEPALIVED = PRESETS["keepalived-2"]


# -- what waited in a queue


@pytest.mark.parametrize("quiet", [False, True])
def test_a_master_answers_what_was_read_at_one_time_once(quiet: bool) -> None:
    play = master("keepalived-2", lower_prio_no_advert=quiet)
    play >> seconds(0.5)
    for _ in range(12):
        advert(100).happen(play)
    done = play.router.drain()
    assert sum(isinstance(effect, SendAdvert) for effect in done) == (0 if quiet else 1)
    assert sum(isinstance(effect, SendGratuitousArp) for effect in done) == 1
    assert play.router.counters.adverts_received == 12
    play >> seconds(0.1)
    advert(100).happen(play)
    assert any(isinstance(effect, SendGratuitousArp) for effect in play.router.drain()), "later is another time"
    advert(102).happen(play)
    assert play.router.state is State.BACKUP, "who is better is heard all the same"


# -- vipd status


def test_a_report_is_said_in_slices_and_others_have_their_turn_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part takes 0.2 ms here, so that a slice of half a millisecond has three."""
    now_ns, said = 0, []

    def parts() -> Iterator[str]:
        nonlocal now_ns
        for number in range(10):
            now_ns += 200_000
            said.append(number)
            yield f"{number},"

    monkeypatch.setattr(control.time, "monotonic_ns", lambda: now_ns)
    schedule = Schedule()
    listening = Control(str(tmp_path / "s"), parts, schedule.update)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(tmp_path / "s"))
        listening.read()
        turns = []
        while (at_ns := schedule.next()) is not None:
            assert at_ns <= now_ns, "it is due at once"
            for _, timed in schedule.due(now_ns):
                timed.handle_deadline(now_ns)
                schedule.update(timed)
            turns.append(len(said))
        assert turns == [3, 6, 9, 10]
        assert asking.recv(100) == b"0,1,2,3,4,5,6,7,8,9,"
        assert asking.recv(100) == b"", "and that is all"
    listening.close()


def test_who_does_not_read_or_leaves_is_left(tmp_path: Path) -> None:
    listening = Control(str(tmp_path / "s"), lambda: iter(["x" * 1000] * 10), lambda control: None)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(tmp_path / "s"))
        listening.read()
    listening.handle_deadline(0)
    assert listening.deadline() is None
    listening.close()


def test_the_parts_of_a_report_are_json_and_each_router_has_its_own() -> None:
    routers = [Router(config(name=f"VI_{number}", vrid=number), KEEPALIVED, OWN) for number in (1, 2, 3)]
    routers[1].counters.discards[Discard.TTL] = 5
    running = Runtime(
        Config(tuple(router.config for router in routers)), KEEPALIVED, {r.config.name: r for r in routers}, (0.0, 0.0)
    )
    parts = list(report(running, {**dict.fromkeys(Discard, 0), Discard.TTL: 2}, Latency(), {("file", "f"): 7}))
    assert len([part for part in parts if '"vrid"' in part]) == 3
    whole = json.loads("".join(parts))
    assert [one["name"] for one in whole["vrrp-instance"]] == ["VI_1", "VI_2", "VI_3"]
    assert whole["vrrp"]["statistics"]["ip-ttl-errors"] == 7
    assert whole["tracked"] == [{"kind": "file", "name": "f", "value": 7}]


# -- sync groups that a reload changes


def grouped(*names: str) -> tuple[dict[str, Router], list[Group]]:
    routers = {name: Router(config(name=name, vrid=vrid), KEEPALIVED) for vrid, name in enumerate(names, 1)}
    groups = [Group(SyncGroup("G", names), routers)]
    for router in routers.values():
        router.started(dict.fromkeys(router.config.interfaces, True), 0)
        groups[0].changed(router, router.state, 0)
        router.drain()
    return routers, groups


def test_a_group_has_no_state_before_all_of_its_members_have() -> None:
    routers = {name: Router(config(name=name, vrid=vrid), KEEPALIVED) for vrid, name in enumerate("ab", 1)}
    group = Group(SyncGroup("G", ("a", "b")), routers)
    for name, state in (("a", None), ("b", State.BACKUP)):
        routers[name].started(dict.fromkeys(routers[name].config.interfaces, True), 0)
        group.changed(routers[name], routers[name].state, 0)
        assert group.state is state


def test_a_member_that_a_reload_takes_out_of_its_group_waits_for_nobody_and_leaves_the_fault_of_another() -> None:
    routers, groups = grouped("a", "b")
    routers["b"].interface_changed("eth0", False, 0)
    groups[0].needs_changed(0)
    assert routers["a"].state is State.FAULT
    assert regroup(groups, (), routers, 0) == []
    assert routers["a"].state is State.BACKUP
    routers["a"].handle_deadline(10 * SECOND_NS)
    assert routers["a"].state is State.MASTER


def test_a_group_that_a_reload_keeps_goes_on_in_its_state() -> None:
    routers, groups = grouped("a", "b")
    (after,) = regroup(groups, (SyncGroup("G", ("a", "b")),), routers, 0)
    assert after.state is State.BACKUP
    assert not any(router.effects for router in routers.values())


def test_a_member_that_loses_an_address_is_back_with_its_group_after_skew_times() -> None:
    routers, (group,) = grouped("a", "b")
    for router in routers.values():
        router.handle_deadline(10 * SECOND_NS)
    group.changed(routers["b"], State.MASTER, 10 * SECOND_NS)
    assert {router.state for router in routers.values()} == {State.MASTER}
    routers["a"].address_lost(20 * SECOND_NS)
    assert group.lost_address(routers["a"], 20 * SECOND_NS) == [routers["b"]]
    group.changed(routers["a"], State.BACKUP, 20 * SECOND_NS)
    assert {router.state for router in routers.values()} == {State.BACKUP}
    skew_ns = routers["b"].timers_ns[1]
    for router in routers.values():
        assert router.deadline() == 20 * SECOND_NS + skew_ns
        router.handle_deadline(20 * SECOND_NS + skew_ns)
    assert routers["b"].state is State.MASTER
