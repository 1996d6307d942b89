"""Sync groups: members change state together, also across a reload."""

from __future__ import annotations

from support.routers import config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import SyncGroup
from vipd.protocol.groups import Group, regroup
from vipd.protocol.router import Router
from vipd.protocol.table import State

KEEPALIVED = PRESETS["keepalived-2"]


def grouped(count: int = 2) -> tuple[list[Router], Group]:
    routers = [Router(config(name=str(number), vrid=number + 1), KEEPALIVED) for number in range(count)]
    group = Group(SyncGroup("G", tuple(router.config.name for router in routers)), {r.config.name: r for r in routers})
    for router in routers:
        router.started(dict.fromkeys(router.config.interfaces, True), 0)
        router.drain()
    return routers, group


def test_a_group_claims_when_all_of_its_members_want_to() -> None:
    (one, two), group = grouped()
    one.handle_deadline(10 * SECOND_NS)
    assert (one.state, one.wants_master) == (State.BACKUP, True)
    two.handle_deadline(10 * SECOND_NS)
    assert two.state is State.MASTER
    group.changed(two, State.MASTER, 10 * SECOND_NS)
    assert one.state is State.MASTER


def test_a_member_that_becomes_backup_takes_the_others_along() -> None:
    (one, two), group = grouped()
    one.handle_deadline(10 * SECOND_NS)
    two.handle_deadline(10 * SECOND_NS)
    group.changed(two, State.MASTER, 0)
    group.changed(one, State.BACKUP, 0)
    assert two.state is State.BACKUP


def test_a_member_that_is_not_well_takes_the_others_to_fault_and_back() -> None:
    (one, two), group = grouped()
    one.interface_changed("eth0", False, 0)
    assert [router.config.name for router in group.needs_changed(0)] == [two.config.name]
    assert (one.state, two.state) == (State.FAULT, State.FAULT)
    one.interface_changed("eth0", True, 0)
    group.needs_changed(0)
    assert (one.state, two.state) == (State.BACKUP, State.BACKUP)


def started_group(*names: str) -> tuple[dict[str, Router], list[Group]]:
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
    routers, groups = started_group("a", "b")
    routers["b"].interface_changed("eth0", False, 0)
    groups[0].needs_changed(0)
    assert routers["a"].state is State.FAULT
    assert regroup(groups, (), routers, 0) == []
    assert routers["a"].state is State.BACKUP
    routers["a"].handle_deadline(10 * SECOND_NS)
    assert routers["a"].state is State.MASTER


def test_a_group_that_a_reload_keeps_goes_on_in_its_state() -> None:
    routers, groups = started_group("a", "b")
    (after,) = regroup(groups, (SyncGroup("G", ("a", "b")),), routers, 0)
    assert after.state is State.BACKUP
    assert not any(router.effects for router in routers.values())


def test_a_member_that_loses_an_address_is_back_with_its_group_after_skew_times() -> None:
    routers, (group,) = started_group("a", "b")
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
