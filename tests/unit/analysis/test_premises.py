"""What has to hold before a fault or a wait can tell anything of the daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import added, judged, rewrite


def test_two_masters_before_the_fault_make_a_trial_undecided(tmp_path: Path) -> None:
    trial = s.case_a(s.FAMILIES[0])
    trial.adverts("B", 5 * s.S, 10 * s.S)
    assert judged(trial.write(tmp_path, 1)) == (
        "undecided",
        "A and B were advertising as master just before the fault",
    )


def test_a_client_that_was_not_with_the_master_before_the_fault_decides_nothing(tmp_path: Path) -> None:
    folder = s.CASES["case-a"](s.FAMILIES[0]).write(tmp_path, 1)
    other = json.loads((folder / "trial.json").read_text())["stations"]["B"]["public_mac"]
    rewrite(folder, added("neighbour", 5 * s.S, ip="192.168.122.50", mac=other, state="REACHABLE", deleted=False))
    verdict, reason = judged(folder)
    assert (verdict, reason) == ("undecided", "before the fault the client sent to B, and A was master")


@pytest.mark.parametrize(("setup", "verdict"), [("A", "undecided"), ("B", "pass")])
def test_a_fault_on_a_host_that_has_lost_its_mastership_before_shows_no_failover(
    tmp_path: Path, setup: str, verdict: str
) -> None:
    trial = s.Trial("case-a", s.FAMILIES[1], "B")
    trial.adverts("B", 0, trial.end)
    trial.fault("kill", "A", 10 * s.S + 400 * s.MS, marker="token")
    trial.serving, trial.owning = [(0, "B")], [(0, ("B",))]
    folder = trial.write(tmp_path, 1)
    steps = f"setup: [{{wait: {{announced: {setup}}}}}]\nsteps: [{{kill: {{host: A}}}}]\nexpect: {{owner: B}}\n"
    (folder / "scenario.yaml").write_text(f"scenario: case-a\n{steps}")
    found, reason = judged(folder)
    assert found == verdict, reason
    assert verdict == "pass" or reason == "A was to be master at the kill of A, and B was"


def test_a_wait_in_vain_after_a_fault_on_a_backup_is_undecided(tmp_path: Path) -> None:
    trial = s.Trial("case-a", s.FAMILIES[1], "B")
    trial.adverts("B", 0, 20 * s.S)
    trial.fault("kill", "A", 10 * s.S + 400 * s.MS, marker="token")
    trial.serving, trial.owning = [(0, "B")], [(0, ("B",))]
    trial.event(35 * s.S, "missed", what="B to be master", within_s=20.0)
    trial.event(35 * s.S, "error", message="waited 20 s for B to be master, in vain")
    verdict, reason = judged(trial.write(tmp_path, 1))
    assert (verdict, "but B was master when kill of A struck" in reason) == ("undecided", True)


@pytest.mark.parametrize(("bursts", "verdict"), [(1, "undecided"), (2, "undecided"), (3, "fail")])
def test_a_wait_for_so_many_announcements_is_held_against_as_many(tmp_path: Path, bursts: int, verdict: str) -> None:
    folder, what = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1), "the last burst of gratuitous ARP from B"
    rewrite(folder, added("missed", 30 * s.S, what=what, within_s=20.0, bursts=bursts))
    rewrite(folder, added("error", 30 * s.S, message=f"waited 20 s for {what}, in vain"))
    assert judged(folder)[0] == verdict


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        ("B to be master", "undecided"),
        ("the last burst of gratuitous ARP from B", "undecided"),
        ("A to be master", "fail"),
        ("the last burst of gratuitous ARP from A", "fail"),
    ],
)
def test_a_wait_in_vain_for_what_the_captures_have_is_the_bench_s_own(tmp_path: Path, what: str, verdict: str) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    rewrite(folder, added("missed", 30 * s.S, what=what, within_s=20.0))
    rewrite(folder, added("error", 30 * s.S, message=f"waited 20 s for {what}, in vain"))
    found, reason = judged(folder)
    assert (found, "although the captures have it" in reason) == (verdict, verdict == "undecided"), reason
