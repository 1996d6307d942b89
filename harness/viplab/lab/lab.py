"""What the rest of the bench sees of a lab, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from viplab.lab.guest import Guest
from viplab.types import HostName

T = TypeVar("T")
Fact = tuple[bool | None, str]
"""Whether something is so, None where there is no such thing in this lab, and what was seen."""


@dataclass(frozen=True)
class Origins:
    """What the lab is made of; None where a thing does not apply."""

    qemu: str | None
    libvirt: str | None
    image: str | None
    packages: dict[str, str]
    """Name to version, the same on both hosts."""


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
    def origins(self) -> Origins:
        """Versions of what can change a figure."""
        ...

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """A and B."""
        ...

    def reset(self, name: str = "", prepare: Callable[[Guest], None] | None = None) -> None:
        """Put both guests back to where they were before anything was done to them, and do `prepare` to each.

        What `prepare` does has to be the same whenever it is given under the same name: a lab may remember the outcome.
        """
        ...

    def describe(self) -> dict[str, Fact]:
        """The lab as it is, not as it was asked for: `networks` (claim P1) and `clone` (claim P2)."""
        ...


def on_both(lab: Lab, action: Callable[[Guest], T]) -> dict[HostName, T]:
    """Do something to both hosts at once; the first failure is raised when both have ended."""
    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        return dict(zip(lab.hosts, pool.map(action, lab.hosts.values()), strict=True))
