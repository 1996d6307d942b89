"""Every reason for which a trial is undecided, provoked for real in a lab of namespaces; only a clock is pretended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.scenarios import InNamespaces, by_load, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.verdict import UNDECIDED
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab
from viplab.observe import capture, clocks
from viplab.subjects.vipd import Vipd

KILL = ("kill: {host: A}", "observe: 1")


def reasons(
    in_namespaces: InNamespaces,
    provoke: Callable[[Lab], None] | None = None,
    *,
    steps: tuple[str, ...] = (),
    seconds: float = 1,
    subject: type[Vipd] = Vipd,
) -> list[str]:
    """All reasons for which one trial is undecided; `provoke` is called when its first measured step begins."""

    def listen(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "step_started" and event["step"] == f"observe: {float(seconds)}" and provoke:
            provoke(lab)

    text = scenario(f"observe: {seconds}", *steps)
    record = read_trial(in_namespaces.run(text, subject("keepalived-1.2.2"), listen))
    view = view_trial(record)
    found = [reason for rule in UNDECIDED if (reason := rule(record, view.faults))]
    # Of what was found, the first is the verdict's; a busy machine may have added another.
    assert (view.summary.verdict == "undecided") is bool(found)
    return found


def test_a_trial_that_nobody_disturbs_is_decided(in_namespaces: InNamespaces) -> None:
    assert [reason for reason in reasons(in_namespaces) if not by_load(reason)] == []


def test_a_capture_that_drops_packets(in_namespaces: InNamespaces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BUFFER_KIB", 4)

    def flood(lab: Lab) -> None:
        lab.hosts["B"].run("timeout 1 ping -q -f -s 1400 192.168.122.1", timeout_s=10)

    assert any("public dropped" in reason for reason in reasons(in_namespaces, flood))


def test_a_spanning_tree(in_namespaces: InNamespaces) -> None:
    def turn_on(lab: Lab) -> None:
        subprocess.run(["ip", "link", "set", "virbr0", "type", "bridge", "stp_state", "1"], check=True)

    assert any("STP is on" in reason for reason in reasons(in_namespaces, turn_on))


def test_a_host_that_is_overloaded(in_namespaces: InNamespaces) -> None:
    """The probe itself waits, for a third of a second."""

    def stop(lab: Lab) -> None:
        (probe,) = (child for child in _children() if b"viplab.observe.probe" in child.joinpath("cmdline").read_bytes())
        os.kill(int(probe.name), signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(int(probe.name), signal.SIGCONT)

    assert any("overloaded" in reason for reason in reasons(in_namespaces, stop))


def _children() -> list[Path]:
    words = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [Path("/proc", pid) for pid in words]


def test_a_clock_that_is_stepped(in_namespaces: InNamespaces, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretended: the machine's own clock is not the test's to set, and there is no namespace for it."""

    class Stepped:
        monotonic_ns = staticmethod(time.monotonic_ns)

        @staticmethod
        def time_ns() -> int:
            return time.time_ns() + 5_000_000

    def step(lab: Lab) -> None:
        monkeypatch.setattr(clocks, "time", Stepped)

    assert any("clock was stepped by" in reason for reason in reasons(in_namespaces, step))


def test_two_masters_before_the_fault(in_namespaces: InNamespaces) -> None:
    def separate(lab: Lab) -> None:
        """The hosts hear each other no more on the interconnect; the bridge, and so the capture, hears both."""
        for port in ("A-eth0", "B-eth0"):
            subprocess.run(["ip", "link", "set", port, "type", "bridge_slave", "isolated", "on"], check=True)

    found = reasons(in_namespaces, separate, steps=KILL, seconds=6)
    assert "A and B were advertising as master just before the fault" in found


class Aloof(Vipd):
    """Says that its process is another one, which a kill then hits."""

    def processes(self, guest: Guest) -> list[int]:
        real = super().processes(guest)
        if threading.current_thread() is not threading.main_thread():
            return real  # asked at the end what it has
        return [int(guest.run("sleep 60 >/dev/null 2>&1 & echo $!").checked().stdout)]


class Gone(Vipd):
    """Says that its process is one that has ended."""

    def processes(self, guest: Guest) -> list[int]:
        return [int(guest.run("true & echo $!; wait").checked().stdout)]


def test_a_fault_that_did_not_take(in_namespaces: InNamespaces) -> None:
    found = reasons(in_namespaces, steps=KILL, subject=Aloof)
    assert "the fault did not take: after kill the daemon of A runs" in found


def test_a_kill_of_a_process_that_is_gone(in_namespaces: InNamespaces) -> None:
    found = reasons(in_namespaces, steps=KILL, subject=Gone)
    assert any("broken off: kill on centOS-hostA failed" in reason for reason in found)
