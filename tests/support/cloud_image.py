"""A Debian image as a cloud has it: partition, boot loader and cloud-init, and nothing that knows of the bench."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from viplab.lab.image_recipe import load_recipe

NEEDED = ("mmdebstrap", "mke2fs", "qemu-img", "grub-mkimage")
"""Programs; the last is in grub-common, and its modules are in grub-pc-bin."""
GRUB = Path("/usr/lib/grub/i386-pc")
PACKAGES = (
    "linux-image-cloud-amd64",
    "systemd-sysv",
    "udev",
    "cloud-init",
    "netplan.io",
    "systemd-resolved",
    "dbus",
    "openssh-server",
    "iproute2",
    "iputils-ping",
    "procps",
    "rsyslog",
    "keepalived",
)
_MODULES = ("biosdisk", "part_msdos", "ext2", "linux", "serial", "terminal")
_SECTOR = 512
_PARTITION_AT = 2048  # sectors; the gap before it has GRUB
_PARTITION_MIB = 2047


def make_cloud_image(path: Path, packages: Sequence[str] = PACKAGES) -> None:
    """Make the image, of these packages; it takes a minute or two, root, and a mirror of Debian's."""
    work = path.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    root, raw = work / "root", work / "disk.raw"
    # The mirror that the bench itself takes here.
    sources = load_recipe("debian-12").package_sources
    (work / "apt.sources").write_text(sources + "\n")
    named = [str(work / "apt.sources")] if sources else []
    _run(
        *(
            "mmdebstrap",
            "--quiet",
            "--mode=root",
            "--variant=minbase",
            f"--include={','.join(packages)}",
        ),
        *('--customize-hook=printf "LABEL=root / ext4 defaults 0 1\\n" >"$1/etc/fstab"', "bookworm", root, *named),
    )
    with raw.open("wb") as disk:
        disk.truncate((_PARTITION_AT + 2048 * _PARTITION_MIB) * _SECTOR)
    offset = f"offset={_PARTITION_AT * _SECTOR}"
    _run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, "-E", offset, raw, f"{_PARTITION_MIB}M")
    _make_bootable(raw, root, work)
    _run("qemu-img", "convert", "-c", "-O", "qcow2", raw, work / "disk.qcow2")
    (work / "disk.qcow2").rename(path)
    shutil.rmtree(work)


def _make_bootable(raw: Path, root: Path, work: Path) -> None:
    """Write GRUB's first sector, the partition table in it, and GRUB itself into the gap after it."""
    kernel, initrd = (max((root / "boot").glob(f"{name}-*")).name for name in ("vmlinuz", "initrd.img"))
    (work / "grub.cfg").write_text(
        "serial --unit=0\nterminal_output serial\nset root=(hd0,msdos1)\n"
        f"linux /boot/{kernel} root=LABEL=root ro console=ttyS0\ninitrd /boot/{initrd}\nboot\n"
    )
    core = work / "core.img"
    _run("grub-mkimage", "-O", "i386-pc", "-o", core, "-p", "/boot/grub", "-c", work / "grub.cfg", *_MODULES)
    linux = 0x83
    entry = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", linux, b"\0\0\0", _PARTITION_AT, 2048 * _PARTITION_MIB)
    with raw.open("r+b") as disk:
        disk.write((GRUB / "boot.img").read_bytes()[:440])
        disk.seek(446)
        disk.write(entry.ljust(64, b"\0") + b"\x55\xaa")
        # Where boot.img looks for it unless told otherwise.
        disk.write(core.read_bytes())


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"
