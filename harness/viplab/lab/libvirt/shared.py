"""A lab on the machine's own libvirt, which others use too: nothing of theirs is touched, and all of ours is labelled.

Captures and probes are in the network namespace in which viplab runs, since libvirt's bridges are. Its processes still
end with it; what libvirt keeps is removed at the end, or after a crash by the label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import libvirt

from viplab.errors import HostError, LabError
from viplab.lab.guest import Timing
from viplab.lab.image import Image
from viplab.lab.lab import Lab, LabKind
from viplab.lab.libvirt import networks
from viplab.lab.libvirt.accelerator import Accelerator
from viplab.lab.libvirt.guest import Ground, LibvirtGuest
from viplab.lab.libvirt.lab import LibvirtLab
from viplab.lab.libvirt.label import Label, new_label
from viplab.lab.libvirt.labelled import connected, labelled
from viplab.lab.libvirt.pool import let_through, make_pool
from viplab.lab.marks import mark_with
from viplab.lab.owner import this_process
from viplab.lab.sandbox import contained
from viplab.lab.topology import NETWORKS, PUBLIC
from viplab.progress import note, step
from viplab.types import HostName

T = TypeVar("T")


class SharedGuest(LibvirtGuest):
    """A domain of a libvirt whose processes and files are not ours."""

    def power_cut(self) -> Timing:
        """As `virsh destroy` does: its emulator belongs to libvirt, and is out of reach of a signal from in here."""
        return self._timed(lambda domain: domain.destroy())

    def run_delay_ns(self) -> int:
        """For how long its virtual processor waited for a real one, in ns."""
        try:
            (stats,) = self._ground.connection.domainListGetStats([self._domain()], libvirt.VIR_DOMAIN_STATS_VCPU)
        except (libvirt.libvirtError, ValueError):
            return 0
        return int(stats[1].get("vcpu.0.delay", 0))

    def save(self, folder: Path) -> None:
        """Put memory, disk and console into a folder that qemu's account gets into; the guest is off then."""
        super().save(folder)
        let_through(folder, self._ground.work)


def in_shared_lab(
    kind: LabKind,
    uri: str,
    image: Image,
    accel: Accelerator,
    work: Callable[[Lab], T],
    hosts: Collection[HostName],
    how: str,
) -> T:
    """Do `work` with a lab on that libvirt; nothing of the lab is left there when this returns or raises.

    Raises:
        HostError: libvirt refuses, another lab is there, or there is no room.
        LabError: the lab does not come up.
    """
    label = new_label(this_process())
    with connected(uri) as connection:
        _make_way(connection, uri, hosts)

    def inside() -> T:
        mark_with(label)
        with connected(uri) as connection:
            try:
                with step(f"Bring the lab viplab-{label.lab} up on {uri} ({how})"):
                    lab = LibvirtLab(kind, _ground(connection, label, image, accel, hosts), hosts, SharedGuest)
                    lab.up()
                try:
                    return work(lab)
                finally:
                    lab.down()
            finally:
                remove_all(uri, label)

    return contained(inside)


def remove_all(uri: str, label: Label) -> None:
    """Remove what has this label, over a connection of its own: the lab's may be what failed.

    Raises:
        LabError: something could not be removed, for the first such reason; all else is gone.
    """
    failed: list[LabError] = []
    with connected(uri) as connection:
        for one in labelled(connection):
            if one.label == label:
                try:
                    one.remove()
                except LabError as error:
                    failed.append(error)
    if failed:
        raise failed[0]


def _make_way(connection: libvirt.virConnect, uri: str, hosts: Collection[HostName]) -> None:
    """Remove what a crash left, and refuse where somebody has the lab's addresses."""
    for one in labelled(connection):
        if one.why_kept is not None:
            raise HostError(f"{uri}: there is {one.what} already, with a lab's addresses: {one.why_kept}")
        one.remove()
        note(f"removed {one.what}, which a lab left that has ended")
    for address, whose in networks.taken(connection, hosts):
        raise HostError(
            f"{uri}: its network `default` has given {address} to {whose}, and the lab has that address; "
            "let its range of DHCP begin elsewhere"
        )


def _ground(
    connection: libvirt.virConnect, label: Label, image: Image, accel: Accelerator, hosts: Collection[HostName]
) -> Ground:
    public = networks.theirs(connection)
    made = {
        network.name: (networks.DEFAULT, public)
        if public is not None and network is PUBLIC
        else networks.start(connection, network, label)
        for network in NETWORKS
    }
    # A disk and a memory for each host as it boots, as it is prepared, and of one moment.
    work, files = make_pool(connection, label, image, len(hosts) * 3 * image.memory_mib)
    memory = work / "memory"
    memory.mkdir(mode=0o711)
    return Ground(
        connection,
        image,
        accel,
        work,
        memory,
        files,
        networks={name: network for name, (_, network) in made.items()},
        sources={name: source for name, (source, _) in made.items()},
        label=label,
    )
