"""The built `vipd.pyz`: the same bytes each time, and nothing missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

import vipd
from vipd.tools.zipapp import build_zipapp


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pyz") / "vipd.pyz"
    build_zipapp(target)
    return target


def test_the_built_file_is_the_same_bytes_every_time(pyz: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere" / "again.pyz"
    build_zipapp(again)
    assert again.read_bytes() == pyz.read_bytes()


def test_the_built_file_runs_with_nothing_but_a_python(pyz: Path, good: str) -> None:
    done = subprocess.run(
        [sys.executable, "-IS", str(pyz), "-t", "-f", good], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_built_file_holds_all_that_the_daemon_imports(pyz: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(pyz)!r}); import vipd.daemon.loop; print(vipd.daemon.loop.Netlink)"
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_python_of_another_version_runs_the_sources(pyz: Path, tmp_path: Path, good: str) -> None:
    other = tmp_path / "other.pyz"
    other.write_bytes(pyz.read_bytes().replace(MAGIC_NUMBER, b"XX\r\n"))
    done = subprocess.run(
        [sys.executable, "-IS", str(other), "-t", "-f", good], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_is_replaced_meanwhile_is_read_no_more(pyz: Path, tmp_path: Path) -> None:
    file = tmp_path / "vipd.pyz"
    file.write_bytes(pyz.read_bytes())
    code = (
        f"import os, runpy, sys; sys.argv = [{str(file)!r}, '--version']\n"
        f"try: runpy.run_path({str(file)!r}, run_name='__main__')\n"
        f"except SystemExit: pass\n"
        f"os.unlink({str(file)!r}); import vipd.daemon.loop"
    )
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_module_of_the_built_file_loads_as_it_was_compiled(pyz: Path) -> None:
    package = Path(vipd.__file__).parent
    names = [".".join(path.relative_to(package.parent).with_suffix("").parts) for path in package.rglob("*.py")]
    kept = [name for name in names if not name.startswith("vipd.tools") and name not in ("vipd.entry", "vipd.__main__")]
    code = (
        f"import runpy, sys; sys.argv = [{str(pyz)!r}, '--version']\n"
        f"try: runpy.run_path({str(pyz)!r}, run_name='__main__')\n"
        "except SystemExit: pass\n"
        f"for name in {kept!r}: __import__(name.removesuffix('.__init__'))\n"
        "from vipd.kernel.picture import Link; assert Link(1, 'a', True, b'')._replace(name='b').name == 'b'"
    )
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_only_type_checkers_need_is_not_imported(pyz: Path, good: str) -> None:
    command = [sys.executable, "-IS", "-X", "importtime", str(pyz), "-t", "-f", good]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert "vipd.config.parser" in imported
    assert not imported & {"typing", "re", "gettext"}
