"""The instances behind one socket: which of them an advert is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vipd.config.model import RouterConfig, packed
from vipd.protocol.packet import GROUP, GROUP6
from vipd.protocol.router import Router

_ANY = 0


class Addressees:
    """Instances by their VRIDs. Those that share one are told apart as keepalived 2.2.7 tells them.

    A group has one of them, and so has an address of this host that is a `unicast_src_ip`. One that alone has unicast
    peers, there or without such an address, hears whoever sends; of several each hears its own peers.

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
        self._by_peer: dict[tuple[int, int], Router] = {}
        unicast: dict[int, list[Router]] = {}
        for router in routers:
            config = router.config
            group = group_of(config)
            if group is not None:
                self._by_group[int.from_bytes(group, "big")] = router
                continue
            own = _ANY if config.source is None else int.from_bytes(packed(config.source), "big")
            unicast.setdefault(own, []).append(router)
            for peer in config.unicast_peers:
                self._by_peer[own, int.from_bytes(packed(peer), "big")] = router
        self._of_strangers = {own: there[0] for own, there in unicast.items() if len(there) == 1}

    def find(self, source: int, destination: int) -> Router | None:
        found = self._by_group.get(destination)
        for own in (destination, _ANY):
            found = found or self._by_peer.get((own, source)) or self._of_strangers.get(own)
        return found


def group_of(config: RouterConfig) -> bytes | None:
    """The group that an instance sends to and hears; None for unicast."""
    return None if config.unicast_peers else packed(config.group or (GROUP if config.family == 4 else GROUP6))
