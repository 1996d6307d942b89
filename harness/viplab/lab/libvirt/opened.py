"""Brings a lab under a private libvirtd up for as long as some work is done in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from viplab.errors import HostError
from viplab.lab.image import Image
from viplab.lab.lab import Lab, LabKind
from viplab.lab.libvirt import private_libvirtd
from viplab.lab.libvirt.accelerator import accelerator
from viplab.lab.libvirt.guest import Ground
from viplab.lab.libvirt.lab import LibvirtLab
from viplab.lab.sandbox import LAB, contained
from viplab.progress import step
from viplab.types import HostName

T = TypeVar("T")


def in_lab(kind: LabKind, image: Image, work: Callable[[Lab], T], hosts: Collection[HostName], *, needs_kvm: bool) -> T:
    """Do `work` with a lab that can have these hosts; nothing of the lab is left when this returns or raises.

    Raises:
        HostError: guests would be emulated, and may not be.
    """
    accel = accelerator(image)
    if needs_kvm and accel != "kvm":
        raise HostError(
            "/dev/kvm opens, but a guest's kernel does not start under it, so that guests would be emulated, "
            "and --require-kvm forbids that"
        )
    how = "KVM" if accel == "kvm" else "TCG: emulation, KVM does not boot a guest here"

    def inside() -> T:
        with step(f"Bring the lab up ({how})"):
            lab = LibvirtLab(kind, Ground(private_libvirtd.prepare(), image, accel, private_libvirtd.WORK), hosts)
            lab.up()
        try:
            return work(lab)
        finally:
            lab.down()

    return contained(inside, LAB)
