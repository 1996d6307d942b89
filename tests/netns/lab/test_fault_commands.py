"""Commands of faults that a shell gives in a host, as they are where root may not do everything."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from unittest.mock import Mock

import pytest

from viplab.faults import fault_kind
from viplab.faults.injection import InGuest
from viplab.faults.target import Descriptors, HostTarget

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.mark.parametrize("limit", [None, 5])
def test_descriptors_run_out_for_a_daemon_that_has_an_account_of_its_own(limit: int | None) -> None:
    injection = fault_kind("descriptors_out").injection
    assert isinstance(injection, InGuest)
    with subprocess.Popen([*NOBODY, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdin is not None and daemon.stdout is not None
        daemon.stdin.write(b"it is itself by now\n")
        daemon.stdin.flush()
        daemon.stdout.readline()
        subject = Mock(processes=Mock(return_value=[daemon.pid]))
        command = injection.command(Descriptors(host="A", limit=limit), subject, Mock())
        subprocess.run(["sh", "-c", command], check=True)
        limits = Path(f"/proc/{daemon.pid}/limits").read_text().splitlines()
        (soft,) = (line.split()[3] for line in limits if line.startswith("Max open files"))
        still_open = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
        daemon.stdin.close()
    assert int(soft) == (limit or still_open)


def test_a_daemon_of_two_processes_is_told_once_to_read_its_configuration_anew() -> None:
    injection = fault_kind("reload").injection
    assert isinstance(injection, InGuest)
    with subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        subject = Mock(processes=Mock(return_value=[child, parent.pid]))

        def run(command: str) -> Mock:
            said = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True).stdout
            return Mock(checked=Mock(return_value=Mock(stdout=said)))

        command = injection.command(HostTarget(host="A"), subject, Mock(run=run))
        os.kill(child, signal.SIGKILL)
    assert command == f"kill -HUP {parent.pid}"
