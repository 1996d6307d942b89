"""Macvlans that carry the virtual router MAC address (RFC 3768 and RFC 9568, section 7.3).

A macvlan on the router's interface has 00-00-5E-00-01-{VRID}, or 02 for IPv6, and carries adverts, addresses and
announcements. It is up only while its router is master, so that a backup takes no frame to that MAC (section 6.4.2).
Every one that is made has its daemon's mark in its alias, and that is how those that a killed daemon left are told from
others', those of another vipd in the same network included.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def update(netlink: Netlink, routers: Iterable[RouterConfig], mark: str) -> None:
    """Make the macvlans that these routers need, and remove others with this mark; a correct one stays.

    Raises:
        OSError: the kernel refuses one, since it does not know macvlans, or another has an interface of that name.
    """
    wanted = {router.vmac_name: router for router in routers if router.use_vmac}
    for link in list(netlink.links.values()):
        of = wanted.get(link.name)
        if link.alias == mark and (of is None or not _fits(netlink, link, of)):
            netlink.remove_link(link)
    for name, router in wanted.items():
        lower, there = netlink.links.get(router.interface), netlink.links.get(name)
        if lower is not None and there is None:
            mac = router.vmac_mac or virtual_mac(router.vrid, router.family)
            netlink.make_macvlan(name, lower, mac, mark)
            _configure(name, router.interface)
        elif lower is not None and there is not None and not _fits(netlink, there, router):
            raise OSError(f"{name} is there, and another's; give {router.name} a name of its own with use_vmac NAME")


def remove(netlink: Netlink, routers: Iterable[RouterConfig], mark: str) -> None:
    """Remove the macvlans of these routers.

    Raises:
        OSError: the kernel refuses it.
    """
    for router in routers:
        link = netlink.links.get(router.vmac_name) if router.use_vmac else None
        if link is not None and link.alias == mark:
            netlink.remove_link(link)


def _fits(netlink: Netlink, link: Link, router: RouterConfig) -> bool:
    lower = netlink.links.get(router.interface)
    mac = router.vmac_mac or virtual_mac(router.vrid, router.family)
    return lower is not None and link.lower == lower.ifindex and link.mac == mac


def _configure(vmac: str, lower: str) -> None:
    for name, value in _SETTINGS.items():
        setting = name.format(vmac=vmac, lower=lower)
        if sysctl.exists(setting):  # a kernel without IPv6 has none of its own
            sysctl.write(setting, value)
