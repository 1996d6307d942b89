"""Recipes of guest images: the folders of `vmimages/`, read and checked, and the hash of everything that goes in."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from viplab.errors import InputError
from viplab.lab.apt_sources import apt_sources
from viplab.resources import resource


class Mmdebstrap(BaseModel):
    """`recipe.yaml` of an image that the bench makes of Debian's packages, with what it has in common with others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    builder: Literal["mmdebstrap"]
    suite: str
    kernel_command_line: str
    disk_mib: int = Field(ge=512)
    packages: list[str]


class CloudImage(BaseModel):
    """`recipe.yaml` of an image that a distribution publishes for clouds, into which packages are installed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    builder: Literal["cloud-image"]
    url: str = Field(pattern=r"^https?://[^/]+/.*[^/]$")
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")
    """The file's, where the address always has the same one; otherwise the makers' list is asked."""
    checksums: str | None = Field(default=None, pattern=r"^https?://")
    """The address of the makers' list of SHA-256 sums."""
    packages: list[str]


_File: TypeAdapter[Mmdebstrap | CloudImage] = TypeAdapter(
    Annotated[Mmdebstrap | CloudImage, Field(discriminator="builder")]
)


@dataclass(frozen=True)
class Recipe:
    """A folder of `vmimages/`, the folder that it shares with other recipes, and what both say."""

    path: Path
    common: Path
    """Has the `overlay` of files that are put into the image, and `customize`, which is run on it."""
    file: Mmdebstrap | CloudImage

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
        if not isinstance(self.file, Mmdebstrap):
            return ""
        return apt_sources(self.file.suite, Path("/etc/apt"), platform.freedesktop_os_release())


def recipe_names() -> list[str]:
    """The recipes that there are."""
    return sorted(found.parent.name for found in resource("vmimages").glob("*/recipe.yaml"))


def load_recipe(name: str) -> Recipe:
    """Read `vmimages/<name>/recipe.yaml` and the `common.yaml` of the folder that it names.

    Raises:
        InputError: there is no such recipe, or it is not valid.
    """
    recipes, known = resource("vmimages"), recipe_names()
    if name not in known:
        raise InputError(f"no image recipe {name!r}, and no such image in the cache; there are: {', '.join(known)}")
    path = recipes / name
    own = _mapping(path / "recipe.yaml")
    common = recipes / str(own.pop("common", None))
    try:
        return Recipe(path, common, _File.validate_python({**_mapping(common / "common.yaml"), **own}))
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
