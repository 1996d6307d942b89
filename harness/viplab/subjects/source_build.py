"""keepalived from its source: configured, made and installed once on this machine, and kept by digest.

What an old release needs from compilers of today is data, in results/reference/sources.yaml.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from viplab.errors import HostError, InputError
from viplab.lab.cache import cache_dir, make_once
from viplab.progress import note, step
from viplab.resources import resource
from viplab.subjects.build import FOLDER, Build, unpack
from viplab.untrusted_data import yaml_value

_LINES = 3
_MAKE = re.compile(r"make(\[\d+\])?: ")
_REASON = re.compile(r"\berror: |undefined reference|command not found")
_PROGRAM = "usr/sbin/keepalived"
_LIBRARIES = "usr/lib/build"
# Some old release may hand on but one of LDFLAGS and LIBS to what links it, so that both say so.
# The libraries that this machine has it linked with go along, for hosts that lack one; for those of them, too (RPATH).
_LINKED = f"-Wl,--disable-new-dtags,-rpath,{FOLDER}/{_LIBRARIES}"
_SYSTEM = re.compile(r"(?:linux-vdso|ld-linux|lib(?:c|m|dl|rt|pthread|resolv)\.so)")
"""What every host has, and has to have of its own."""


class Release(BaseModel):
    """What `sources.yaml` says of some releases."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    releases: str
    url: str | None = None
    sha256: str | None = None
    md5: str | None = None
    """What others have kept the file under, where nobody has told its SHA-256."""
    cflags: str
    configure: list[str]
    needs: list[str]


_Sources = TypeAdapter(dict[str, list[Release]])


def from_source(source: str) -> Build:
    """The build of a source archive, or of a folder that holds one unpacked.

    Raises:
        InputError: it is none, or does not compile; the message ends with what the compiler said.
        HostError: this machine has no compiler.
    """
    path = Path(source).absolute()
    if not path.exists():
        raise InputError(f"{source}: no such source archive or folder")
    if missing := [name for name in ("make", "cc") if shutil.which(name) is None]:
        raise HostError(f"{' and '.join(missing)}: not installed, and keepalived@{source} is to be compiled")
    with tempfile.TemporaryDirectory() as folder:
        tree = _unpacked(path, Path(folder))
        version = _version(tree, source)
        release = next(one for one in _releases() if re.fullmatch(one.releases, version))
        digest = _digest(path)
        if path.is_file() and release.url is not None:
            note(_compared(path, digest, release))
        how = hashlib.sha256(f"{digest} {_LINKED} {release.model_dump_json()}".encode()).hexdigest()
        kept = cache_dir() / "builds" / f"keepalived-{version}-{how[:12]}"

        def make(fresh: Path) -> None:
            with step(f"Compile keepalived {version}"):
                _compile(tree, release, fresh, source)

        make_once(kept, make)
    return Build(str(path), version, f"compiled, SHA-256 {digest[:12]}", (kept / "files.tar.gz").read_bytes())


def _unpacked(path: Path, folder: Path) -> Path:
    """The source in a folder of its own, in which it may be compiled."""
    tree = folder / "source"
    if path.is_dir():
        shutil.copytree(path, tree, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    else:
        tree.mkdir()
        try:
            with tarfile.open(path) as archive:
                unpack(archive, tree)
        except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            # Of a file that is no archive tarfile says in several lines what it has tried.
            raise InputError(f"{path}: cannot be unpacked ({str(error).partition(':')[0]})") from None
        inside = list(tree.iterdir())
        tree = inside[0] if len(inside) == 1 and inside[0].is_dir() else tree
    if not (tree / "configure").is_file():
        raise InputError(f"{path}: has no `configure`; take a release's archive, or run its autogen.sh first")
    return tree


def _version(tree: Path, source: str) -> str:
    """The release, by its file VERSION as old ones have it, or by `configure`."""
    with_file = tree / "VERSION"
    text = with_file.read_text(errors="replace") if with_file.is_file() else ""
    found = re.match(r"\s*([0-9][\w.]*)", text) or re.search(
        r"^PACKAGE_VERSION='([0-9][\w.]*)'", (tree / "configure").read_text(errors="replace"), re.MULTILINE
    )
    if found is None:
        raise InputError(f"{source}: says nowhere which release of keepalived it is")
    return found[1]


def _releases() -> list[Release]:
    text = resource("results/reference/sources.yaml").read_text(encoding="utf-8")
    return _Sources.validate_python(yaml_value(text))["keepalived"]


def _digest(path: Path) -> str:
    """SHA-256 of an archive, or of all files of a folder with their names."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and ".git" not in file.relative_to(path).parts:
            digest.update(f"{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _compared(path: Path, digest: str, release: Release) -> str:
    """Whether a file is the one of the release, as far as sums of that one are known."""
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    for name, here, known in (("SHA-256", digest, release.sha256), ("MD5", md5, release.md5)):
        if known == here:
            return f"{path.name}: SHA-256 {digest}; by its {name} it is {release.url}"
        if known is not None:
            return f"{path.name}: its {name} is {here}, and that of {release.url} is {known}: this is another file"
    return f"{path.name}: SHA-256 {digest}; no sum is known of {release.url} to hold it against"


def _compile(tree: Path, release: Release, fresh: Path, source: str) -> None:
    stage = fresh / "stage"
    environment = {**os.environ, "CFLAGS": release.cflags, "LDFLAGS": _LINKED, "LIBS": _LINKED}
    commands = (
        ["./configure", "--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", *release.configure],
        ["make", f"-j{os.cpu_count() or 1}"],
        ["make", "install", f"DESTDIR={stage}"],
    )
    for command in commands:
        done = subprocess.run(
            command, cwd=tree, env=environment, check=False, stdin=subprocess.DEVNULL, capture_output=True
        )
        if done.returncode != 0:
            needs = f"; it needs {', '.join(release.needs)}" if command[0] == "./configure" else ""
            raise InputError(f"{source}: `{command[0]}` failed: {_why(done.stderr or done.stdout)}{needs}")
    if not (stage / _PROGRAM).is_file():
        raise InputError(f"{source}: `make install` brought no {_PROGRAM}; is it keepalived?")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(stage / _PROGRAM, _PROGRAM)
        for library in _libraries(stage / _PROGRAM):
            archive.add(library.resolve(), f"{_LIBRARIES}/{library.name}")
    (fresh / "files.tar.gz").write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    shutil.rmtree(stage)


def _why(printed: bytes) -> str:
    """The first lines in which a compiler, a linker or `configure` says what is wrong, else the last of all."""
    lines = [line.strip() for line in printed.decode(errors="replace").splitlines() if line.strip()]
    # What `make` adds, a line for each folder above, names no reason.
    own = [line for line in lines if not _MAKE.match(line)] or lines
    told = [line for line in own if _REASON.search(line)][:_LINES] or own[-_LINES:]
    return " / ".join(told) or "it said nothing"


def _libraries(program: Path) -> list[Path]:
    """What a program is linked with, but for what is the system's."""
    done = subprocess.run(["ldd", program], check=False, capture_output=True, text=True)
    found = re.findall(r"^\s*(\S+) => (/\S+)", done.stdout, re.MULTILINE)
    return [Path(path) for name, path in found if not _SYSTEM.match(name)]
