"""The addresses, routes and rules that the daemon holds in the kernel: virtual and static ones.

They are set and removed one by one. That the kernel refuses one of them does not keep the others from being done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Config, Route, RouterConfig, Rule, VirtualAddress
from vipd.daemon.schedule import Timed
from vipd.kernel import routing, sysctl
from vipd.kernel.netlink import Netlink
from vipd.kernel.syslog import Syslog, reason


class KernelState:
    """Sets and removes them; the log line of one that fails names `who`.

    It is `Timed`: what could not be set or removed is tried again each second, since a backup must not keep an address
    and a master must not lack one, nor a route that waits for it.
    """

    def __init__(self, netlink: Netlink, log: Syslog, update: Callable[[Timed], None]) -> None:
        """Change nothing yet; `update` is called when something is left to be tried again."""
        self._netlink = netlink
        self._log = log
        self._update = update
        self._unfinished: dict[VirtualAddress | Route | Rule, tuple[str, bool]] = {}
        self._held: set[Route | Rule] = set()
        self._again_ns: int | None = None

    def set_addresses(self, who: str, addresses: Iterable[VirtualAddress], present: bool) -> None:
        """Set, or remove, addresses."""
        self._set(who, addresses, present)

    def deadline(self) -> int | None:
        """When to try again what failed."""
        return self._again_ns

    def handle_deadline(self, now: int) -> None:
        """Try again what failed."""
        if self._again_ns is not None and now >= self._again_ns:
            for what, (who, present) in [*self._unfinished.items()]:
                self._set(who, (what,), present)

    def set_routing(self, who: str, routes: Iterable[Route], rules: Iterable[Rule], present: bool) -> None:
        """Set routes and then the rules that lead to them, or remove them in the reverse order."""
        steps: tuple[Route | Rule, ...] = (*routes, *rules)
        self._set(who, steps if present else steps[::-1], present)

    def lost_routing(self, configs: Collection[RouterConfig]) -> set[str]:
        """The names of those whose routes or rules were set, are tracked, and are not all there any more.

        Raises:
            OSError: the kernel does not say.
        """
        routes = {one for config in configs for one in config.routes if one.tracked and one in self._held}
        rules = {one for config in configs for one in config.rules if one.tracked and one in self._held}
        lost = routing.missing(self._netlink, routes, rules)
        return {config.name for config in configs if not lost.isdisjoint((*config.routes, *config.rules))}

    def set_static(self, config: Config, present: bool) -> None:
        """Set, or remove, static addresses, routes and rules."""
        self.set_addresses("static_ipaddress", config.addresses, present)
        self.set_routing("static", config.routes, config.rules, present)

    def remove_left(self, old: RouterConfig, new: RouterConfig) -> None:
        """Remove what a master holds by its old configuration and not by its new one."""
        self.set_routing(new.name, _left(old.routes, new.routes), _left(old.rules, new.rules), present=False)
        self.set_addresses(new.name, _left(old.served, new.served), present=False)

    def replace_static(self, old: Config, new: Config) -> None:
        """Replace what is static in the old configuration by what is static in the new one."""
        left = old._replace(
            addresses=_left(old.addresses, new.addresses),
            routes=_left(old.routes, new.routes),
            rules=_left(old.rules, new.rules),
        )
        self.set_static(left, present=False)
        self.set_static(new, present=True)

    def promote_secondaries(self, config: RouterConfig) -> None:
        """Have the kernel keep the other addresses of a network when the first one is removed (promote_secondaries)."""
        for device in {address.device for address in config.served}:
            try:
                sysctl.write(f"ipv4/conf/{device}/promote_secondaries", "1")
            except OSError as error:
                self._log.failure(f"({config.name}) promote_secondaries on {device}: {reason(error)}")

    def _set(self, who: str, wanted: Iterable[VirtualAddress | Route | Rule], present: bool) -> None:
        for what in wanted:
            done = self._tried(who, what, present)
            if done:
                self._unfinished.pop(what, None)
            else:
                self._unfinished[what] = who, present
            if not isinstance(what, VirtualAddress):
                (self._held.add if done and present else self._held.discard)(what)
        self._again_ns = time.monotonic_ns() + SECOND_NS if self._unfinished else None
        self._update(self)

    def _tried(self, who: str, what: VirtualAddress | Route | Rule, present: bool) -> bool:
        try:
            if isinstance(what, VirtualAddress):
                (self._netlink.add if present else self._netlink.remove)(what)
            elif isinstance(what, Route):
                routing.route(self._netlink, what, present)
            else:
                routing.rule(self._netlink, what, present)
            return True
        except (OSError, MemoryError) as error:
            self._log.failure(f"({who}) {_shown(what)}: {reason(error)}")
            return False


def _shown(what: VirtualAddress | Route | Rule) -> str:
    if isinstance(what, Rule):
        return f"preference {what.preference}"
    return what.address if isinstance(what, VirtualAddress) else what.destination


def _left(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one for one in old if one not in new)
