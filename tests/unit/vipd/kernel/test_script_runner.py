"""The process that runs scripts, when the daemon ends before it."""

from __future__ import annotations

import os
import select
from pathlib import Path

from vipd.kernel import script_runner
from vipd.kernel.accounts import Account


def test_notify_scripts_that_wait_are_run_though_the_daemon_ends_without_reading_answers(tmp_path: Path) -> None:
    """What is unread when a socket is closed resets the connection for the other end."""
    who = Account(os.getuid(), os.getgid(), ())
    channel, runner = script_runner.start()
    files = [tmp_path / name for name in ("one", "two", "three")]

    def ask(number: int) -> None:
        channel.send(script_runner.request(number, ("/usr/bin/touch", str(files[number])), who, 0, "notify INSTANCE V"))

    ask(0)
    assert select.select([channel], [], [], 60)[0], "it has answered"
    ask(1)
    ask(2)
    channel.close()
    assert os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1]) == 0
    assert all(file.exists() for file in files)
