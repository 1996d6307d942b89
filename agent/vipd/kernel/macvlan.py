"""Macvlans that carry the virtual router MAC address (RFC 3768 and RFC 9568, section 7.3).

A macvlan on the router's interface has 00-00-5E-00-01-{VRID}, or 02 for IPv6, and carries adverts, addresses and
announcements. It is up only while its router is master, so that a backup takes no frame to that MAC (section 6.4.2).
Every one that is made has its daemon's mark in its alias, and that is how those that a killed daemon left are told from
others', those of another vipd in the same network included. Nothing else is raised, taken down or deleted.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from contextlib import suppress

from vipd.config.model import RouterConfig
from vipd.kernel import sysctl
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Link

_SETTINGS = {
    # Each interface answers for its own addresses alone: nobody may see the physical MAC behind a virtual address.
    "ipv4/conf/{lower}/arp_ignore": "1",
    "ipv4/conf/{lower}/arp_filter": "1",
    "ipv4/conf/{vmac}/arp_ignore": "1",
    # Nor may a question that an answer to a client raises name the virtual address beside the physical MAC.
    "ipv4/conf/{lower}/arp_announce": "2",
    # Answers leave by the interface below, which a strict check would take for a spoofed way in.
    "ipv4/conf/{vmac}/rp_filter": "2",
    "ipv4/conf/{vmac}/accept_local": "1",
    # No interface identifier may be made from the virtual MAC (RFC 9568 section 7.4).
    "ipv6/conf/{vmac}/addr_gen_mode": "1",
    "ipv6/conf/{vmac}/accept_ra": "0",
    "ipv6/conf/{vmac}/autoconf": "0",
}


def virtual_mac(vrid: int, family: int) -> bytes:
    """The virtual router MAC address: 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6."""
    return bytes((0, 0, 0x5E, 0, 1 if family == 4 else 2, vrid))


class Macvlans:
    """The macvlans of this daemon's routers."""

    def __init__(self, netlink: Netlink, mark: str) -> None:
        """Make none yet; `mark` tells what this daemon makes from what others make."""
        self._netlink = netlink
        self._mark = mark
        self._settings: dict[str, dict[str, str]] = {}  # what those of the interfaces below were before, by interface
        self._configured: set[int] = set()

    def update(self, routers: Iterable[RouterConfig]) -> dict[str, OSError]:
        """Make the macvlans that these routers need, and remove others of ours; a correct one stays.

        Returns:
            Why some could not be made, set up or removed, by name. The next call tries again.
        """
        netlink, failed = self._netlink, dict[str, OSError]()
        wanted = {router.vmac_name: router for router in routers if router.use_vmac}
        for link in self._ours():
            of = wanted.get(link.name)
            if of is None or not _fits(netlink.links, link, of):
                failed.update(self._removed(link))
        for name, router in wanted.items():
            lower, there = netlink.links.get(router.interface), netlink.links.get(name)
            try:
                if lower is not None and there is None:
                    mac = router.vmac_mac or virtual_mac(router.vrid, router.family)
                    netlink.make_macvlan(name, lower, mac, self._mark)
                elif there is not None and _is_leftover(netlink.links, there, router):
                    netlink.mark_link(there, self._mark)
                elif lower is not None and there is not None and there.alias != self._mark:
                    raise OSError(errno.EEXIST, f"another's; give {router.name} a name of its own with use_vmac NAME")
                made = self.of(router)
                if made is not None and made.ifindex not in self._configured:
                    self._configure(name, router.interface)
                    self._configured.add(made.ifindex)
            except OSError as error:
                failed[name] = error
        return failed

    def of(self, router: RouterConfig) -> Link | None:
        """The macvlan of a router, if it has one and that is ours."""
        link = self._netlink.links.get(router.vmac_name) if router.use_vmac else None
        return link if link is not None and link.alias == self._mark else None

    def remove(self) -> dict[str, OSError]:
        """Remove all of ours, and set the interfaces below as they were; returns why some stay, by name."""
        failed: dict[str, OSError] = {}
        for link in self._ours():
            failed.update(self._removed(link))
        for lower, settings in self._settings.items():
            if not self._carries_another(lower):
                for name, value in settings.items():
                    with suppress(OSError):  # the interface is gone
                        sysctl.write(name, value)
        self._settings.clear()
        return failed

    def _ours(self) -> list[Link]:
        return [link for link in self._netlink.links.values() if link.alias == self._mark]

    def _removed(self, link: Link) -> dict[str, OSError]:
        try:
            self._netlink.remove_link(link)
        except OSError as error:
            return {link.name: error}
        return {}

    def _carries_another(self, lower: str) -> bool:
        """Whether an interface carries the virtual MAC of another daemon, which needs the settings, too."""
        below = self._netlink.links.get(lower)
        return below is not None and any(
            link.lower == below.ifindex and link.mac[:4] == virtual_mac(1, 4)[:4]
            for link in self._netlink.links.values()
        )

    def _configure(self, vmac: str, lower: str) -> None:
        """Write every setting that can be written, and then raise the error of one that cannot."""
        refused: OSError | None = None
        for name, value in _SETTINGS.items():
            setting = name.format(vmac=vmac, lower=lower)
            try:
                if sysctl.exists(setting):  # a kernel without IPv6 has none of its own
                    if "{lower}" in name:
                        self._settings.setdefault(lower, {}).setdefault(setting, sysctl.read(setting))
                    sysctl.write(setting, value)
            except OSError as error:
                refused = OSError(error.errno, f"{setting}: {error.strerror}")
        if refused is not None:
            raise refused


def taken(links: Mapping[str, Link], routers: Iterable[RouterConfig], mark: str) -> set[str]:
    """The names of interfaces that are not for these routers' macvlans.

    What has our mark is ours. What a daemon left that marks nothing, keepalived for one, is taken over, as keepalived
    takes it over: it is on the router's interface, with the virtual MAC that belongs to this router alone.
    """
    wanted = {router.vmac_name: router for router in routers if router.use_vmac}
    return {
        name
        for name, link in links.items()
        if link.alias != mark and not (name in wanted and _is_leftover(links, link, wanted[name]))
    }


def _is_leftover(links: Mapping[str, Link], link: Link, router: RouterConfig) -> bool:
    own = link.mac == virtual_mac(router.vrid, router.family)
    return own and not link.alias and _fits(links, link, router)


def _fits(links: Mapping[str, Link], link: Link, router: RouterConfig) -> bool:
    lower = links.get(router.interface)
    mac = router.vmac_mac or virtual_mac(router.vrid, router.family)
    return lower is not None and link.lower == lower.ifindex and link.mac == mac
