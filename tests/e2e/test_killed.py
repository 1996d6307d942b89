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

from viplab.lab.cache import cache_dir
from viplab.store import RunStore

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")

LIMIT_S = 420

# The moments, each by a line that the run prints when it is reached.
MOMENTS = {
    "while the guests boot for the first time": "Boot A and B",
    "while the guests come back from memory": "Bring the lab up",
    "while the daemons start": "setup: start: B",
    "while the client pings": "steps: wait: pings",
    "right after the fault": "steps: wait: master B",
}


def inhabitants(namespace: str) -> set[str]:
    """Every process of the machine that lives in a network namespace."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if str((path / "ns" / "net").readlink()) == namespace:
                found.add(f"{path.name} {(path / 'comm').read_text().strip()}")
        except OSError:
            continue
    return found


def lab_of(owner: int) -> str:
    """The network namespace of the lab that a run owns: that of its keeper's child."""
    keeper = Path(f"/proc/{owner}/task/{owner}/children").read_text().split()[-1]
    return str(Path(f"/proc/{keeper}/ns/net").readlink())


def ground() -> dict[str, object]:
    """What a lab could leave on the machine."""
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    mounts = sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return {"links": links, "mounts": mounts}


def start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "viplab", "run", "case-a"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module", autouse=True)
def memory_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache that shares the user's images alone: saved memory is thrown away here, and another run may use theirs."""
    images = cache_dir() / "images"
    images.mkdir(exist_ok=True)
    own = tmp_path_factory.mktemp("cache")
    (own / "viplab").mkdir()
    (own / "viplab" / "images").symlink_to(images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(own))
        yield


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_9_leaves_nothing_behind(moment: str) -> None:
    before = ground()
    if "Boot" in MOMENTS[moment]:
        for memory in (cache_dir() / "memory").glob("*"):
            subprocess.run(["rm", "-rf", str(memory)], check=True)
    run = start()
    assert run.stderr is not None
    said = []
    for line in run.stderr:
        said.append(line)
        if MOMENTS[moment] in line:
            break
    else:
        pytest.fail(f"the run never came to the moment {moment!r}; it said: {''.join(said)}")
    time.sleep(0.3)  # into the step, not at its first instruction; the result must not depend on it
    lab = lab_of(run.pid)
    assert lab != str(Path("/proc/self/ns/net").readlink())
    assert inhabitants(lab), "nothing was running, so nothing was shown"
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    deadline = time.monotonic() + 10
    while inhabitants(lab) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not inhabitants(lab)
    assert ground() == before
    if "steps" in MOMENTS[moment]:
        trial = RunStore().find("latest").trials()[0]
        assert trial.capture("public").stat().st_size > 24, "what was captured is kept"
        assert next(trial.events()).event == "trial_started"


def test_the_next_run_works() -> None:
    command = [sys.executable, "-m", "viplab", "run", "case-a", "--undecided", "pass"]
    assert subprocess.run(command, timeout=LIMIT_S, check=False).returncode == 0
