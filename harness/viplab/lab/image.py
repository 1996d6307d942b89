"""Guest images: built once by a recipe of `vmimages/`, kept in the cache under the hash of everything that went in."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from viplab.errors import HostError, InputError
from viplab.lab.cache import cache_dir, make_once
from viplab.lab.command import run
from viplab.lab.sandbox import contained
from viplab.progress import step
from viplab.resources import resource

DEFAULT = os.environ.get("VIPLAB_IMAGE") or "debian-12"
"""The recipe that guests are made from unless another is named."""
FREE_MIB_TO_BUILD = 6 * 1024


class RecipeFile(BaseModel):
    """`recipe.yaml` of an image, with what it has in common with others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    builder: Literal["mmdebstrap"]
    suite: str
    kernel_command_line: str
    disk_mib: int = Field(ge=512)
    packages: list[str]


@dataclass(frozen=True)
class Recipe:
    """A folder of `vmimages/`, the folder that it shares with other recipes, and what both say."""

    path: Path
    common: Path
    """Has the `overlay` of files that are put into the image, and `customize`, which is run on it."""
    file: RecipeFile

    @property
    def name(self) -> str:
        """The folder's name, such as `debian-12`."""
        return self.path.name

    @cached_property
    def key(self) -> str:
        """Twelve hex digits of the SHA-256 of all inputs: every file of both folders and the package sources."""
        digest = hashlib.sha256()
        for folder in (self.path, self.common):
            for path in sorted(folder.rglob("*")):
                digest.update(str(path.relative_to(folder)).encode() + b"\0")
                if path.is_symlink():
                    digest.update(str(path.readlink()).encode())
                elif path.is_file():
                    digest.update(path.read_bytes())
        digest.update(self.package_sources.encode())
        return digest.hexdigest()[:12]

    @cached_property
    def package_sources(self) -> str:
        """The machine's own apt sources where it runs the same release, else nothing: mmdebstrap's default."""
        return apt_sources(self.file.suite, Path("/etc/apt"), platform.freedesktop_os_release())


def load_recipe(name: str) -> Recipe:
    """Read `vmimages/<name>/recipe.yaml` and the `common.yaml` of the folder that it names.

    Raises:
        InputError: there is no such recipe, or it is not valid.
    """
    recipes = resource("vmimages")
    known = sorted(found.parent.name for found in recipes.glob("*/recipe.yaml"))
    if name not in known:
        raise InputError(f"no image recipe {name!r}; there are: {', '.join(known)}")
    path = recipes / name
    own = _mapping(path / "recipe.yaml")
    common = recipes / str(own.pop("common", None))
    try:
        return Recipe(path, common, RecipeFile.model_validate({**_mapping(common / "common.yaml"), **own}))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path / 'recipe.yaml'}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a mapping of an image recipe's keys")
    return found


