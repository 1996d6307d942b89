"""Sync groups: instances that change state together. A group is told of each change and tells the other members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vipd.config.model import SyncGroup
from vipd.protocol.router import Router
from vipd.protocol.table import State


class Group:
    """One `vrrp_sync_group`.

    Attributes:
        state: of the group, for its hooks; None until it is known.
    """

    def __init__(self, config: SyncGroup, routers: Mapping[str, Router]) -> None:
        self.config = config
        self.state: State | None = None
        self.members = [routers[name] for name in config.members]
        self._need = f"sync group {config.name}"
        for router in self.members:
            router.group_not_ready = lambda own=router: self._holds(own)  # type: ignore[misc]

    @property
    def needs_met(self) -> bool:
        """Whether the needs of all members are met."""
        return all(router.needs_met(self._need) for router in self.members)

    def leave(self, router: Router, now: int) -> None:
        """Take out a member, as a reload does: it waits for the others no more."""
        router.group_not_ready = lambda: False
        router.need_changed(self._need, True, now)

    def _holds(self, own: Router) -> bool:
        """Whether a member whose timer has expired must wait, since another is not ready to become master."""
        return not all(
            router.wants_master or router.state is State.MASTER for router in self.members if router is not own
        )

    def changed(self, router: Router, state: State, now: int) -> list[Router]:
        """A member changed its state; returns the members that were told.

        At the start the group has no state before the last of them has.
        """
        others = [other for other in self.members if other is not router]
        if state is State.MASTER:
            for other in others:
                other.group_claimed(now)
        elif state is State.BACKUP:
            for other in others:
                other.group_released(now)
        if all(other.state is not State.INITIALIZE for other in others):
            self.state = state
        return others

    def lost_address(self, router: Router, now: int) -> list[Router]:
        """Another program removed an address of a member; returns the other members, which were told."""
        others = [other for other in self.members if other is not router]
        for other in others:
            other.group_lost_address(now)
        return others

    def needs_changed(self, now: int) -> list[Router]:
        """The needs of members may have changed: one that lacks something puts all in FAULT; returns those told."""
        told = []
        for router in self.members:
            met = all(other.needs_met(self._need) for other in self.members if other is not router)
            before = router.effects[-1:]
            router.need_changed(self._need, met, now)
            if router.effects[-1:] != before:
                told.append(router)
        return told


def regroup(old: Sequence[Group], wanted: Sequence[SyncGroup], routers: Mapping[str, Router], now: int) -> list[Group]:
    """Make the groups of a new configuration; one of the same name keeps its state."""
    members = {config.name: config.members for config in wanted}
    for group in old:
        for router in group.members:
            if router.config.name not in members.get(group.config.name, ()):
                group.leave(router, now)
    states = {group.config.name: group.state for group in old}
    groups = [Group(config, routers) for config in wanted]
    for group in groups:
        group.state = states.get(group.config.name)
    return groups
