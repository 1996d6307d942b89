"""Names the macvlans of virtual routers as keepalived does: one each, and none that belongs to somebody else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count

from vipd.config.model import RouterConfig
from vipd.config.values import NAME_LIMIT

_SIX = 6  # stands for IPv6, whose second choice it is


def named(
    routers: Sequence[RouterConfig], prefix: str, taken: Collection[str] = frozenset()
) -> tuple[RouterConfig, ...]:
    """Give the macvlan of each router a name of its own, and move the addresses on it along.

    A router gets the name that it asks for if nobody else has it, otherwise the first of PREFIX.VRID, PREFIX1.VRID,
    PREFIX2.VRID that is free and that no other router asks for; PREFIX6.VRID is IPv6's second choice.

    Args:
        routers: in the order of the configuration.
        prefix: `vmac_prefix`.
        taken: names of interfaces that are not ours.
    """
    asked = {router.vmac for router in routers if router.use_vmac and router.vmac}
    used: set[str] = set()
    found = []
    for router in routers:
        if router.use_vmac:
            name = router.vmac
            if not name or name in taken or name in used:
                name = next(free for free in _choices(router, prefix) if free not in {*taken, *asked, *used})
            used.add(name)
            router = _renamed(router, name)  # noqa: PLW2901
        found.append(router)
    return tuple(found)


def _choices(router: RouterConfig, prefix: str) -> Iterator[str]:
    others = (number for number in count(1) if router.family == 4 or number != _SIX)
    for number in chain(("",) if router.family == 4 else ("", _SIX), others):
        end = f"{number}.{router.vrid}"
        yield prefix[: NAME_LIMIT - len(end)] + end


def _renamed(router: RouterConfig, name: str) -> RouterConfig:
    old = router.vmac_name
    moved = (
        tuple(one._replace(device=name) if one.device == old else one for one in addresses)
        for addresses in (router.addresses, router.excluded)
    )
    addresses, excluded = moved
    return router._replace(vmac=name, addresses=addresses, excluded=excluded)
