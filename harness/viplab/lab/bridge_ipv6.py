"""What a bridge had of IPv6 before the client was given it there: put back at the end, or by its mark after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path

from viplab.errors import HostError, LabError
from viplab.lab.command import run

# In this order: what is switched on at once looks for duplicates at once.
SETTINGS = {"accept_dad": 0, "accept_ra": 0, "router_solicitations": 0, "disable_ipv6": 0}
"""Settings of an interface that has IPv6 and asks nobody; of them all the bench sets."""


@dataclass(frozen=True)
class Before:
    """A bridge's settings, and which of the client's addresses it did not have."""

    bridge: str
    settings: tuple[int, ...]
    without: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """All of it, for `parse_before`."""
        return [self.bridge, *map(str, self.settings), *self.without]

    def put_back(self) -> None:
        """Give the bridge what it had, if it is still there."""
        for address in self.without:
            with suppress(LabError):  # it may not have come to have it
                run(["ip", "address", "del", address, "dev", self.bridge])
        for key, value in zip(SETTINGS, self.settings, strict=True):
            with suppress(FileNotFoundError):
                (_conf(self.bridge) / key).write_text(f"{value}\n")


def read_before(bridge: str, client: Sequence[str]) -> Before:
    """What a bridge has now, which is to be given the client's addresses.

    Raises:
        HostError: this machine's kernel has no IPv6.
    """
    conf = _conf(bridge)
    if not conf.is_dir():
        raise HostError("this machine's kernel has no IPv6, which the scenario needs; boot it without ipv6.disable=1")
    there = run(["ip", "-6", "-oneline", "address", "show", "dev", bridge]).split()
    settings = tuple(int((conf / key).read_text()) for key in SETTINGS)
    return Before(bridge, settings, tuple(address for address in client if address not in there))


def parse_before(words: Sequence[str]) -> Before | None:
    """What `Before.words` say; None where that is not what these are."""
    bridge, settings, addresses = words[:1], words[1 : 1 + len(SETTINGS)], words[1 + len(SETTINGS) :]
    try:
        numbers = tuple(map(int, settings))
        without = tuple(str(ip_interface(address)) for address in addresses)
    except ValueError:
        return None
    return Before(bridge[0], numbers, without) if len(numbers) == len(SETTINGS) else None


def switch_on_bridge(bridge: str, address: str) -> None:
    """Give a bridge IPv6, and an address."""
    for key, value in SETTINGS.items():
        (_conf(bridge) / key).write_text(f"{value}\n")
    run(["ip", "address", "replace", address, "dev", bridge])


def _conf(bridge: str) -> Path:
    return Path("/proc/sys/net/ipv6/conf") / bridge
