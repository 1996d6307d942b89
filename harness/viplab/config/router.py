"""The virtual router that the rewritten files ask for, in the words of a scenario's `vrrp:` and `hosts:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vipd.config.model import Config, RouterConfig, VirtualAddress
from viplab.config.given import Given
from viplab.errors import InputError
from viplab.types import HostName

_NS = 1_000_000_000
_DOWN_TIMER_ADVERTS = 3
_NEXT_TO_NOTHING_S = 0.1
_BENCH = ("eth0", "eth1", "eth2")


@dataclass(frozen=True)
class Asked:
    """What the hosts' files ask for."""

    given: Mapping[HostName, Given]
    """The files as they are run."""
    routers: Mapping[HostName, RouterConfig]
    """Of each host the virtual router that the client will ask."""
    configs: Mapping[HostName, Config]

    @property
    def first(self) -> RouterConfig:
        """That of the first host, for what is the same on all of them."""
        return next(iter(self.routers.values()))

    @property
    def vrrp(self) -> dict[str, Any]:
        """A scenario's `vrrp:`, as far as something follows from it."""
        one = self.first
        said: dict[str, Any] = {
            "name": one.name,
            "interface": one.interface,
            "virtual_router_id": one.vrid,
            "version": one.version,
            "advert_int": one.advert_int_ns / _NS,
            "nopreempt": not one.preempt,
            "preempt_delay": one.preempt_delay_ns / _NS or None,
            "garp_master_delay": None if one.garp_delay_ns is None else round(one.garp_delay_ns / _NS),
            "unicast": bool(one.unicast_peers),
            "use_vmac": one.use_vmac,
            "track_interface": _tracked(one),
            "virtual_ipaddress": [_line(one, address) for address in one.addresses],
            "virtual_ipaddress_excluded": _excluded(one),
            "vrrp_instance": self._further(),
            "vrrp_sync_group": self._groups(),
        }
        return {keyword: value for keyword, value in said.items() if value not in (None, False, [], {})}

    def _further(self) -> dict[str, Any]:
        """The instances of IPv4 beside the one that the client asks, of the first host."""
        return {
            one.name: {
                "interface": one.interface,
                "virtual_router_id": one.vrid,
                "version": one.version,
                "track_interface": _tracked(one),
                "virtual_ipaddress": [_line(one, address) for address in one.addresses],
                "virtual_ipaddress_excluded": _excluded(one),
            }
            for one in next(iter(self.configs.values())).routers
            if one != self.first and one.family == 4 and one.addresses and one.interface in _BENCH
        }

    def _groups(self) -> dict[str, list[str]]:
        there = {self.first.name, *self._further()}
        groups = next(iter(self.configs.values())).groups
        named = {group.name: [member for member in group.members if member in there] for group in groups}
        return {name: members for name, members in named.items() if members}

    def node(self, host: HostName) -> dict[str, Any]:
        """What a scenario says of one of its `hosts:`."""
        one = self.routers[host]
        programs = [program for _, program in self.given[host].scripts]
        return {
            "state": "MASTER" if one.initial_master else "BACKUP",
            "priority": one.priority,
            "keepalived_conf": self.given[host].text,
            **({"programs": programs} if programs else {}),
        }

    @property
    def unpredicted(self) -> str | None:
        """Why no outage can be predicted, where the model has no words for something; None where it can."""
        return next(self._beyond(), None)

    def _beyond(self) -> Iterator[str]:
        intervals = {host: one.advert_int_ns / _NS for host, one in self.routers.items()}
        if len(set(intervals.values())) > 1:
            said = ", ".join(f"{host} {interval:g} s" for host, interval in intervals.items())
            yield f"the hosts have different advert intervals: {said}"
        if len({one.version for one in self.routers.values()}) > 1:
            yield "the hosts speak different versions of VRRP"
        for host, one in self.routers.items():
            if one.down_timer_adverts != _DOWN_TIMER_ADVERTS:
                yield f"{host} waits for {one.down_timer_adverts} adverts (down_timer_adverts), not for 3"
            if one.dual:
                yield f"{host} speaks two versions of VRRP at once"
            if weighted := next((track for track in one.tracks if track.weight), None):
                # The same on hosts that are alike moves all priorities by as much, and their timers by next to nothing.
                alike = len({tuple((track.kind, track.weight) for track in of.tracks) for of in self.routers.values()})
                moved_s = sum(abs(track.weight) for track in one.tracks) / 256 * _skew_unit_s(one)
                if alike > 1 or moved_s > _NEXT_TO_NOTHING_S:
                    yield f"the priority of {host} depends on {weighted.kind} {weighted.name}"


def asked(given: Sequence[Given], numbers: Mapping[HostName, int]) -> Asked:
    """Read the rewritten files; `numbers` says which instance of each the client will ask.

    Raises:
        InputError: one is wrong; a line for each error.
    """
    configs = {one.host: one.config() for one in given}
    routers = {host: configs[host].routers[number] for host, number in numbers.items()}
    for host, config in configs.items():
        if config.globals.net_namespace:
            raise InputError(f"{host}: net_namespace: the bench's hosts have no other namespace; take it out")
    return Asked({one.host: one for one in given}, routers, configs)


def _tracked(router: RouterConfig) -> list[str]:
    return [name for name in router.tracked if name in _BENCH]


def _excluded(router: RouterConfig) -> list[str]:
    return [_line(router, address) for address in router.excluded if address.family == 4]


def _skew_unit_s(router: RouterConfig) -> float:
    """What Skew_Time is a share of: a second in version 2, the advert interval in version 3."""
    return router.advert_int_ns / _NS if router.version == 3 else 1.0


def _line(router: RouterConfig, address: VirtualAddress) -> str:
    device = router.interface if router.use_vmac and address.device == router.vmac_name else address.device
    return f"{address.address}/{address.prefix_length} dev {device}"
