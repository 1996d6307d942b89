"""What a guest says over SSH, and what it did not come to say."""

from __future__ import annotations

import io
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
    connection._address = "10.0.0.9"
    cast("Any", connection)._open = lambda command, timeout_s: channel
    return connection


@pytest.mark.parametrize("status", [0, 1])
def test_a_command_that_fails_is_an_answer(status: int) -> None:
    assert answering(status).run("pidof vipd", timeout_s=1).status == status


def test_a_connection_that_ends_in_mid_command_is_the_lab_s_matter_and_no_answer() -> None:
    with pytest.raises(LabError, match="the connection ended while `pidof vipd` ran"):
        answering(-1).run("pidof vipd", timeout_s=1)
