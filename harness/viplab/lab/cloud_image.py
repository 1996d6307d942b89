"""Disks made by others for clouds: somebody's own file, or one that a distribution publishes, with packages added.

Such a disk brings its own boot loader and cloud-init, which a seed tells who it is (viplab.lab.seed). Of a file nothing
is changed but that it is copied: the lab's networks reach nothing, so that what it lacks cannot be brought.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from viplab.errors import HostError, InputError, LabError
from viplab.lab.cache import cache_dir
from viplab.lab.command import run
from viplab.lab.image_recipe import CloudImage, Recipe
from viplab.lab.libvirt.accelerator import boots_under_kvm, disk_arguments, emulator
from viplab.lab.seed import BUILD_MAC, INSTALLED, MISSING, of_build
from viplab.progress import note

_MAGIC = b"QFI\xfb"
_HEADER = struct.Struct(">4sIQ56xQ")
"""Of a qcow2: magic, version, where the backing file's name is (0: none), and from version 3 on its features."""
_DATA_FILE = 1 << 2
"""The feature by which its sectors are in another file."""
_SECTOR = 512
_BOOT_CODE = 440
"""Octets of the first sector that a BIOS runs; all zero where a disk is not for one."""
_TABLE_SECTORS = 34
"""A GUID partition table: its own sector, its header, and 128 entries of 128 octets."""
_ROOTS = {
    "44479540-f297-41b2-9af7-d131d5f0458a": "x86",
    "b921b045-1df0-41c3-af44-4c6f280d3fae": "aarch64",
    "69dad710-2ce4-4e3c-b16c-21a1d49abed3": "arm",
    "60d5a7fe-8e7d-435c-b714-3dd8162144e1": "riscv64",
    "c31c45e6-3f39-412e-80fb-4809c4980599": "ppc64le",
    "5eead9a9-fe09-4a1e-a1d7-520d00531306": "s390x",
}
"""Types of root partitions that are not of our architecture (Discoverable Partitions Specification)."""
_MEMORY_MIB = 1024
_LONGEST = 100
"""Characters of a file's name; more go behind it in the names of what is saved of the image."""
_TIMEOUT_S = 30.0
_BUILD_LIMIT_S = 3600.0
"""An emulated guest that installs packages takes its time."""


def check_disk(path: Path) -> None:
    """See to it that a file is a disk that a guest of ours may boot from, as far as its first sectors tell.

    Raises:
        InputError: there is no such file, it is no qcow2, is not all of one, or is for other machines.
        HostError: this machine has no qemu-img.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no file; --image takes a recipe or a FILE.qcow2")
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); --image takes a recipe or a FILE.qcow2") from None
    if not header.startswith(_MAGIC):
        raise InputError(
            f"{path}: is no qcow2; `qemu-img convert -O qcow2 FILE NEW` makes one of a disk in another form"
        )
    if other := _other_file(header):
        remedy = f"`qemu-img convert -O qcow2 {path} NEW` makes one"
        raise InputError(f"{path}: has {other}, and only a disk that is one file is taken; {remedy}")
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first"
        try:
            run(["qemu-img", "dd", "-f", "qcow2", "-O", "raw", f"if={path}", f"of={first}", "bs=512", "count=34"])
        except LabError as error:
            raise InputError(f"{path}: cannot be read as a qcow2 ({error})") from None
        sectors = first.read_bytes()
    if why := _foreign(sectors):
        raise InputError(f"{path}: {why}")


def _other_file(header: bytes) -> str | None:
    """What else a disk consists of, which its checksum would not cover; None where it is one file."""
    _, version, backing, features = _HEADER.unpack(header.ljust(_HEADER.size, b"\0"))
    if backing:
        return "a backing file"
    return "a data file" if version >= 3 and features & _DATA_FILE else None


def _foreign(sectors: bytes) -> str | None:
    """Why a disk that begins so boots no guest here, or None."""
    for at in range(2 * _SECTOR, _TABLE_SECTORS * _SECTOR, 128):
        kind = sectors[at : at + 16]
        if len(kind) == 16 and (of := _ROOTS.get(str(uuid.UUID(bytes_le=kind)))):
            return f"is for {of}, as its partition table says, and guests here are x86_64"
    if not any(sectors[:_BOOT_CODE]):
        return "has no boot code in its first sector, so that it is for another architecture, or for UEFI alone"
    return None


def name_of(path: Path) -> str:
    """What the cache calls the image of a file: the file's name, if need be shortened, and its SHA-256."""
    return f"{re.sub('[^A-Za-z0-9._+-]', '-', path.name)[:_LONGEST]}-{sha256(path)[:12]}"


