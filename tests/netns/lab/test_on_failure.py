"""Where a trial fails, `--on-failure` lets somebody look around in its lab, and nothing stays behind afterwards."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.scenarios import scenario

LIMIT_S = 300
ON_HOST = "address of B"
# A place of their own for the note of the lab that is kept, for tests that run side by side.
KEPT = f"""
mkdir -p /run/viplab && mount -t tmpfs tmpfs /run/viplab
{sys.executable} -m viplab run fails.yaml --lab netns --on-failure keep &
run=$!
while [ ! -s /run/viplab/lab.json ]; do sleep 0.1; kill -0 $run || exit 9; done
{sys.executable} -m viplab status
{sys.executable} -m viplab ssh B 'echo address of $(hostname | tail -c 2)'
{sys.executable} -m viplab down
wait $run
echo "status $?"
ls /run/viplab | wc -l
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = scenario("wait: {master: B, within: 1}").replace("scenario: test", "scenario: fails")
    (tmp_path / "fails.yaml").write_text(text)
    return tmp_path


def test_a_lab_that_is_kept_can_be_entered_and_ends_with_its_run_which_is_judged(folder: Path) -> None:
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", KEPT], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    lines = done.stdout.splitlines()
    assert any(line.startswith("a lab is up: ") for line in lines), done.stdout + done.stderr
    assert ON_HOST in lines
    assert "faults that lasted are healed" in done.stdout + done.stderr
    assert lines[-2] in ("status 1", "status 2")  # a busy machine makes it undecided
    assert lines[-1] == "0"


def test_a_shell_in_the_lab_reaches_every_host_and_leaves_the_run_to_go_on(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "viplab", "run", "fails.yaml", "--lab", "netns", "--on-failure", "shell"]
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)

        def until(words: bytes) -> None:
            said, limit = b"", time.monotonic() + LIMIT_S
            while words not in said:
                if not select.select([ours], [], [], max(0, limit - time.monotonic()))[0]:
                    process.terminate()
                    pytest.fail(f"{words!r} did not come: {said!r}")
                said += os.read(ours, 4096)

        until(b"-vipd> ")
        os.write(ours, b"B 'echo address of $(hostname | tail -c 2)'\n")
        until(ON_HOST.encode())
        os.write(ours, b"exit\n")
        until(b"summary: ")
        assert process.wait() in (1, 2)
    os.close(ours)


def test_a_shell_without_a_terminal_is_refused_before_anything_runs(folder: Path) -> None:
    command = [sys.executable, "-m", "viplab", "run", "fails.yaml", "--lab", "netns", "--on-failure", "shell"]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert (
        done.stderr.splitlines()[-1] == "viplab: --on-failure shell: standard input is no terminal; `keep` needs none"
    )
    assert not (folder / "results").exists()
