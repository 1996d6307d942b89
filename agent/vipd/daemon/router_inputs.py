"""The inputs of routers: links, addresses, tracked objects and sync groups.

Reads no clock: the caller passes the time of a change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from vipd.config.model import RouterConfig, packed
from vipd.daemon.notify import Notifier
from vipd.daemon.runtime import Runtime
from vipd.daemon.trackers import Trackers
from vipd.kernel.netlink import Netlink
from vipd.protocol.effective_priority import evaluate
from vipd.protocol.router import SOCKETS, Router
from vipd.protocol.table import State


class RouterInputs:
    """Passes changes on to the routers that they concern."""

    def __init__(
        self,
        runtime: Runtime,
        netlink: Netlink,
        trackers: Trackers,
        notifier: Notifier,
        serves: Callable[[Router], bool],
        lost_routing: Callable[[Collection[RouterConfig]], set[str]],
        run_effects: Callable[[Router], None],
    ) -> None:
        """Keep where inputs come from and go to.

        Args:
            runtime: the routers and sync groups.
            netlink: the links and addresses of the kernel.
            trackers: everything else that is tracked, and the delays of links.
            notifier: notifies of priorities that change.
            serves: returns whether a router has its sockets.
            lost_routing: returns the names of the masters whose routes or rules are not there any more.
            run_effects: carries out the effects of a router, if it has any.
        """
        self._runtime = runtime
        self._netlink = netlink
        self._trackers = trackers
        self._notifier = notifier
        self._serves = serves
        self._lost_routing = lost_routing
        self._run_effects = run_effects

    def start(self, routers: Collection[Router], now: int) -> None:
        """Start routers, with the present state of all their inputs.

        All of them know that before the first one starts, since members of a sync group look at each other.
        """
        for router in routers:
            self._tell_links(router, now)
        self._evaluate_groups(now)
        for group in self._runtime.groups:
            if group.state is None and group.needs_met:
                group.state = State.BACKUP
                self._notifier.tell_group(group)
        for router in routers:
            router.started(self._links(router, now), now)
            self._run_effects(router)

    def interfaces_changed(self, now: int) -> None:
        """Links or addresses may have changed."""
        for router in self._runtime.routers.values():
            self._tell_links(router, now)
            if router.state is State.MASTER and self._lost_an_address(router.config):
                self._give_way(router, now)
            else:
                self._run_effects(router)
        self._evaluate_groups(now)

    def routing_changed(self, now: int) -> None:
        """Somebody else may have removed a route or a rule."""
        masters = [router for router in self._runtime.routers.values() if router.state is State.MASTER]
        lost = self._lost_routing([router.config for router in masters])
        for router in masters:
            if router.config.name in lost:
                self._give_way(router, now)
        self._evaluate_groups(now)

    def _give_way(self, router: Router, now: int) -> None:
        """Somebody else removed what a master holds."""
        router.address_lost(now)
        others: list[Router] = []
        for group in self._runtime.groups:
            others += group.lost_address(router, now) if router in group.members else []
        for one in (router, *others):
            self._run_effects(one)

    def tracked_changed(self, kind: str, name: str, now: int) -> None:
        """A tracked object has another value."""
        for router in self._runtime.routers.values():
            if kind == "interface":
                self._tell_links(router, now)
            elif any((track.kind, track.name) == (kind, name) for track in router.config.tracks):
                self._evaluate(router, now)
            self._run_effects(router)
        self._evaluate_groups(now)

    def needs_changed(self, router: Router, now: int) -> None:
        """A router has got or lost what it needs, and was told."""
        self._run_effects(router)
        self._evaluate_groups(now)

    def replaced(self, now: int) -> None:
        """A reload replaced routers or sync groups."""
        routers = self._runtime.routers.values()
        for router in routers:
            self._tell_links(router, now)
        self._evaluate_groups(now)
        for router in routers:
            router.reviewed(now)
            self._run_effects(router)
        self._evaluate_groups(now)

    def _tell_links(self, router: Router, now: int) -> None:
        router.source_changed(self._has_source(router), now)
        for name, up in self._links(router, now).items():
            router.interface_changed(name, up, now)
        router.need_changed(SOCKETS, self._serves(router), now)
        for track in router.config.tracks:
            if track.kind == "interface":
                link = self._netlink.links.get(track.name)
                up = self._trackers.link(track.name, link is not None and link.up, now)
                if self._trackers.values.get(("interface", track.name)) != up:
                    self._trackers.values["interface", track.name] = int(up)
        self._evaluate(router, now)

    def _links(self, router: Router, now: int) -> dict[str, bool]:
        """Which of a router's interfaces are up."""
        links = self._netlink.links
        return {name: self._trackers.link(name, name in links and links[name].up, now) for name in router.interfaces}

    def _has_source(self, router: Router) -> bool:
        """Whether there is an address to send from.

        One that is configured counts while it is on this host: for unicast, since no answer reaches it otherwise, and
        with track_src_ip. Multicast adverts leave with any mcast_src_ip.
        """
        config = router.config
        if config.source is None or not (config.track_source or config.unicast_peers):
            return bool(router.primary)
        return self._netlink.picture.has(packed(config.source))

    def _lost_an_address(self, config: RouterConfig) -> bool:
        return any(address.tracked and self._netlink.picture.lost(address) for address in config.served)

    def _evaluate(self, router: Router, now: int) -> None:
        """Pass on a router's effective priority and its needs, as the tracked values have them."""
        config = router.config
        if config.tracks:
            judgement = evaluate(config, self._trackers.values)
            state, before = router.state, router.priority
            if judgement.priority is not None:
                router.priority_changed(judgement.priority, now)
            for need, met in judgement.needs.items():
                router.need_changed(need, met, now)
            # A change of state is notified of by itself.
            if router.priority != before and router.state is state and state is not State.INITIALIZE:
                self._notifier.tell_priority(router)
        if config.unicast_fault_no_peer and not config.unicast_peers:
            router.need_changed("unicast peer", False, now)

    def _evaluate_groups(self, now: int) -> None:
        for group in self._runtime.groups:
            for router in group.needs_changed(now):
                self._run_effects(router)
