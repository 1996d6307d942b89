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
        "/usr/share/doc/vipd/copyright",
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


def stand_ins(folder: Path, programs: dict[str, int]) -> dict[str, str]:
    """An environment in which these programs write down that they were called, and end with that status."""
    for name, status in programs.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>{folder}/called\nexit {status}\n')
        program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize(("status", "service"), [(0, []), (101, ["service vipd stop"])])
def test_a_removed_daemon_is_stopped_also_where_policy_stops_nothing(
    tmp_path: Path, status: int, service: list[str]
) -> None:
    environment = stand_ins(tmp_path, {"invoke-rc.d": status, "service": 0})
    subprocess.run(["sh", TREE / "agent/debian/prerm", "remove"], check=True, env=environment)
    called = (tmp_path / "called").read_text().splitlines()
    assert called == ["invoke-rc.d --disclose-deny vipd stop", *service]


def test_beside_a_keepalived_that_runs_it_is_installed_and_not_started(tmp_path: Path) -> None:
    environment = stand_ins(tmp_path, {"pidof": 0, "update-rc.d": 0, "invoke-rc.d": 0})
    script = ["sh", TREE / "agent/debian/postinst", "configure", ""]
    done = subprocess.run(script, check=True, env=environment, capture_output=True, text=True)
    assert "keepalived runs here" in done.stdout
    assert not any(line.startswith("invoke-rc.d") for line in (tmp_path / "called").read_text().splitlines())


def test_the_manual_page_has_every_option_that_the_help_has() -> None:
    page = (TREE / "agent/man/vipd.8").read_text().replace("\\-", "-")
    options = {word.strip(",[]|") for word in cli.USAGE.split() if word.startswith(("-", "[-"))}
    assert {option for option in options if option not in page} == set()
