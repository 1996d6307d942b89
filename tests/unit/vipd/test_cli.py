"""The thin shell, as far as it goes without a network: command line, log form, timer, the built file, start scripts."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vipd.kernel.syslog
from support.keepalived_conf import PART_1
from vipd import __version__
from vipd.cli import main
from vipd.config.behaviour import PRESETS
from vipd.kernel.syslog import FORMATS, Syslog
from vipd.kernel.timerfd import TimerFd
from vipd.protocol.log_messages import LOG_MESSAGES
from vipd.tools.zipapp import build_zipapp

AGENT = Path(vipd.__file__ or "").parents[1]


@pytest.fixture(scope="session")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pyz") / "vipd.pyz"
    build_zipapp(target)
    return target


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "keepalived.conf"
    file.write_text("global_defs {\ndynamic_interfaces\n}\n" + PART_1)
    return str(file)


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


# -- log form


def test_every_profile_has_a_voice_and_a_form() -> None:
    assert set(PRESETS) == set(LOG_MESSAGES) == set(FORMATS)


def logged(profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(path)
        monkeypatch.setattr(vipd.kernel.syslog, "PATH", path)
        Syslog(FORMATS[profile], detail=False, console=False).line("VRRP_Instance(VI_1) Transition to MASTER STATE")
        return log.recv(999).decode()


def test_profile_1_2_2_logs_to_local1_without_a_process_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = logged("keepalived-1.2.2", tmp_path, monkeypatch)
    assert re.fullmatch(
        r"<142>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d Keepalived_vrrp: VRRP_Instance\(VI_1\) Transition to MASTER STATE",
        line,
    )


def test_profile_keepalived_2_logs_to_daemon_with_its_process_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged("keepalived-2", tmp_path, monkeypatch)
    assert line.startswith("<30>")
    assert f" Keepalived_vrrp[{os.getpid()}]: " in line


def test_without_a_system_log_lines_go_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vipd.kernel.syslog, "PATH", str(tmp_path / "nothing"))
    log = Syslog(FORMATS["keepalived-2"], detail=False, console=False)
    log.line("here")
    log.line("for -D only", detail=True)
    assert capsys.readouterr().err.splitlines()[0].endswith(": here")


# -- timer


def test_an_alarm_is_readable_from_its_time_on_and_can_be_set_anew() -> None:
    alarm = TimerFd()
    alarm.set(time.monotonic_ns() + 3_600_000_000_000)
    assert select.select([alarm], [], [], 0) == ([], [], [])
    alarm.set(1)  # long ago
    assert select.select([alarm], [], [], 60) == ([alarm], [], [])
    alarm.clear()
    alarm.set(time.monotonic_ns() + 3_600_000_000_000)
    assert select.select([alarm], [], [], 0) == ([], [], [])
    alarm.set(1)
    assert select.select([alarm], [], [], 60) == ([alarm], [], [])
    alarm.set(None)
    assert select.select([alarm], [], [], 0) == ([], [], [])


# -- the built file


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
