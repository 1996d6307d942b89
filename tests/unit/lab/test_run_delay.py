"""How long processes wait for a processor is read of all that a process has started, and of what is gone as nothing."""

from __future__ import annotations

import os
import subprocess
import sys

from viplab.lab.run_delay import descendants, run_delay_ns

_PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


def test_whatever_a_process_has_started_belongs_to_it() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdin is not None
        parent.stdout.readline()
        found = descendants(os.getpid())
        assert parent.pid in found
        assert len(descendants(parent.pid)) == 2
        assert run_delay_ns(descendants(parent.pid)) > 0
        parent.stdin.write(b"\n")
    assert descendants(parent.pid) == [parent.pid]
    assert run_delay_ns([parent.pid]) == 0
