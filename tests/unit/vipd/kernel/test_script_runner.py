"""The process that runs scripts, when the daemon ends before it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vipd.kernel import script_runner
from vipd.kernel.accounts import Account, executable, unsafe
from vipd.kernel.process import PidFile


def test_notify_scripts_that_wait_are_run_though_the_daemon_ends_without_reading_answers(tmp_path: Path) -> None:
    """What is unread when a socket is closed resets the connection for the other end."""
    who = Account(os.getuid(), os.getgid(), ())
    channel, runner = script_runner.start()
    files = [tmp_path / name for name in ("one", "two", "three")]

    def ask(number: int) -> None:
        channel.ask(script_runner.request(number, ("/usr/bin/touch", str(files[number])), who, 0, "notify INSTANCE V"))

    ask(0)
    assert channel.wait(60), "it has answered"
    ask(1)
    ask(2)
    channel.close()
    assert os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1]) == 0
    assert all(file.exists() for file in files)


def test_a_runner_that_was_not_needed_at_the_start_is_there_for_the_first_request(tmp_path: Path) -> None:
    channel, runner = script_runner.start(at_once=False)
    who, file = Account(os.getuid(), os.getgid(), ()), tmp_path / "made"
    channel.ask(script_runner.request(7, ("/usr/bin/touch", str(file)), who, 0, ""))
    assert channel.wait(60)
    assert channel.answer() == ("ended", (7, 0))
    assert file.exists()
    channel.close()
    assert os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1]) == 0


def test_a_runner_that_was_never_needed_ends_with_the_daemon() -> None:
    channel, runner = script_runner.start(at_once=False)
    channel.close()
    os.waitpid(runner, 0)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_script_that_outlives_the_daemon_keeps_no_other_from_starting(tmp_path: Path, at_once: bool) -> None:
    path, fifo = str(tmp_path / "pid"), tmp_path / "fifo"
    os.mkfifo(fifo)
    held = PidFile(path)
    channel, runner = script_runner.start(at_once, without=(held.fileno(),))
    who = Account(os.getuid(), os.getgid(), ())
    waits = ("/bin/cat", str(fifo))  # until somebody writes and closes
    channel.ask(script_runner.request(1, waits, who, 0, "notify INSTANCE V"))
    writer = os.open(fifo, os.O_WRONLY)
    channel.close()
    os.close(held.fileno())  # as the kernel does for a daemon that is killed
    again = PidFile(path)
    assert os.waitpid(runner, os.WNOHANG) == (0, 0), "the script still runs"
    os.close(writer)
    os.close(again.fileno())
    os.waitpid(runner, 0)


def test_a_name_without_a_path_is_the_first_in_path_that_can_be_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, mode in (("a", 0o644), ("b", 0o755), ("c", 0o755)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "check").write_text("#!/bin/sh\n")
        (tmp_path / folder / "check").chmod(mode)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / name) for name in "abc"))
    assert executable("check") == str(tmp_path / "b" / "check")
    assert executable("nosuch") is None
    assert unsafe("nosuch") == "there is no nosuch in PATH; write the whole path of the program"


def test_what_path_leads_to_is_held_to_the_same_rules_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "check"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o777)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "can be changed by another than root" in (unsafe("check") or "")
