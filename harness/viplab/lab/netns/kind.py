"""The lab of namespaces as `--lab netns` finds it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from viplab.errors import HostError
from viplab.lab.lab import Lab
from viplab.lab.netns.lab import NetnsLab
from viplab.lab.sandbox import LAB, contained
from viplab.lab.topology import PAIR
from viplab.types import Clock, HostName

NEEDED = ("ip", "unshare", "nsenter", "bash", "ifconfig", "hostname")
T = TypeVar("T")


@dataclass(frozen=True)
class Netns:
    """Hosts that are namespace trees of this machine."""

    name: str = "netns"
    words: str = "hosts are namespaces of this machine"
    image: str | None = None
    side_by_side: bool = True
    machines: bool = False
    clock: Clock = "shared"

    def open(self, work: Callable[[Lab], T], hosts: Collection[HostName] = PAIR) -> T:
        """Do `work` with a lab of namespace hosts; nothing of it is left when this returns or raises.

        Raises:
            HostError: a program is missing, or this is not root.
        """
        missing = [name for name in NEEDED if shutil.which(name) is None]
        if missing:
            raise HostError(f"{', '.join(missing)}: not installed; `viplab doctor` says how to get it")

        def inside() -> T:
            lab = NetnsLab(self, hosts)
            lab.up()
            try:
                return work(lab)
            finally:
                lab.down()

        return contained(inside, LAB)


NETNS = Netns()
