"""Rules on what several nodes say of one virtual router: each a pure function of what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from vipd.config.model import RouterConfig
from viplab.lint.finding import Found
from viplab.lint.read import Cluster, Instance

_LEAST, _MOST, _OWNER = 1, 254, 255


def equal_priorities(cluster: Cluster) -> Iterator[Found]:
    """Two nodes have the same priority."""
    for one, other in _repeated(cluster, lambda router: router.priority):
        text = f"priority {one.router.priority} is that of {other.at('priority')} too; give each node one of its own"
        yield Found(one.at("priority"), text, other.at("priority"))


def master_on_both(cluster: Cluster) -> Iterator[Found]:
    """Two nodes begin as master."""
    for one, other in _repeated(cluster, lambda router: router.initial_master or None):
        text = f"state is MASTER at {other.at('state')} too; write state BACKUP on all nodes but one, or on all"
        yield Found(one.at("state"), text, other.at("state"))


def unequal_addresses(cluster: Cluster) -> Iterator[Found]:
    """One node has addresses that another has not."""
    for members in cluster.virtual_routers:
        held = [{address.address for address in one.router.served} for one in members]
        for one, own in zip(members, held, strict=True):
            other = next((other for other, theirs in zip(members, held, strict=True) if theirs - own), None)
            if other is not None:
                missing = sorted({address.address for address in other.router.served} - own)
                there = other.at("virtual_ipaddress", "virtual_ipaddress_excluded")
                yield Found(
                    one.at("virtual_ipaddress", "virtual_ipaddress_excluded"),
                    f"{', '.join(missing)} of {there} is missing here; give all nodes the same addresses",
                    there,
                )


def unequal_intervals(cluster: Cluster) -> Iterator[Found]:
    """Two nodes have different advert intervals."""
    for members in cluster.virtual_routers:
        first = members[0]
        for one in members[1:]:
            if one.router.advert_int_ns != first.router.advert_int_ns:
                there = first.at("advert_int")
                mine, theirs = (router.advert_int_ns / 1e9 for router in (one.router, first.router))
                text = f"the advert interval is {mine:g} s, and {theirs:g} s at {there}; give all nodes the same"
                yield Found(one.at("advert_int"), text, there)


def unicast_peers(cluster: Cluster) -> Iterator[Found]:
    """A node does not send to another, or one sends to peers and another to the group."""
    for members in cluster.virtual_routers:
        for one, other in permutations(members, 2):
            peers, theirs = one.router.unicast_peers, other.router.unicast_peers
            there = other.at("unicast_src_ip", "mcast_src_ip", "unicast_peer")
            if peers and not theirs:
                text = f"adverts go to peers, and those of {there} to the group; use one of the two everywhere"
                yield Found(one.at("unicast_peer"), text, there)
            elif peers and other.router.source and other.router.source not in peers:
                text = f"{other.router.source}, which {there} sends from, is no peer here; add it"
                yield Found(one.at("unicast_peer"), text, there)


def idle_weights(cluster: Cluster) -> Iterator[Found]:
    """Nothing that a node tracks can bring another before or behind it."""
    for members in cluster.virtual_routers:
        for one in members:
            if not any(track.weight for track in one.router.tracks):
                continue
            low, high = priorities(one.router)
            others = [priorities(other.router) for other in members if other is not one]
            if all(low >= theirs[1] or high <= theirs[0] for theirs in others):
                span = " and ".join(f"{least} to {most}" if least < most else f"{least}" for least, most in others)
                yield Found(
                    one.at("track_interface", "track_script", "track_file", "track_process"),
                    f"weights keep the priority within {low} to {high}, and others have {span}: who is master never "
                    "depends on them; make them greater than the difference",
                )


def priorities(router: RouterConfig) -> tuple[int, int]:
    """The least and the greatest effective priority that what it tracks can give a router.

    A weight counts wholly or not at all, so that it pushes in one direction; that of a file is multiplied by the
    number in the file, which may be anything.
    """
    if router.priority == _OWNER:
        return _OWNER, _OWNER
    weighted = [track for track in router.tracks if track.weight]
    if any(track.kind == "file" for track in weighted):
        return _LEAST, _MOST
    steps = [-track.weight if track.reverse else track.weight for track in weighted]
    low = router.priority + sum(step for step in steps if step < 0)
    high = router.priority + sum(step for step in steps if step > 0)
    return max(_LEAST, low), min(_MOST, high)


def _repeated(cluster: Cluster, value: Callable[[RouterConfig], object]) -> Iterator[tuple[Instance, Instance]]:
    """Each instance for which a value, unless None, is that of one of a node before, and the first such."""
    for members in cluster.virtual_routers:
        first: dict[object, Instance] = {}
        for one in members:
            found = value(one.router)
            if found is not None and first.setdefault(found, one) is not one:
                yield one, first[found]
