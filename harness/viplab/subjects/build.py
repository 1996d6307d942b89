"""A daemon as somebody built it, in place of the installed one: `keepalived@PATH.deb`, `frr@PATH.deb`, `vipd@GIT-REF`.

A build is an archive of files for a host. A package is unpacked into a folder of its own and run from there, so that
nothing that is installed changes, and a host of namespaces, whose file system is the machine's, may have it as well.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viplab.errors import HostError, InputError
from viplab.resources import checkout

if TYPE_CHECKING:
    from viplab.lab.guest import Guest

FOLDER = "/usr/local/lib/viplab-build"
"""Where a host has a package's files."""
_ARCHIVE = "/usr/local/lib/viplab-build.tar.gz"
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64el", "i686": "i386"}


@dataclass(frozen=True)
class Build:
    """The files, and where they come from."""

    source: str
    """What `--subject` says after the `@`; a path is whole."""
    release: str | None
    """Its makers' version, such as `2.2.7`; None where a commit says more."""
    version: str
    """What tells this build from others of the same release."""
    archive: bytes
    """A compressed tar."""

    def unpack(self, guest: Guest, folder: str = FOLDER) -> None:
        """Put the files onto a host."""
        guest.run(f"mkdir -p {folder} {_ARCHIVE.rpartition('/')[0]}").checked()
        guest.put(self.archive, _ARCHIVE)
        guest.run(f"tar -C {folder} -xzf {_ARCHIVE} && rm {_ARCHIVE}").checked()


def from_package(package: str, source: str, program: str) -> Build:
    """The build in a Debian package that has this program.

    Raises:
        InputError: there is no such file, or it is no package, another one, or one for another architecture.
        HostError: this machine has no dpkg-deb.
    """
    path = Path(source).absolute()
    if not path.is_file():
        raise InputError(f"{source}: no such package file")
    damaged = f"{source}: cut off, damaged, or no Debian package"
    fields = dict(
        line.split(": ", 1)
        for line in run(damaged, ["dpkg-deb", "--field", str(path), "Package", "Version", "Architecture"])
        .decode(errors="replace")
        .splitlines()
        if ": " in line
    )
    if fields.get("Package") != package:
        raise InputError(f"{source}: is a package of {fields.get('Package')}, and the one of {package} was asked for")
    here = _DEBIAN.get(platform.machine(), platform.machine())
    if fields.get("Architecture") not in (here, "all"):
        raise InputError(f"{source}: is for {fields.get('Architecture')}, and hosts here are {here}")
    files = run(damaged, ["dpkg-deb", "--fsys-tarfile", str(path)])
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        if program not in (f"/{name.removeprefix('./')}" for name in archive.getnames()):
            raise InputError(f"{source}: has no {program}")
    version = fields.get("Version", "")
    # Debian's own form: [EPOCH:]RELEASE[-REVISION].
    release = version.rpartition(":")[2].rpartition("-")[0] or version.rpartition(":")[2]
    told = f"package {version}, SHA-256 {hashlib.sha256(files).hexdigest()[:12]}"
    return Build(str(path), release, told, gzip.compress(files, mtime=0))


def from_commit(ref: str) -> Build:
    """vipd as of a commit of this checkout: its program and its init script, for the places where they belong.

    Raises:
        InputError: there is no such commit, this is no checkout, or that commit's vipd cannot be built.
    """
    top = checkout()
    if top is None:
        raise InputError(
            f"vipd@{ref}: names a commit, and this viplab was installed from a wheel; run it in a checkout"
        )
    # It may be another account's than root's, which the lab needs; what is in it is run in any case.
    git = ["git", "-C", str(top), "-c", f"safe.directory={top}"]
    try:
        commit = run(f"vipd@{ref}", [*git, "rev-parse", "--verify", f"{ref}^{{commit}}"]).decode().strip()
    except InputError as error:
        raise InputError(
            f"vipd@{ref}: no such commit, branch or tag in {top} ({str(error).partition(': ')[2]})"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        with tarfile.open(fileobj=io.BytesIO(run(f"vipd@{ref}", [*git, "archive", commit, "agent"]))) as archive:
            unpack(archive, tree)
        program = tree / "vipd.pyz"
        environment = {**os.environ, "PYTHONPATH": str(tree / "agent")}
        run(f"vipd@{ref}", [sys.executable, "-P", "-m", "vipd.tools.zipapp", str(program)], environment)
        files = {"usr/local/sbin/vipd.pyz": program, "etc/init.d/vipd": tree / "agent/init.d/vipd"}
        return Build(
            ref, None, f"commit {commit[:12]}", _packed({name: path.read_bytes() for name, path in files.items()})
        )


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Put an archive's members into a folder, and refuse those that would lie elsewhere.

    Python knows no filter before 3.11.4, and Debian 12 has 3.11.2: there the archive is trusted, as what is in it is.
    """
    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    archive.extractall(folder)


def _packed(programs: dict[str, bytes]) -> bytes:
    """The same files give the same archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in programs.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def run(what: str, command: Sequence[str], environment: dict[str, str] | None = None) -> bytes:
    """What a program prints that a build is made with.

    Raises:
        HostError: it is not installed.
        InputError: it failed; the message ends with the last line that it printed.
    """
    if shutil.which(command[0]) is None:
        raise HostError(f"{command[0]}: not installed, and {what} needs it")
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise InputError(f"{what}: {last[0]}")
    return done.stdout