def copy(path: Path, folder: Path) -> dict[str, Any]:
    """Copy a file; return what the manifest says of it.

    Raises:
        LabError: it cannot be read to its end, or the disk is full.
    """
    run(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", path, folder / "base.qcow2"])
    return {"memory_mib": _MEMORY_MIB, "packages": {}, "source": str(path)}


def build(recipe: Recipe, wanted: CloudImage, folder: Path) -> dict[str, Any]:
    """Make the disk of a recipe: the published file, with its packages installed; return what the manifest says of it.

    cloud-init installs the packages, in a guest that has the machine's network by qemu's own address translation.

    Raises:
        HostError: the file cannot be had from here.
        InputError: it is no disk that boots here.
        LabError: a package could not be installed; the guest's console is kept, and the message says where.
    """
    source = fetched(recipe, wanted)
    check_disk(source)
    made = copy(source, folder)
    seed, console = folder / "seed.iso", folder / "console.log"
    of_build(wanted.packages, f"{recipe.name}-{recipe.key}").write(seed)
    try:
        _boot_once(folder / "base.qcow2", seed, console)
        said = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
        if INSTALLED not in said:
            missing = re.search(rf"{MISSING} ?(.*)", said)
            why = f"not installed: {missing[1].strip()}" if missing else "the guest did not say what it installed"
            kept = shutil.copyfile(console, folder.parent / f"{recipe.name}-build.log")
            raise LabError(f"{recipe.name}: {why} (the guest's console: {kept})")
    finally:
        seed.unlink()
        console.unlink(missing_ok=True)
    return made


def _boot_once(disk: Path, seed: Path, console: Path) -> None:
    """Let a guest boot, with the machine's network behind an address translation, and wait until it is off again."""
    accel = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and boots_under_kvm(disk_arguments(disk)) else "tcg"
    command: list[str | Path] = [emulator(), "-accel", accel, "-cpu", "host" if accel == "kvm" else "max"]
    command += ["-m", "2048", "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{console}"]
    command += ["-drive", f"file={disk},if=virtio,format=qcow2,cache=unsafe"]
    command += ["-drive", f"file={seed},if=virtio,format=raw,readonly=on"]
    command += ["-nic", f"user,model=virtio-net-pci,mac={BUILD_MAC}", "-device", "virtio-rng-pci"]
    run(command, timeout_s=_BUILD_LIMIT_S)


def downloads_dir() -> Path:
    """Where the cache keeps what distributions publish, and where one may put a file by hand."""
    path = cache_dir() / "downloads"
    path.mkdir(exist_ok=True)
    return path


def fetched(recipe: Recipe, wanted: CloudImage) -> Path:
    """The recipe's file, downloaded unless it is in the cache already, and held against its SHA-256.

    Raises:
        HostError: it cannot be had from here, or is another file than it should be.
    """
    path = downloads_dir() / wanted.url.rpartition("/")[2]
    by_hand = path.exists()
    expected = wanted.sha256 or _listed(wanted, path.name)
    if not by_hand:
        if expected is None:
            raise HostError(
                f"{recipe.name}: no SHA-256 to hold {wanted.url} against can be had from here; {_remedy(path)}"
            )
        partial = path.with_suffix(".part")
        try:
            with _open(wanted.url) as stream, partial.open("wb") as file:
                shutil.copyfileobj(stream, file, 1 << 20)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise HostError(f"{recipe.name}: {wanted.url} cannot be fetched ({_why(error)}); {_remedy(path)}") from None
    else:
        partial = path
    found = sha256(partial)
    if expected is None:
        note(f"{path.name}: SHA-256 {found}; none is known of {wanted.url} to hold it against")
    elif found != expected:
        if not by_hand:
            partial.unlink()
        raise HostError(
            f"{recipe.name}: the SHA-256 of {partial if by_hand else wanted.url} is {found}, not {expected}"
        )
    partial.rename(path)
    return path


def _remedy(path: Path) -> str:
    return f"put the file at {path}, or name it: --image FILE.qcow2"


def _listed(wanted: CloudImage, name: str) -> str | None:
    """The sum that the makers' list has for a file; None where there is no list, or none that can be had."""
    if wanted.checksums is None:
        return None
    try:
        with _open(wanted.checksums) as stream:
            return listed(stream.read(1 << 20).decode("utf-8", "replace"), name)
    except OSError as error:
        note(f"{wanted.checksums} cannot be fetched ({_why(error)})")
        return None


def listed(text: str, name: str) -> str | None:
    """The SHA-256 of a file in a list as `sha256sum` writes it, or with `--tag`."""
    file = re.escape(name)
    found = re.search(rf"^SHA256 \({file}\) = ([0-9a-f]{{64}})$|^([0-9a-f]{{64}}) [ *]{file}$", text, re.MULTILINE)
    return (found[1] or found[2]) if found else None


def _open(url: str) -> Any:
    return urllib.request.urlopen(url, timeout=_TIMEOUT_S)


def _why(error: OSError) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(error).__name__


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
