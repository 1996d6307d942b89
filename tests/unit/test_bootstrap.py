"""`./bootstrap` on a make-believe machine: its `id`, `python3` and `apt-get` are a few lines of shell each."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
Machine = Callable[..., subprocess.CompletedProcess[str]]

PYTHON = """
case $1 in
-c) exit "${OLD_PYTHON:-0}" ;;
-m) mkdir -p "$4/bin"
    printf '#!/bin/sh\\nexit 0\\n' >"$4/bin/pip"
    printf '#!/bin/sh\\n[ "$1" = --version ] || { echo "nox $*"; exit "${SESSION_STATUS:-0}"; }\\n' >"$4/bin/nox"
    chmod +x "$4/bin/pip" "$4/bin/nox" ;;
*) [ -e installed ] || printf '%s\\n' $MISSING ;;
esac
"""
APT_GET = """
[ "$1" = install ] || exit 0
case $* in *"$UNKNOWN"*) echo "Reading..."; echo "E: Unable to locate package $UNKNOWN"; exit 100 ;; esac
echo "$*" >installed
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in (("id", 'echo "${USER_ID:-0}"'), ("python3", PYTHON), ("apt-get", APT_GET)):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    for minor in range(11, 15):  # or the real machine's would be found
        (programs / f"python3.{minor}").symlink_to("python3")
    for name in ("bootstrap", "noxfile.py"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())

    def bootstrap(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(tmp_path / "bootstrap"), *arguments]
        settings = {"PATH": f"{programs}:/usr/bin:/bin", "MISSING": "", "UNKNOWN": "no such"} | environment
        return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)

    return bootstrap


@pytest.mark.parametrize("arguments", [[], ["e2"], ["--help"]])
def test_a_wrong_call_is_64_and_names_the_sessions(machine: Machine, arguments: list[str]) -> None:
    done = machine(*arguments)
    assert done.returncode == 64
    assert len(done.stderr.splitlines()) == 1
    assert {"e2e", "tests", "lint"} <= set(done.stderr.split())


@pytest.mark.parametrize("status", [0, 1, 2, 64, 70])
def test_arguments_go_to_the_session_and_its_exit_status_comes_back(machine: Machine, status: int) -> None:
    done = machine("e2e", "--subject", "a b", SESSION_STATUS=str(status))
    assert done.returncode == status
    assert done.stdout == "nox -s e2e -- --subject a b\n"


def test_missing_packages_are_named_and_installed_and_the_rest_is_left_alone(machine: Machine, tmp_path: Path) -> None:
    done = machine("tests", MISSING="tcpdump gcc")
    assert "installing tcpdump gcc" in done.stderr
    assert (tmp_path / "installed").read_text().endswith(" tcpdump gcc\n")
    again = machine("tests")
    assert again.stderr == ""


def test_a_package_that_cannot_be_installed_is_named_in_the_last_line(machine: Machine) -> None:
    done = machine("tests", MISSING="tcpdump libfoo", UNKNOWN="libfoo")
    assert done.returncode == 69
    assert "Unable to locate package libfoo" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("trouble", "said"), [({"USER_ID": "1000"}, "needs root"), ({"OLD_PYTHON": "1"}, "needs Python")]
)
def test_what_the_machine_lacks_is_69_and_said_in_one_line(
    machine: Machine, trouble: dict[str, str], said: str
) -> None:
    done = machine("tests", **trouble)
    assert done.returncode == 69
    assert said in done.stderr.splitlines()[-1]
    assert "nox" not in done.stdout
