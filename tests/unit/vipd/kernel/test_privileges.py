"""Real-time scheduling: a limit of time makes the daemon pause, and does not end it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import os, signal, time

class Slow:
    def __del__(self, now=time.process_time):
        begin = now()
        while now() < begin + 0.05:
            pass

from vipd.config.model import Globals
from vipd.kernel import privileges
from vipd.kernel.signals import STOP, Signals

signals = Signals(STOP)
if privileges.schedule(Globals(rt_priority=1, rt_time_us=5000)):
    raise SystemExit(77)  # no real-time scheduling here, and so no limit
paused = []
sleep = time.sleep
time.sleep = lambda s: (paused.append(s), sleep(s))
while len(paused) < 3:
    pass
assert not [*signals.pending()]
slow = Slow()  # deleted when handlers of signals are gone
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_at_vrrp_rlimit_rttime_the_daemon_pauses_again_and_again_and_is_not_killed_at_its_end_either() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode == 77:
        pytest.skip("needs real-time scheduling")
    assert (done.returncode, done.stderr) == (0, "")
