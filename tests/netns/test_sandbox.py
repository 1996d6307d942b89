"""The sandbox, for real: these tests make namespaces, so they need root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from viplab.errors import Interrupted, LabError
from viplab.lab.sandbox import LAB, contained

OWNER = """
import os, sys, time
from viplab.lab.sandbox import LAB, contained
def work():
    import subprocess
    subprocess.run(["ip", "link", "add", "left-over", "type", "bridge"], check=True)
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    print(os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/mnt"), flush=True)
    time.sleep(300)
contained(work, LAB)
"""


def namespaces_in_use() -> set[str]:
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        for kind in ("net", "mnt"):
            try:
                found.add(str((process / "ns" / kind).readlink()))
            except OSError:
                continue
    return found


def test_the_payload_s_result_comes_back() -> None:
    assert contained(lambda: {"pid": os.getpid()})["pid"] < 10


def test_the_payload_s_error_comes_back() -> None:
    def fail() -> None:
        raise LabError("as it was")

    with pytest.raises(LabError, match="as it was"):
        contained(fail)


def test_a_payload_that_dies_is_an_error() -> None:
    with pytest.raises(LabError, match="without an answer"):
        contained(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_the_sandbox_has_no_network_but_its_own() -> None:
    links = contained(
        lambda: subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout, LAB
    )
    assert [line.split()[0] for line in links.splitlines()] == ["lo"]


def test_orphans_are_reaped() -> None:
    def work() -> str:
        subprocess.run(["sh", "-c", "(sleep 0.05 &) ; :"], check=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            states = subprocess.run(["ps", "-eo", "stat,comm"], capture_output=True, text=True, check=True).stdout
            if "sleep" not in states:
                return "reaped"
            time.sleep(0.05)
        return states

    assert contained(work) == "reaped"


def test_sigterm_reaches_the_payload() -> None:
    ready, tell = os.pipe()

    def work() -> None:
        os.write(tell, b"!")
        time.sleep(300)

    pid = os.fork()
    if pid == 0:
        try:
            contained(work)
        except Interrupted:
            os._exit(7)
        os._exit(0)
    os.read(ready, 1)
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


@pytest.mark.parametrize("victim", ["owner", "keeper", "init"])
def test_kill_9_of_any_process_above_leaves_nothing(victim: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    net, mnt = owner.stdout.readline().split()
    assert {net, mnt} <= namespaces_in_use()
    pid = owner.pid
    for _ in range(["owner", "keeper", "init"].index(victim)):
        pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while {net, mnt} & namespaces_in_use():  # not to be looked at twice: the kernel gives their numbers to others
        assert time.monotonic() < deadline
        time.sleep(0.05)
    owner.kill()
    owner.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_that_reaches_only_the_owner_reaches_the_payload(number: signal.Signals) -> None:
    program = """
import time
from viplab.errors import Interrupted
from viplab.lab.sandbox import contained
def work():
    print("ready", flush=True)
    time.sleep(60)
try:
    contained(work)
except Interrupted as asked:
    print(asked, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        owner.send_signal(number)
        assert owner.stdout.readline() == f"{number.name}\n"


def test_ctrl_c_which_reaches_every_process_interrupts_the_clean_up_not_again() -> None:
    program = """
import time
from viplab.errors import Interrupted
from viplab.lab.sandbox import contained
def work():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        time.sleep(0.5)
        print("cleaned up", flush=True)
try:
    contained(work)
except Interrupted:
    pass
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        os.killpg(owner.pid, signal.SIGINT)
        assert owner.stdout.readline() == "cleaned up\n"


def test_the_tests_own_namespaces_end_with_the_process_that_made_them_by_whatever_signal(namespaces: None) -> None:
    program = (
        "import subprocess, time; from support.hosts import APART; "
        "subprocess.Popen([*APART, 'sh', '-c', 'readlink /proc/self/ns/net; sleep 300 & wait']); time.sleep(300)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        made = owner.stdout.readline().strip()
        assert made in namespaces_in_use()
        owner.kill()
    limit = time.monotonic() + 60
    while made in namespaces_in_use():
        assert time.monotonic() < limit, "they are still there"
        time.sleep(0.05)
