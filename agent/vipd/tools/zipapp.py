"""Builds `vipd.pyz`: vipd in one file that `python3` runs.

The same inputs give the same bytes. Every module lies there as source, which any Python reads, and all of them compiled
by the Python that builds, for one of the same version (`vipd.entry`); in an emulated guest that saves seconds.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

_LEFT_OUT = "tools"
# Isolated from the user's environment, and without site: nothing outside the standard library is needed.
_SHEBANG = b"#!/usr/bin/python3 -IS\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_zipapp(target: Path) -> str:
    """Write the zipapp and return the SHA-256 of it, in hexadecimal."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        for name, text in _sources().items():
            path = stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        modules = _python(str(Path(__file__).with_name("compiled.py")), folder)
        _python("-m", "compileall", "-q", "-b", "--invalidation-mode", "unchecked-hash", "-o", "2", "-l",
                "-s", folder, "-p", "vipd.pyz", folder)  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as opened:
            opened.write(_SHEBANG + modules)
            with zipfile.ZipFile(opened, "a", zipfile.ZIP_STORED) as archive:  # stored: the guest needs no zlib
                for path in sorted(path for path in stage.rglob("*") if path.is_file()):
                    entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), _EPOCH)
                    entry.create_system = 3  # Unix, wherever it is built
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, path.read_bytes())
    target.chmod(0o755)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _sources() -> dict[str, bytes]:
    package = Path(__file__).parents[1]
    paths = [path.relative_to(package) for path in package.rglob("*.py")]
    sources = {f"vipd/{path}": (package / path).read_bytes() for path in paths if path.parts[0] != _LEFT_OUT}
    sources["__main__.py"] = sources.pop("vipd/entry.py")
    return sources


def _python(*arguments: str) -> bytes:
    """Run a Python of its own: what a process has loaded, and its hash seed, show in the octets of compiled code."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run(
        [sys.executable, "-S", *arguments], check=True, env=environment, stdout=subprocess.PIPE
    ).stdout


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vipd.tools.zipapp OUT")
    print(build_zipapp(Path(sys.argv[1])))  # noqa: T201
