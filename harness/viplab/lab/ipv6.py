"""IPv6 on hosts and on the client's end, switched on for a trial that is about it and off for all others.

A kernel that has IPv6 talks of itself: it looks for duplicates of its addresses and for routers, and reports its
groups. No capture has that unless the scenario has an address of IPv6. Even then hosts do not look for duplicates,
which would keep an address from its use for a second, nor for routers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from viplab.address_family import IPV6
from viplab.errors import HostError, LabError
from viplab.lab.command import run
from viplab.lab.guest import Guest
from viplab.lab.topology import CLIENTS

# In this order: what is switched on at once looks for duplicates at once.
_SETTINGS = {"accept_dad": 0, "accept_ra": 0, "router_solicitations": 0, "disable_ipv6": 0}
SWITCH_ON = " && ".join(
    [f"echo {value} | tee /proc/sys/net/ipv6/conf/*/{key} >/dev/null" for key, value in _SETTINGS.items()]
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
    conf = Path("/proc/sys/net/ipv6/conf") / bridge
    if not conf.is_dir():
        raise HostError("this machine's kernel has no IPv6, which the scenario needs; boot it without ipv6.disable=1")
    before = {key: (conf / key).read_text() for key in _SETTINGS}
    try:
        for key, value in _SETTINGS.items():
            (conf / key).write_text(f"{value}\n")
        run(["ip", "address", "replace", CLIENTS[IPV6].ip, "dev", bridge])
        yield
    finally:
        client = CLIENTS[IPV6]
        for own in (client.ip, f"{client.probe}/128"):
            with suppress(LabError):  # the probe may not have come to have its own
                run(["ip", "address", "del", own, "dev", bridge])
        for key, text in before.items():
            (conf / key).write_text(text)
