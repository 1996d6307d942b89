"""What a guest says over SSH, and what it did not come to say."""

from __future__ import annotations

import io
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

pytest.importorskip("paramiko")

from viplab.errors import LabError
from viplab.lab.libvirt.ssh import Connection


def answering(status: int) -> Connection:
    """A connection whose commands end with that status; paramiko has -1 for a channel that closed without one."""
    channel = SimpleNamespace(
        exec_command=lambda command: None,
        makefile=lambda mode: io.BytesIO(b"said"),
        makefile_stderr=lambda mode: io.BytesIO(),
        recv_exit_status=lambda: status,
    )
    connection = Connection.__new__(Connection)
    connection._address, connection._answers_within_s = "10.0.0.9", 1.0
    cast("Any", connection)._open = lambda command, timeout_s: channel
    return connection


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_that_fails_is_an_answer(status: int) -> None:
    assert answering(status).run("pidof vipd", timeout_s=1).status == status


def test_a_connection_that_ends_in_mid_command_is_the_lab_s_matter_and_no_answer() -> None:
    with pytest.raises(LabError, match="the connection ended while `pidof vipd` ran"):
        answering(-1).run("pidof vipd", timeout_s=1)


def test_a_guest_that_is_not_ready_yet_is_one_error_and_no_traceback_beside_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
        with theirs:
            theirs.sendall(b"not yet\r\n" * 200)
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: ours)
        with pytest.raises(LabError, match=r"^SSH to 10\.0\.0\.9: no connection \([^\n]*\)$"):
            Connection("10.0.0.9", cast("Any", None))
    assert not caplog.records
