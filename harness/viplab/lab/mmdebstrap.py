"""The builder `mmdebstrap`: a root file system of Debian's packages, its kernel beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from viplab.lab.command import run
from viplab.lab.image_recipe import Mmdebstrap, Recipe

_LIMIT_S = 3600.0
"""Packages come over whatever network there is."""


def build(recipe: Recipe, wanted: Mmdebstrap, folder: Path) -> dict[str, Any]:
    """Make disk, kernel and initrd in a folder that has the lab's keys; return what its manifest says of them."""
    root = folder / "root"
    overlay = recipe.common / "overlay"
    command: list[str | Path] = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(wanted.packages)}",
        "--dpkgopt=force-confold",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f'--essential-hook=tar -C "{overlay}" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$1" -x',
        f'--customize-hook="{recipe.common / "customize"}" "$1" "{folder}"',
        wanted.suite,
        root,
    ]
    if recipe.package_sources:
        suffix = "sources" if "Suites:" in recipe.package_sources else "list"
        sources = folder / f"apt.{suffix}"
        sources.write_text(recipe.package_sources + "\n", encoding="utf-8")
        command.append(sources)
    run(command, timeout_s=_LIMIT_S, log=folder.parent / f"{recipe.name}-build.log")
    shutil.copy2(_boot(root, "vmlinuz"), folder / "vmlinuz")
    shutil.copy2(_boot(root, "initrd.img"), folder / "initrd")
    packages = dict(
        line.split("\t")
        for line in run(
            ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f=${Package}\t${Version}\n"]
        ).splitlines()
    )
    raw = folder / "root.ext4"
    run(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, raw, f"{wanted.disk_mib}M"])
    run(["qemu-img", "convert", "-O", "qcow2", raw, folder / "base.qcow2"])
    raw.unlink()
    shutil.rmtree(root)
    return {"kernel_command_line": wanted.kernel_command_line, "packages": packages}


def _boot(root: Path, name: str) -> Path:
    """The newest kernel's file of that name in the root's /boot."""
    return max((root / "boot").glob(f"{name}-*"))
