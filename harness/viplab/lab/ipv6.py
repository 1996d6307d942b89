"""IPv6 on hosts and on the client's end, switched on for a trial that is about it and off for all others.

A kernel that has IPv6 talks of itself: it looks for duplicates of its addresses and for routers, and reports its
groups. No capture has that unless the scenario has an address of IPv6. Even then hosts do not look for duplicates,
which would keep an address from its use for a second, nor for routers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from viplab.address_family import IPV6
from viplab.lab.bridge_ipv6 import SETTINGS, read_before, switch_on_bridge
from viplab.lab.guest import Guest
from viplab.lab.marks import remember
from viplab.lab.topology import CLIENTS

SWITCH_ON = " && ".join(
    [f"echo {value} | tee /proc/sys/net/ipv6/conf/*/{key} >/dev/null" for key, value in SETTINGS.items()]
    + ["echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind"]
)
"""What is done on a host; the kernel then gives each card its link-local address. The last is claim P4's heir."""


def switch_on(guest: Guest) -> None:
    """Give a host IPv6.

    Raises:
        LabError: its kernel has none.
    """
    guest.run(SWITCH_ON).checked()


@contextmanager
def client_has_ipv6(bridge: str) -> Iterator[None]:
    """Give the client IPv6 on the public network, whose bridge is that, for a while.

    Raises:
        HostError: this machine's kernel has none.
    """
    client = CLIENTS[IPV6]
    before = read_before(bridge, (client.ip, f"{client.probe}/128"))
    forget = remember(before.words)
    try:
        switch_on_bridge(bridge, client.ip)
        yield
    finally:
        before.put_back()
        forget()
