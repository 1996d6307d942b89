"""The command line, and the start scripts that call it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import vipd.kernel.syslog
from support.keepalived_conf import PART_1
from vipd import __version__
from vipd.cli import main
from vipd.config.behaviour import PRESETS

AGENT = Path(vipd.__file__ or "").parents[1]


# -- command line


def test_config_test_exits_0_for_a_good_file(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", "-f", good]) == 0
    assert capsys.readouterr() == ("", "")


def test_config_test_exits_5_for_a_bad_file_and_lists_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(PART_1.replace("priority 102", "priority 999\nprioritee 5"))
    assert main(["--config-test", "--use-file", str(file)]) == 5
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [f"{file}:5", f"{file}:6"]


@pytest.mark.parametrize("arguments", [["--no-such"], ["-f"], ["start"], ["--profile", "frr"]])
def test_a_wrong_command_line_is_one_line_and_exits_64(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", "-f", "/nonexistent"]) == 5
    assert capsys.readouterr().err == (
        "/nonexistent: cannot be read: No such file or directory; name another file with -f\n"
    )


def test_version_and_help_name_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vipd {__version__}\n"
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(profile in text for profile in PRESETS)


# -- start scripts


def test_the_init_script_is_plain_posix_shell_with_an_lsb_header() -> None:
    script = AGENT / "init.d" / "vipd"
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0
    text = script.read_text()
    assert "### BEGIN INIT INFO" in text
    assert os.access(script, os.X_OK)


def test_the_init_script_lists_its_actions_when_it_knows_none() -> None:
    script = str(AGENT / "init.d" / "vipd")
    done = subprocess.run(["sh", script, "dance"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "start|stop|restart|reload|status" in done.stderr
