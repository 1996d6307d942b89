"""What the rest of the bench sees of a lab, and of a kind of lab, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from viplab.lab.guest import Guest
from viplab.lab.topology import PAIR, Network
from viplab.types import Clock, HostName, NetworkName

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
    """Name to version, the same on all hosts."""
    boot_s: float | None = None
    """How long the slowest host took to boot here, in seconds; None where none boots, or nobody measured it."""


class Lab(Protocol):
    """Hosts, a client and the three networks between them."""

    @property
    def kind(self) -> LabKind:
        """What the hosts are made of."""
        ...

    @property
    def accelerator(self) -> str | None:
        """What runs the guests' instructions (`kvm`, `qemu`), None where they are not machines."""
        ...

    @property
    def origins(self) -> Origins:
        """Versions of what can change a metric."""
        ...

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """The hosts that the last `reset` put there, in the order of their names."""
        ...

    @property
    def networks(self) -> Mapping[NetworkName, Network]:
        """The three networks, each with the bridge that it is made of here."""
        ...

    def reset(
        self,
        name: str = "",
        prepare: Callable[[Guest], None] | None = None,
        hosts: Collection[HostName] | None = None,
    ) -> None:
        """Put these hosts, and no others, where they were before anything was done to them; do `prepare` to each.

        What `prepare` does has to be the same whenever it is given under the same name: a lab may remember the outcome.
        Without `hosts` all that the lab was opened with are there.
        """
        ...

    def revert(self, name: str, make: Callable[[Path], None], hosts: Collection[HostName]) -> Path | None:
        """Put these hosts back to one moment of theirs that was saved, memory and disks, under that name.

        Where nothing was saved yet `make` brings the hosts there and leaves in the folder that it is given what belongs
        to that moment.

        Returns:
            the folder with that, or None where this lab saves no memory or has no room for it: nothing was done then.

        Raises:
            LabError: the hosts were not saved or do not come back; and whatever `make` raises.
        """
        ...

    def describe(self) -> dict[str, Fact]:
        """The lab as it is, not as it was asked for: `networks` (claim P1) and `clone` (claim P2)."""
        ...


class LabKind(Protocol):
    """A kind of lab: what `--lab` chooses from. It is cheap to import; what it needs it imports when it is opened."""

    @property
    def name(self) -> str:
        """What `--lab` takes, and `trial.json` keeps."""
        ...

    @property
    def words(self) -> str:
        """What its hosts are, in a few words."""
        ...

    @property
    def image(self) -> str | None:
        """The recipe of the image that its hosts are made from; None where they have the machine's own files."""
        ...

    @property
    def side_by_side(self) -> bool:
        """Whether several of them on one machine leave each other's times alone."""
        ...

    @property
    def machines(self) -> bool:
        """Whether its hosts are machines of their own, each with a kernel and processors."""
        ...

    @property
    def clock(self) -> Clock:
        """Whose clock its hosts have."""
        ...

    def open(self, work: Callable[[Lab], T], hosts: Collection[HostName] = PAIR) -> T:
        """Do `work` with a lab that can have these hosts; nothing of it is left when this returns or raises.

        Raises:
            HostError: this machine lacks something.
            LabError: the lab does not come up.
        """
        ...


def on_each(lab: Lab, action: Callable[[Guest], T]) -> dict[HostName, T]:
    """Do something to every host at once; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        return dict(zip(lab.hosts, pool.map(action, lab.hosts.values()), strict=True))
