"""vipd's Debian package: what is in it, that it is the same twice, and that its program runs from where it lies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from vipd import cli
from vipd.tools.deb import build_deb

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
TREE = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_deb(tmp_path_factory.mktemp("deb"))


def said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_package_has_what_a_service_has_and_its_program_runs(package: Path, tmp_path: Path) -> None:
    said("dpkg-deb", "--raw-extract", package, tmp_path / "root")
    root = tmp_path / "root"
    files = {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file() and "DEBIAN" not in path.parts}
    assert files == {
        "/usr/sbin/vipd",
        "/lib/systemd/system/vipd.service",
        "/etc/init.d/vipd",
        "/etc/default/vipd",
        "/usr/share/man/man8/vipd.8.gz",
    }
    assert said(root / "usr/sbin/vipd", "--version").startswith("vipd ")
    for name in ("lib/systemd/system/vipd.service", "etc/init.d/vipd"):
        assert "/usr/sbin/vipd " in (root / name).read_text() or "/usr/sbin/vipd\n" in (root / name).read_text()
        assert "/usr/local" not in (root / name).read_text()
    assert set((root / "DEBIAN/conffiles").read_text().split()) == {"/etc/default/vipd", "/etc/init.d/vipd"}


def test_the_same_tree_gives_the_same_package(package: Path, tmp_path: Path) -> None:
    assert build_deb(tmp_path).read_bytes() == package.read_bytes()


@pytest.mark.skipif(shutil.which("sh") is None, reason="no sh")
@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_a_script_of_the_package_is_shell(name: str) -> None:
    said("sh", "-n", TREE / "agent/debian" / name)


def test_the_manual_page_has_every_option_that_the_help_has() -> None:
    page = (TREE / "agent/man/vipd.8").read_text().replace("\\-", "-")
    options = {word.strip(",[]|") for word in cli.USAGE.split() if word.startswith(("-", "[-"))}
    assert {option for option in options if option not in page} == set()
