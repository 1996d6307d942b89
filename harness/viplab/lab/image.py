"""Guest images: made once, of a recipe of `vmimages/` or of somebody's own file, and kept in the cache under a hash.

The hash is that of everything that went in, so that an image never changes and what was saved from it stays true.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from viplab.errors import HostError, InputError
from viplab.lab import cloud_image, mmdebstrap
from viplab.lab.cache import cache_dir, make_once
from viplab.lab.image_recipe import Mmdebstrap, Recipe, load_recipe, recipe_names
from viplab.lab.sandbox import contained
from viplab.progress import step

DEFAULT = os.environ.get("VIPLAB_IMAGE") or "debian-12"
"""What guests are made from unless something else is named."""
FREE_MIB_TO_BUILD = 6 * 1024
_MEMORY_MIB = 512


@dataclass(frozen=True)
class Image:
    """A guest image in the cache."""

    path: Path

    @property
    def name(self) -> str:
        """Recipe or file, and hash, such as `debian-12-0123456789ab`."""
        return self.path.name

    @property
    def disk(self) -> Path:
        """Root disk (qcow2), never written again."""
        return self.path / "base.qcow2"

    @property
    def boots_itself(self) -> bool:
        """Whether it has a boot loader, and cloud-init that a seed tells who it is; else a kernel command line does."""
        return "kernel_command_line" not in self.manifest

    @property
    def kernel(self) -> Path:
        """Kernel for direct boot."""
        return self.path / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Initial RAM disk for direct boot."""
        return self.path / "initrd"

    @property
    def memory_mib(self) -> int:
        """What a guest of it needs."""
        return int(self.manifest.get("memory_mib", _MEMORY_MIB))

    @property
    def ssh_key(self) -> Path:
        """The lab's private key."""
        return self.path / "id_ed25519"

    @property
    def ssh_host_key(self) -> str:
        """The guests' public host key, known beforehand because the bench made it: `ssh-ed25519 AAAA...`."""
        return (self.path / "ssh_host_ed25519_key.pub").read_text(encoding="ascii").strip()

    @property
    def public_key(self) -> str:
        """That key's public half."""
        return (self.path / "id_ed25519.pub").read_text(encoding="ascii").strip()

    @property
    def host_key_pair(self) -> tuple[str, str]:
        """The guests' host key, private and public."""
        return (self.path / "ssh_host_ed25519_key").read_text(encoding="ascii"), self.ssh_host_key

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was made: `packages` (name to version), `built`; `kernel_command_line` where it is booted with one."""
        loaded: dict[str, Any] = json.loads((self.path / "manifest.json").read_text(encoding="utf-8"))
        return loaded


def images_dir() -> Path:
    """Where the cache keeps images."""
    path = cache_dir() / "images"
    path.mkdir(exist_ok=True)
    return path


def list_images() -> list[Image]:
    """The images in the cache."""
    return [Image(path) for path in sorted(images_dir().iterdir()) if (path / "manifest.json").is_file()]


def remove_image(name: str) -> None:
    """Remove one image and everything in the cache that was saved from it.

    Raises:
        InputError: there is no such image.
    """
    found = _kept(name)
    if found is None:
        raise InputError(f"no image {name!r} in the cache; `viplab image list` shows those that are")
    for memory in (cache_dir() / "memory").glob(f"{name}-*"):
        shutil.rmtree(memory)
    shutil.rmtree(found.path)


def known(named: str) -> str:
    """What `--image` names, seen to be there: a recipe, an image in the cache, or a file by its whole path.

    Raises:
        InputError: it is none of these, or the file is no image that guests here could boot from.
        HostError: this machine has no qemu-img to look into it.
    """
    if _is_file(named):
        path = Path(named).absolute()
        cloud_image.check_disk(path)
        return str(path)
    if _kept(named) is not None:
        return named
    return load_recipe(named).name


def image_name(named: str) -> str:
    """The name that an image has or would have in the cache, with its hash."""
    if _is_file(named):
        return cloud_image.name_of(Path(named))
    if _kept(named) is not None:
        return named
    recipe = load_recipe(named)
    return f"{recipe.name}-{recipe.key}"


def promised_packages(named: str) -> Collection[str] | None:
    """The packages that a recipe asks for; None of an image that was not made by one, whose guests have to be asked."""
    return load_recipe(named).file.packages if named in recipe_names() else None


def ready_image(named: str = DEFAULT) -> Image:
    """The guest image that `--image` names, made now if the cache does not have it.

    Raises:
        HostError: not root, no disk, or a program or the network is missing.
        InputError: there is no such image.
        LabError: a step of the build failed.
    """
    named = known(named)
    found = _kept(image_name(named))
    if found is not None:
        return found
    if _is_file(named):
        file = Path(named)
        return _make(image_name(named), f"Copy {file.name}, once", lambda folder: cloud_image.copy(file, folder))
    recipe = load_recipe(named)
    return _make(image_name(named), f"Build the guest image {recipe.name}, once", lambda folder: _build(recipe, folder))


def _is_file(named: str) -> bool:
    return "/" in named or named.endswith((".qcow2", ".img"))


def _kept(name: str) -> Image | None:
    return next((image for image in list_images() if image.name == name), None)


def _make(name: str, told: str, build: Callable[[Path], dict[str, Any]]) -> Image:
    from viplab.lab.libvirt.keys import write_key_pair  # needs the extra `lab`, which a list of images does not

    if os.geteuid() != 0:
        raise HostError("building an image needs root (it makes a root file system); run it with sudo")
    free_mib = shutil.disk_usage(images_dir()).free // 2**20
    if free_mib < FREE_MIB_TO_BUILD:
        raise HostError(
            f"{images_dir()}: {free_mib} MiB free, building an image takes {FREE_MIB_TO_BUILD}; "
            "free some, or point XDG_CACHE_HOME to a larger disk"
        )

    def make(folder: Path) -> None:
        write_key_pair(folder / "id_ed25519", "viplab")
        write_key_pair(folder / "ssh_host_ed25519_key", "centOS")
        # In a process tree of its own, so that nothing of the builder outlives us, however we end.
        made = {"built": datetime.now(UTC).isoformat(timespec="seconds"), **contained(lambda: build(folder))}
        (folder / "manifest.json").write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    path = images_dir() / name
    with step(told):
        make_once(path, make)
    return Image(path)


def _build(recipe: Recipe, folder: Path) -> dict[str, Any]:
    if isinstance(recipe.file, Mmdebstrap):
        return mmdebstrap.build(recipe, recipe.file, folder)
    return cloud_image.build(recipe, recipe.file, folder)
