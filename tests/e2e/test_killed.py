"""`kill -9` for real, at five moments of a run: nothing of the lab is left, what ran is kept, and the next run works.

These need root, the guest image's packages and a few minutes: `nox -s killed`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from viplab.evidence import RunFolder
from viplab.lab.cache import cache_dir
from viplab.store import runs_dir

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")

LIMIT_S = 420

# The moments, each by a line that the run prints when it is reached.
MOMENTS = {
    "while the guests boot for the first time": "Boot both guests",
    "while the guests come back from memory": "Bring the lab up",
    "while the daemons start": "setup: start: B",
    "while the client pings": "steps: wait: pings",
    "right after the fault": "steps: wait: master B",
}


def processes() -> set[str]:
    """Every process, by pid and start time, that a lab is made of."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name = (path / "comm").read_text().strip()
            born = (path / "stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            continue
        if name.startswith(("viplab-", "libvirtd", "qemu-system", "tcpdump", "dnsmasq", "ping", "virtlog")):
            found.add(f"{path.name} {name} {born}")
    return found


def ground() -> dict[str, object]:
    """What a lab could leave on the machine."""
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    mounts = sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return {"links": links, "mounts": mounts}


def lines(run: subprocess.Popen[str]) -> Iterator[str]:
    assert run.stderr is not None
    yield from run.stderr


def start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "viplab", "run", "case-a"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_leaves_nothing_behind(moment: str) -> None:
    before, running = ground(), processes()
    if "Boot" in MOMENTS[moment]:
        for memory in (cache_dir() / "memory").glob("*"):
            subprocess.run(["rm", "-rf", str(memory)], check=True)
    run = start()
    for line in lines(run):
        if MOMENTS[moment] in line:
            break
    else:
        pytest.fail(f"the run never came to the moment {moment!r}")
    time.sleep(0.3)  # into the step, not at its first instruction; the result must not depend on it
    assert processes() - running, "nothing was running, so nothing was shown"
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    deadline = time.monotonic() + 10
    while processes() - running and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes() - running
    assert ground() == before
    if "steps" in MOMENTS[moment]:
        trial = RunFolder((runs_dir() / "latest").resolve()).trials()[0]
        assert trial.capture("virbr0").stat().st_size > 24, "what was captured is kept"
        assert next(trial.events()).event == "trial_started"


def test_the_next_run_works() -> None:
    done = subprocess.run([sys.executable, "-m", "viplab", "run", "case-a"], timeout=LIMIT_S, check=False)
    assert done.returncode == 0
