"""A pool of the lab's own on a libvirt that others use: disks, kernel and memory lie where qemu's account may read."""

from __future__ import annotations

import shutil
from pathlib import Path

import libvirt

from viplab.errors import HostError
from viplab.lab.image import Image
from viplab.lab.libvirt.label import Label
from viplab.lab.libvirt.labelled import target_of

USUAL = Path("/var/lib/libvirt/images")
"""Where libvirt keeps disks, and where security modules expect them."""
_HOMES = (Path("/home"), Path("/root"))
_XML = """<pool type='dir'>
  <name>{name}</name>
  <target><path>{path}</path><permissions><mode>0711</mode></permissions></target>
</pool>"""
_READABLE, _PASSABLE = 0o644, 0o711


def make_pool(connection: libvirt.virConnect, label: Label, image: Image, room_mib: int) -> tuple[Path, Image]:
    """Make a pool whose name is the label, with the image's files in it; returns its folder, and the image there.

    Raises:
        HostError: libvirt refuses, or there is not `room_mib` beside the image.
    """
    path = place(connection) / label.text
    try:
        pool = connection.storagePoolDefineXML(_XML.format(name=label.text, path=path))
        pool.build()
        pool.create()
        free = pool.info()[3]
    except libvirt.libvirtError as error:
        raise HostError(f"pool at {path.parent}: {error.get_error_message()}") from None
    # One with a boot loader of its own has neither kernel nor initrd beside it.
    files = [file for file in (image.disk, image.kernel, image.initrd) if file.exists()]
    needed = sum(file.stat().st_size for file in files) + (room_mib << 20)
    if free < needed:
        raise HostError(
            f"pool at {path.parent}: {free >> 20} MiB free, and the guests take {needed >> 20}; free some, or let "
            "libvirt's pool `default` be on a larger disk"
        )
    there = Image(path / image.name)
    try:
        there.path.mkdir()
        for file in files:
            (there.path / file.name).touch()
            shutil.copyfile(file, there.path / file.name)
            (there.path / file.name).chmod(_READABLE)
        let_through(there.path, path)
    except OSError as error:
        raise HostError(f"pool at {path.parent}: {error.strerror}") from None
    return path, there


def place(connection: libvirt.virConnect) -> Path:
    """The folder that their pool `default` is, or else the usual one; never one in somebody's home.

    Home folders are closed to qemu's own account, and to security modules.
    """
    try:
        pool = connection.storagePoolLookupByName("default")
        kind, path = target_of(pool)
        if kind == "dir" and pool.isActive() and not _in_a_home(path):
            return path
    except libvirt.libvirtError:
        pass
    return USUAL


def let_through(folder: Path, up_to: Path) -> None:
    """Let qemu's account pass through this folder and those above it, up to the pool's."""
    while folder != up_to:
        folder.chmod(_PASSABLE)
        folder = folder.parent


def _in_a_home(path: Path) -> bool:
    return any(path.is_relative_to(home) for home in (*_HOMES, Path.home()))
