"""The instances behind one socket: which of them an advert is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vipd.config.model import RouterConfig, packed
from vipd.protocol.packet import GROUP, GROUP6
from vipd.protocol.router import Router


class Addressees:
    """Instances by their VRIDs. Those that share one are told apart as keepalived 2.2.7 tells them.

    A group has one of them. One that alone has unicast peers hears whoever sends to this host; of several each hears
    its own peers.

    Attributes:
        single: the instances whose VRID no other one has.
    """

    def __init__(self, routers: Iterable[Router]) -> None:
        by_vrid: dict[int, list[Router]] = {}
        for router in routers:
            by_vrid.setdefault(router.config.vrid, []).append(router)
        self.single = {vrid: there[0] for vrid, there in by_vrid.items() if len(there) == 1}
        self._shared = {vrid: _Shared(there) for vrid, there in by_vrid.items() if len(there) > 1}

    def __iter__(self) -> Iterator[Router]:
        yield from self.single.values()
        for shared in self._shared.values():
            yield from shared.routers

    def find(self, vrid: int, source: int, destination: int) -> Router | None:
        """The instance that an advert is for, if there is one; it may still refuse it."""
        shared = self._shared.get(vrid)
        return self.single.get(vrid) if shared is None else shared.find(source, destination)


class _Shared:
    """The instances of one VRID."""

    def __init__(self, routers: list[Router]) -> None:
        self.routers = routers
        self._by_group: dict[int, Router] = {}
        self._by_peer: dict[int, Router] = {}
        unicast = [router for router in routers if router.config.unicast_peers]
        for router in routers:
            group = group_of(router.config)
            if group is not None:
                self._by_group[int.from_bytes(group, "big")] = router
            for peer in router.config.unicast_peers:
                self._by_peer[int.from_bytes(packed(peer), "big")] = router
        self._of_strangers = unicast[0] if len(unicast) == 1 else None

    def find(self, source: int, destination: int) -> Router | None:
        return self._by_group.get(destination) or self._by_peer.get(source) or self._of_strangers


def group_of(config: RouterConfig) -> bytes | None:
    """The group that an instance sends to and hears; None for unicast."""
    return None if config.unicast_peers else packed(config.group or (GROUP if config.family == 4 else GROUP6))
