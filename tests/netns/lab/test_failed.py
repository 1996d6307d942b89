"""A subject that does not do its part has failed: that is a measurement, and nothing undecided."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.scenarios import InNamespaces, by_load, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.verdict import FAIL, UNDECIDED
from viplab.lab.guest import Guest
from viplab.lab.lab import Lab
from viplab.subjects.vipd import PIDFILE, Vipd


def test_a_backup_that_never_takes_over_fails_the_trial(in_namespaces: InNamespaces) -> None:
    subject = Vipd("keepalived-1.2.2")

    def halt_b(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "step_started" and event["step"].startswith("kill"):
            guest = lab.hosts["B"]
            guest.run(f"kill -STOP {' '.join(map(str, subject.processes(guest)))}").checked()

    text = scenario("kill: {host: A}", "wait: {master: B, within: 5}", owner="B")
    record = read_trial(in_namespaces.run(text, subject, halt_b))
    view = view_trial(record)
    undecided = [reason for rule in UNDECIDED if (reason := rule(record, view.faults))]
    failed = [reason for rule in FAIL if (reason := rule(record, view.faults))]
    assert [reason for reason in undecided if not by_load(reason)] == []
    assert failed[0] == "waited 5 s for B to be master, in vain"
    assert (view.summary.verdict == "fail") is not bool(undecided)
    assert view.summary.detection_s is None


class NeverStarts(Vipd):
    """A build that ends with a complaint, whatever it is asked; of its version, too, it says nothing."""

    start_command = "logger -t vipd no such option; echo vipd: no such option >&2; exit 1"

    def version(self, guest: Guest) -> str:
        return guest.run("false").checked().stdout


class Aborts(Vipd):
    """A build that starts and is gone a moment later."""

    start_command = f"sleep 0.2 & echo $! >{PIDFILE}; logger -t vipd assertion failed"


@pytest.mark.parametrize(
    ("subject", "said"),
    [(NeverStarts, "vipd did not start on A: vipd: no such option"), (Aborts, "vipd did not start on A: ")],
)
def test_a_daemon_that_does_not_run_fails_the_trial_with_its_last_words(
    in_namespaces: InNamespaces, subject: type[Vipd], said: str
) -> None:
    kept = in_namespaces.run(scenario("observe: 1").replace("master: A", "master: A, within: 2"), subject())
    record = read_trial(kept)
    summary = view_trial(record).summary
    assert summary.verdict == "fail"
    assert summary.reason.startswith(said)
    assert (kept.path / "hosts" / "A" / "messages.log").is_file()
    assert [event.event for event in record.events][-1] == "trial_finished"


def test_a_daemon_that_ended_before_its_fault_fails_the_trial(in_namespaces: InNamespaces) -> None:
    subject = Vipd("keepalived-1.2.2")

    def end_a(lab: Lab, event: dict[str, Any]) -> None:
        if event["event"] == "step_started" and event["step"].startswith("kill"):
            guest = lab.hosts["A"]
            (process,) = subject.processes(guest)
            # It takes a moment until it is gone, and the bench would find it still there.
            guest.run(f"kill -9 {process}; while kill -0 {process} 2>&-; do sleep 0.01; done").checked()

    kept = in_namespaces.run(scenario("observe: 1", "kill: {host: A}", owner="B"), subject, end_a)
    summary = view_trial(read_trial(kept)).summary
    assert (summary.verdict, summary.reason.partition(":")[0]) == ("fail", "vipd does not run on A")


def test_a_disk_that_is_full_keeps_what_was_captured_and_is_said_in_one_line(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    program = f"""
        mount -t tmpfs -o size=230m none {disk} || exit 99
        {sys.executable} -m viplab run failover --lab netns --results {disk} --trials 2 & pid=$!
        until [ -s {disk}/latest/trials/*/capture/public.pcap ]; do kill -0 $pid || break; sleep 0.1; done
        dd if=/dev/zero of={disk}/filler bs=64k 2>/dev/null
        wait $pid; status=$?
        cp -r {disk}/2* {tmp_path}/kept
        exit $status
    """
    done = subprocess.run(["unshare", "--mount", "sh", "-c", program], check=False, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert (done.returncode, last) == (69, f"viplab: {disk}: No space left on device; what was captured is kept there")
    assert (tmp_path / "kept" / "run.json").is_file()
    assert list((tmp_path / "kept").glob("trials/001*/timeline.jsonl"))
