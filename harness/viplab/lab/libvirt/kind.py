"""The lab of guests as `--lab libvirt` finds it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from viplab.errors import HostError
from viplab.lab.image import DEFAULT, ready_image
from viplab.lab.lab import Lab
from viplab.lab.topology import PAIR
from viplab.types import Clock, HostName

T = TypeVar("T")


@dataclass(frozen=True)
class Libvirt:
    """Hosts that are virtual machines under a private libvirtd."""

    name: str = "libvirt"
    words: str = "hosts are virtual machines under a private libvirtd"
    image: str = DEFAULT
    side_by_side: bool = False  # emulated guests need the machine to themselves
    machines: bool = True
    clock: Clock = "own"
    needs_kvm: bool = False
    """Whether emulation, which is what there is where KVM boots no guest, will not do."""
    connect: str | None = None
    """The libvirt that they are to be under instead, which others use too."""

    def open(self, work: Callable[[Lab], T], hosts: Collection[HostName] = PAIR) -> T:
        """Do `work` with a lab of guests; nothing of it is left when this returns or raises.

        Raises:
            HostError: a program is missing, this is not root, that libvirt refuses, or guests would be emulated and may
                not be.
            LabError: the image cannot be built, or a guest does not boot.
        """
        if self.needs_kvm and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise HostError(
                "/dev/kvm cannot be opened, so that guests would be emulated, and --require-kvm forbids that"
            )
        # Whoever imports this needs libvirt-python: a list of labs does without.
        from viplab.lab.libvirt.opened import check_connection, in_lab

        if self.connect is not None:
            check_connection(self.connect)
        return in_lab(self, ready_image(self.image), work, hosts, needs_kvm=self.needs_kvm, connect=self.connect)


LIBVIRT = Libvirt()
