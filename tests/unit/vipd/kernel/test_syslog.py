"""The form of log lines, by profile."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import vipd.kernel.syslog
from vipd.config.behaviour import PRESETS
from vipd.kernel.syslog import FORMATS, Syslog
from vipd.protocol.log_messages import LOG_MESSAGES, LogEvent


def test_every_profile_has_messages_and_a_format() -> None:
    assert set(PRESETS) == set(LOG_MESSAGES) == set(FORMATS)


def logged(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[[Syslog], None] | None = None
) -> str:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(path)
        monkeypatch.setattr(vipd.kernel.syslog, "PATH", path)
        syslog = Syslog(FORMATS[profile], detail=False, console=False)
        (say or (lambda one: one.line("VRRP_Instance(VI_1) Transition to MASTER STATE")))(syslog)
        return log.recv(999).decode()


def test_profile_1_2_2_logs_to_local1_without_a_process_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = logged("keepalived-1.2.2", tmp_path, monkeypatch)
    assert re.fullmatch(
        r"<142>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d Keepalived_vrrp: VRRP_Instance\(VI_1\) Transition to MASTER STATE",
        line,
    )


def test_profile_1_2_2_says_what_the_parent_says_in_the_articles_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged("keepalived-1.2.2", tmp_path, monkeypatch, lambda log: log.event(LogEvent.FORKED))
    assert line.startswith("<30>")
    assert line.endswith(f" Keepalived: Starting VRRP child process, pid={os.getpid()}")


def test_profile_keepalived_2_logs_to_daemon_with_its_process_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged("keepalived-2", tmp_path, monkeypatch)
    assert line.startswith("<30>")
    assert f" Keepalived_vrrp[{os.getpid()}]: " in line


def test_without_a_system_log_lines_go_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vipd.kernel.syslog, "PATH", str(tmp_path / "nothing"))
    log = Syslog(FORMATS["keepalived-2"], detail=False, console=False)
    log.line("here")
    log.line("for -D only", detail=True)
    assert capfd.readouterr().err.splitlines()[0].endswith(": here")
