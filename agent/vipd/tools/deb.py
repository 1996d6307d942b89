"""Builds vipd's Debian package: program, unit, init script, options, manual page, licence."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from vipd import __version__
from vipd.tools.zipapp import build_zipapp

PROGRAM = "/usr/sbin/vipd"
_INSTALLED_BY_HAND = "/usr/local/sbin/vipd.pyz"
_TREE = Path(__file__).parents[2]
_EPOCH_S = 315532800
"""The beginning of 1980, as the times in `vipd.pyz` are."""
_CONTROL = f"""\
Package: vipd
Version: {__version__}
Section: net
Priority: optional
Architecture: all
Depends: python3 (>= 3.9), init-system-helpers (>= 1.54)
Maintainer: the viplab project <vipd@invalid>
Description: VRRP daemon that reads keepalived.conf
 Moves virtual IP addresses between hosts by the Virtual Router Redundancy
 Protocol, versions 2 and 3. It reads the VRRP part of keepalived.conf and needs
 nothing but Python.
"""
_SCRIPTS = ("postinst", "prerm", "postrm")
_CONFFILES = ("/etc/default/vipd", "/etc/init.d/vipd")


def build_deb(folder: Path) -> Path:
    """Write the package into a folder and return its path.

    Raises:
        OSError: this machine has no dpkg-deb.
        subprocess.CalledProcessError: it failed.
    """
    package = folder / f"vipd_{__version__}_all.deb"
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        root.chmod(0o755)
        build_zipapp(root / PROGRAM[1:])
        _put(root, "lib/systemd/system/vipd.service", _at_its_place("systemd/vipd.service"))
        _put(root, "etc/init.d/vipd", _at_its_place("init.d/vipd"), 0o755)
        _put(root, "etc/default/vipd", (_TREE / "debian/default").read_bytes())
        _put(root, "usr/share/man/man8/vipd.8.gz", gzip.compress((_TREE / "man/vipd.8").read_bytes(), mtime=0))
        _put(root, "usr/share/doc/vipd/copyright", (_TREE / "LICENSE").read_bytes())
        _put(root, "DEBIAN/control", _CONTROL.encode())
        _put(root, "DEBIAN/conffiles", "".join(f"{path}\n" for path in _CONFFILES).encode())
        for name in _SCRIPTS:
            _put(root, f"DEBIAN/{name}", (_TREE / "debian" / name).read_bytes(), 0o755)
        folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(_EPOCH_S)}
        command = ["dpkg-deb", "--build", "--root-owner-group", str(root), str(package)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return package


def _at_its_place(path: str) -> bytes:
    """A file of this tree that names the program, which the package has elsewhere."""
    return (_TREE / path).read_text().replace(_INSTALLED_BY_HAND, PROGRAM).encode()


def _put(root: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    target = root / path
    for parent in reversed(target.relative_to(root).parents):
        (root / parent).mkdir(mode=0o755, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m vipd.tools.deb FOLDER")
    try:
        print(build_deb(Path(sys.argv[1])))  # noqa: T201
    except FileNotFoundError as error:
        sys.exit(f"{error.filename}: {error.strerror}; install dpkg")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"the package cannot be made: {error}")
