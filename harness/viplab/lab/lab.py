"""What the rest of the bench sees of a lab, whatever it is made of."""

from __future__ import annotations

from typing import Literal, Protocol

from viplab.lab.guest import Guest
from viplab.lab.topology import HostName


class Lab(Protocol):
    """Two guests, a client and the three networks between them."""

    @property
    def kind(self) -> Literal["libvirt", "netns"]:
        """What the guests are made of."""
        ...

    @property
    def accelerator(self) -> str | None:
        """What runs the guests' instructions (`kvm`, `qemu`), None where they are not machines."""
        ...

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """A and B."""
        ...

    def reset(self) -> None:
        """Put both guests back to where they were before anything was done to them."""
        ...

    def describe(self) -> dict[str, str]:
        """The lab as it is, not as it was asked for, in words: `networks` (claim P1) and `clone` (claim P2)."""
        ...