def apt_sources(suite: str, etc_apt: Path, os_release: dict[str, str]) -> str:
    """The parts of a machine's apt sources that carry `suite`, in one text, or "" where it runs another release.

    Both forms are read: deb822 stanzas (`*.sources`) and one-line entries (`*.list`).
    """
    if os_release.get("ID") != "debian" or os_release.get("VERSION_CODENAME") != suite:
        return ""
    deb822 = [
        stanza.strip()
        for path in sorted(etc_apt.glob("sources.list.d/*.sources"))
        for stanza in _stanzas(path.read_text(encoding="utf-8"))
        if any(line.startswith("Suites:") and suite in line for line in stanza.splitlines())
    ]
    one_line = [
        line.strip()
        for path in [etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list"))]
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("deb ") and any(word.startswith(suite) for word in line.split())
    ]
    return "\n\n".join(deb822) if deb822 else "\n".join(one_line)


def _stanzas(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [stanza for stanza in "\n".join(lines).split("\n\n") if stanza.strip()]


@dataclass(frozen=True)
class Image:
    """A built image in the cache."""

    path: Path

    @property
    def name(self) -> str:
        """Recipe and hash, such as `debian-12-0123456789ab`."""
        return self.path.name

    @property
    def disk(self) -> Path:
        """Root disk (qcow2), never written again."""
        return self.path / "base.qcow2"

    @property
    def kernel(self) -> Path:
        """Kernel for direct boot."""
        return self.path / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """Initial RAM disk for direct boot."""
        return self.path / "initrd"

    @property
    def ssh_key(self) -> Path:
        """The lab's private key."""
        return self.path / "id_ed25519"

    @property
    def ssh_host_key(self) -> str:
        """The guests' public host key, known beforehand because the bench made it: `ssh-ed25519 AAAA...`."""
        return (self.path / "ssh_host_ed25519_key.pub").read_text(encoding="ascii").strip()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was built: `kernel_command_line`, `packages` (name to version), `built`."""
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
    found = [image for image in list_images() if image.name == name]
    if not found:
        raise InputError(f"no image {name!r} in the cache; `viplab image list` shows those that are")
    for memory in (cache_dir() / "memory").glob(f"{name}-*"):
        shutil.rmtree(memory)
    shutil.rmtree(found[0].path)


def find_image(recipe: Recipe) -> Image | None:
    """The image that this recipe gives, if it is in the cache."""
    path = images_dir() / f"{recipe.name}-{recipe.key}"
    return Image(path) if path.is_dir() else None


def ready_image(name: str = DEFAULT) -> Image:
    """The guest image of that recipe, built now if the cache does not have it."""
    recipe = load_recipe(name)
    found = find_image(recipe)
    if found is not None:
        return found
    with step(f"Build the guest image {recipe.name}, once"):
        return build_image(recipe)


def build_image(recipe: Recipe) -> Image:
    """The image that this recipe gives, built now unless the cache has it.

    Raises:
        HostError: not root, no disk, or a program is missing.
        LabError: a step of the build failed.
    """
    from viplab.lab.libvirt.keys import write_key_pair  # needs the extra `lab`, which a list of images does not

    if os.geteuid() != 0:
        raise HostError("building an image needs root (it makes a root file system); run it with sudo")
    path = images_dir() / f"{recipe.name}-{recipe.key}"
    free_mib = shutil.disk_usage(images_dir()).free // 2**20
    if not path.exists() and free_mib < FREE_MIB_TO_BUILD:
        raise HostError(
            f"{images_dir()}: {free_mib} MiB free, building an image takes {FREE_MIB_TO_BUILD}; "
            "free some, or point XDG_CACHE_HOME to a larger disk"
        )

    def make(folder: Path) -> None:
        write_key_pair(folder / "id_ed25519", "viplab")
        write_key_pair(folder / "ssh_host_ed25519_key", "centOS")
        # In a process tree of its own, so that nothing of mmdebstrap outlives us, however we end.
        contained(lambda: _build(recipe, folder))

    make_once(path, make)
    return Image(path)


def _build(recipe: Recipe, folder: Path) -> None:
    root = folder / "root"
    overlay = recipe.common / "overlay"
    command: list[str | Path] = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(recipe.file.packages)}",
        "--dpkgopt=force-confold",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f'--essential-hook=tar -C "{overlay}" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$1" -x',
        f'--customize-hook="{recipe.common / "customize"}" "$1" "{folder}"',
        recipe.file.suite,
        root,
    ]
    if recipe.package_sources:
        suffix = "sources" if "Suites:" in recipe.package_sources else "list"
        sources = folder / f"apt.{suffix}"
        sources.write_text(recipe.package_sources + "\n", encoding="utf-8")
        command.append(sources)
    run(command, log=folder.parent / f"{recipe.name}-build.log")
    shutil.copy2(_boot(root, "vmlinuz"), folder / "vmlinuz")
    shutil.copy2(_boot(root, "initrd.img"), folder / "initrd")
    packages = dict(
        line.split("\t")
        for line in run(
            ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f=${Package}\t${Version}\n"]
        ).splitlines()
    )
    raw = folder / "root.ext4"
    run(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, raw, f"{recipe.file.disk_mib}M"])
    run(["qemu-img", "convert", "-O", "qcow2", raw, folder / "base.qcow2"])
    raw.unlink()
    shutil.rmtree(root)
    manifest = {
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "kernel_command_line": recipe.file.kernel_command_line,
        "packages": packages,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _boot(root: Path, name: str) -> Path:
    """The newest kernel's file of that name in the root's /boot."""
    return max((root / "boot").glob(f"{name}-*"))
