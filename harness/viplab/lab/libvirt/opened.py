"""Brings a lab up for as long as some work is done in it, under a private libvirtd or on the machine's own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from viplab.errors import HostError
from viplab.lab.cache import cache_dir
from viplab.lab.image import Image
from viplab.lab.lab import Lab, LabKind
from viplab.lab.libvirt import networks, private_libvirtd
from viplab.lab.libvirt.accelerator import Accelerator, accelerator
from viplab.lab.libvirt.guest import Ground
from viplab.lab.libvirt.lab import LibvirtLab
from viplab.lab.libvirt.labelled import connected
from viplab.lab.libvirt.shared import in_shared_lab
from viplab.lab.sandbox import LAB, contained
from viplab.lab.topology import NETWORKS
from viplab.progress import step
from viplab.types import HostName

T = TypeVar("T")


def check_connection(uri: str) -> None:
    """See to it that a libvirt lets us in, before an image is built for it.

    Raises:
        HostError: it refuses.
    """
    with connected(uri):
        return


def in_lab(
    kind: LabKind,
    image: Image,
    work: Callable[[Lab], T],
    hosts: Collection[HostName],
    *,
    needs_kvm: bool,
    connect: str | None,
) -> T:
    """Do `work` with a lab that can have these hosts; nothing of the lab is left when this returns or raises.

    Raises:
        HostError: guests would be emulated, and may not be; or the machine's libvirt refuses.
    """
    accel = accelerator(image)
    if needs_kvm and accel != "kvm":
        raise HostError(
            "/dev/kvm opens, but a guest's kernel does not start under it, so that guests would be emulated, "
            "and --require-kvm forbids that"
        )
    how = "KVM" if accel == "kvm" else "TCG: emulation, KVM does not boot a guest here"
    if connect is not None:
        return in_shared_lab(kind, connect, image, accel, work, hosts, how)

    def inside() -> T:
        with step(f"Bring the lab up ({how})"):
            lab = LibvirtLab(kind, _private_ground(image, accel), hosts)
            lab.up()
        try:
            return work(lab)
        finally:
            lab.down()

    return contained(inside, LAB)


def _private_ground(image: Image, accel: Accelerator) -> Ground:
    connection = private_libvirtd.prepare()
    made = {network.name: networks.start(connection, network) for network in NETWORKS}
    memory = cache_dir() / "memory"
    memory.mkdir(exist_ok=True)
    return Ground(
        connection,
        image,
        accel,
        private_libvirtd.WORK,
        memory,
        image,
        networks={name: network for name, (_, network) in made.items()},
        sources={name: source for name, (source, _) in made.items()},
    )
