"""Pass, fail, undecided: each reason is met by damaging a good run in just that way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import synthetic as s
from support.judging import Events, added, changed, judged, rewrite, without
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.run_folder import TrialFolder


@pytest.mark.parametrize("family", s.FAMILIES)
@pytest.mark.parametrize("case", s.CASES)
def test_a_run_as_predicted_passes(tmp_path: Path, case: str, family: str) -> None:
    verdict, reason = judged(s.CASES[case](family).write(tmp_path, 1))
    assert verdict == "pass", reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("capture_stopped", dropped=3), "dropped 3 packets"),
        (changed("capture_stopped", dropped=None), "does not say whether it dropped"),
        (without("capture_stopped"), "does not say whether it dropped"),
        (changed("environment", stp=True), "STP is on"),
        (changed("environment", steal_share=0.3), "overloaded: 30%"),
        (changed("clock", realtime_ns=s.START_NS - s.S - 2 * s.MS), "stepped by 2.000 ms"),
        (without("clock"), "not read at both ends"),
        (added("error", 0, message="the guest did not boot"), "broken off: the guest did not boot"),
        (without("trial_finished"), "its timeline has no end"),
        (added("holds", 12 * s.S, host="A", vip=True, daemon=True), "after kill the daemon of A runs"),
    ],
)
def test_what_spoils_a_trial_makes_it_undecided(tmp_path: Path, change: Callable[[Events], Events], said: str) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    rewrite(folder, change)
    verdict, reason = judged(folder)
    assert verdict == "undecided"
    assert said in reason


def test_a_spanning_tree_that_was_there_before_spoils_no_trial_in_which_only_daemons_die(tmp_path: Path) -> None:
    there = changed("environment", stp=True, stp_before=True)
    killed, lost = (
        s.case_a(s.FAMILIES[0]).write(tmp_path / "kill", 1),
        s.case_c(s.FAMILIES[0]).write(tmp_path / "link", 1),
    )
    for folder in (killed, lost):
        rewrite(folder, there)
    assert judged(killed)[0] == "pass"
    assert judged(lost) == (
        "undecided",
        "STP is on: a bridge port that comes back waits, which would be measured as failover time",
    )


def test_a_slewed_clock_is_no_step(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    rewrite(folder, changed("clock", realtime_ns=s.START_NS - s.S - s.MS // 2))
    assert judged(folder)[0] == "pass"


@pytest.mark.parametrize("kind", ["clock", "run_delay", "owners", "neighbour"])
def test_what_is_looked_at_twice_a_second_is_read_whole_in_a_long_trial(tmp_path: Path, kind: str) -> None:
    trial = s.case_a(s.FAMILIES[0])
    if kind == "owners":
        trial.probe_interval = 100 * s.MS
        trial.end = 300 * s.S
    else:
        for at in range(0, 30 * s.S, 20 * s.MS):
            said = {"realtime_ns": s.START_NS + at, "monotonic_ns": 5_000 + at + s.S, "hosts": {"A": at // 1000}}
            trial.event(at, kind, ip="10.0.0.1", **said)
    record = read_trial(TrialFolder(trial.write(tmp_path, 1)))
    assert len(record.all(kind)) > 1000
    assert not record.issues


@pytest.mark.parametrize(
    ("late_ms", "verdict", "said"),
    [
        (19, "pass", ""),
        (21, "undecided", "100% of the probe's requests were over 20 ms late"),
        (251, "undecided", "the probe sent a request 251 ms late"),
    ],
)
def test_a_probe_that_was_late_is_an_overloaded_host(tmp_path: Path, late_ms: int, verdict: str, said: str) -> None:
    trial = s.power_cut(s.FAMILIES[1])
    trial.late = late_ms * s.MS
    judgement, reason = judged(trial.write(tmp_path, 1))
    assert judgement == verdict
    assert said in reason


def test_a_busy_host_makes_a_set_up_that_is_only_looked_at_no_less_true(tmp_path: Path) -> None:
    trial = s.part_1(s.FAMILIES[1])
    trial.late = 251 * s.MS
    assert judged(trial.write(tmp_path, 1))[0] == "pass"


@pytest.mark.parametrize(
    "path", ["capture/public.pcap", "capture/interconnect.pcap", "capture/mgmt.pcap", "scenario.yaml"]
)
def test_a_missing_file_makes_a_trial_undecided_and_is_named(tmp_path: Path, path: str) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    (folder / path).unlink()
    verdict, reason = judged(folder)
    assert verdict == "undecided"
    assert path in reason


def test_a_capture_that_was_not_closed_makes_a_trial_undecided(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    path = folder / "capture" / "public.pcap"
    path.write_bytes(path.read_bytes()[:-7])
    assert "ends within a record" in judged(folder)[1]


def test_a_damaged_timeline_makes_a_trial_undecided(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    (folder / "timeline.jsonl").write_text('{"t_ns": 1, "event": "trial_started"}\nnot json\n')
    assert judged(folder)[0] == "undecided"


def test_a_fault_that_did_not_take_makes_a_trial_undecided(tmp_path: Path) -> None:
    trial = s.Trial("case-a", s.FAMILIES[0], "B")
    trial.adverts("A", 0, trial.end)
    trial.fault("kill", "A", 10 * s.S + 400 * s.MS)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    verdict, reason = judged(trial.write(tmp_path, 1))
    assert (verdict, "A went on advertising" in reason) == ("undecided", True)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ([], None),
        (["192.168.122.51"], "at the end 1 of 3 virtual addresses did not answer: 192.168.122.51"),
        (
            ["192.168.122.51", "192.168.122.52"],
            "2 of 3 virtual addresses did not answer: 192.168.122.51, 192.168.122.52",
        ),
    ],
)
def test_an_address_that_answers_nobody_at_the_end_fails(tmp_path: Path, missing: list[str], said: str | None) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    info = json.loads((folder / "trial.json").read_text())
    vips = [f"192.168.122.{octet}" for octet in (50, 51, 52)]
    (folder / "trial.json").write_text(json.dumps(info | {"vips": vips}))
    rewrite(folder, added("unanswered", 16 * s.S, addresses=missing))
    verdict, reason = judged(folder)
    assert verdict == ("fail" if said else "pass")
    assert said is None or said in reason


def test_an_outage_outside_its_window_fails(tmp_path: Path) -> None:
    trial = s.case_c(s.FAMILIES[1])
    # The new master announces itself, and answers a second later.
    trial.serving[-1] = (trial.serving[-1][0] + s.S, "B")
    verdict, reason = judged(trial.write(tmp_path, 1))
    assert verdict == "fail"
    assert "outage 1.620 s, predicted 0.611 s" in reason


def test_a_late_takeover_fails(tmp_path: Path) -> None:
    late = s.Trial("case-a", s.FAMILIES[1], "B")
    late.adverts("A", 0, 10 * s.S + 1)
    late.fault("kill", "A", 10 * s.S + 400 * s.MS, marker="token")
    garp = late.takeover("B", 14 * s.S, late.end)
    late.serving = [(0, "A"), (garp + s.MS, "B")]
    late.owning = [(0, ("A",)), (garp, ("A", "B"))]
    verdict, reason = judged(late.write(tmp_path, 1))
    assert verdict == "fail"
    assert "first advert +0.395 s off its deadline" in reason


def test_a_failed_setup_check_fails(tmp_path: Path) -> None:
    folder = s.part_1(s.FAMILIES[0]).write(tmp_path, 1)
    rewrite(folder, changed("check", ok=False))
    assert judged(folder) == ("fail", "set-up checks failed: P1 (detail of P1)")


def test_a_host_that_does_not_take_over_in_its_time_has_failed_unless_the_measurement_is_in_doubt(
    tmp_path: Path,
) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    rewrite(folder, added("missed", 30 * s.S, what="A to be master", within_s=20.0))
    rewrite(folder, added("error", 30 * s.S, message="waited 20 s for A to be master, in vain"))
    assert judged(folder) == ("fail", "waited 20 s for A to be master, in vain")
    trial = s.Trial("return", s.FAMILIES[1], "A")
    trial.adverts("B", 0, 12 * s.S)
    trial.adverts("A", 12 * s.S, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    trial.event(30 * s.S, "missed", what="A to be master", within_s=20.0)
    trial.event(30 * s.S, "error", message="waited 20 s for A to be master, in vain")
    said = "waited 20 s for A to be master, in vain: A advertised and did not announce the VIP"
    assert judged(trial.write(tmp_path, 2)) == ("fail", said)
    rewrite(folder, changed("capture_stopped", dropped=3))
    assert judged(folder)[0] == "undecided"


def test_a_log_line_is_as_uncertain_as_its_host_was_held_up(tmp_path: Path) -> None:
    folder = s.CASES["case-a"](s.FAMILIES[0]).write(tmp_path, 1)
    before = view_trial(read_trial(TrialFolder(folder))).logs["B"]
    for at, waited_ns in ((0, 0), (10 * s.S, 0), (39 * s.S, 70 * s.MS)):
        rewrite(folder, added("run_delay", at, hosts={"A": 0, "B": waited_ns}))
    after = view_trial(read_trial(TrialFolder(folder))).logs["B"]
    grown = {
        round((new.uncertainty_s or 0) - (old.uncertainty_s or 0), 6) for old, new in zip(before, after, strict=True)
    }
    assert 0.07 in grown <= {0.0, 0.07}


def test_a_daemon_that_a_reload_ends_fails_the_trial(tmp_path: Path) -> None:
    folder = s.CASES["case-a"](s.FAMILIES[1]).write(tmp_path, 1)
    text = (folder / "timeline.jsonl").read_text()
    (folder / "timeline.jsonl").write_text(
        text.replace('"kind": "kill"', '"kind": "reload"').replace("kill: host", "reload: host")
    )
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("kill:", "reload:"))
    rewrite(folder, added("holds", 30 * s.S, host="A", vip=False, daemon=False))
    verdict, reason = judged(folder)
    assert (verdict, reason) == ("fail", "after the reload of A its daemon does not run any more")


def test_a_wait_in_vain_is_no_verdict_where_the_trial_broke_off_for_another_reason_as_well(tmp_path: Path) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    rewrite(folder, added("missed", 30 * s.S, what="B to be master", within_s=20.0))
    rewrite(folder, added("error", 30 * s.S, message="waited 20 s for B to be master, in vain"))
    rewrite(folder, added("error", 31 * s.S, message="the log of B could not be kept"))
    assert judged(folder) == ("undecided", "the trial was broken off: the log of B could not be kept")


def test_a_host_that_is_gone_without_a_fault_makes_a_trial_undecided(tmp_path: Path) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    for at, hosts in ((0, {"A": 0, "B": 0}), (20 * s.S, {"B": 0})):
        rewrite(folder, added("run_delay", at, hosts=hosts))
    assert judged(folder)[0] == "pass"  # A's power was cut
    rewrite(folder, added("run_delay", 30 * s.S, hosts={}))
    assert judged(folder) == ("undecided", "B was gone before the end, and nothing was to end it")


@pytest.mark.parametrize(
    ("share", "frames", "expect", "verdict", "said"),
    [
        (0.1, 0, "owner: A", "undecided", "chance has drawn none to be lost"),
        (1, 0, "owner: A", "undecided", "did not take"),
        (0.5, 9, "two_owners_s: 0", "undecided", "chance drew which were lost"),
        (1, 9, "two_owners_s: 0", "fail", "two hosts owned"),
        (0.5, 9, "owner: B", "fail", "B should own"),
        (0.5, 9, "owner: A", "pass", ""),
    ],
)
def test_what_chance_drew_is_no_verdict(
    tmp_path: Path, share: float, frames: int, expect: str, verdict: str, said: str
) -> None:
    trial = s.Trial("adverts-lost", s.FAMILIES[1], "A", second_burst=s.S // 2)
    trial.adverts("A", 0, trial.end)
    trial.fault("adverts_lost", "A", 10 * s.S + 400 * s.MS)
    trial.takeover("B", 15 * s.S, 16 * s.S)
    trial.neighbour(16 * s.S + 10 * s.MS, "A")
    trial.garps("A", 16 * s.S + 9_900_000)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",)), (15 * s.S, ("A", "B")), (17 * s.S, ("A",))]
    healed = s.START_NS + 30 * s.S
    trial.event(
        30 * s.S, "fault_healed", kind="adverts_lost", host="A", before_ns=healed, after_ns=healed, frames=frames
    )
    folder = trial.write(tmp_path, 1)
    rewrite(folder, changed("fault_injected", share=share, network="interconnect"))
    (folder / "scenario.yaml").write_text(f"expect: {{{expect}}}")
    found, reason = judged(folder)
    assert (found, said in reason) == (verdict, True), reason


@pytest.mark.parametrize(("kind", "verdict"), [("kill", "pass"), ("clock_stepped", "fail"), ("kill_parent", "pass")])
def test_a_daemon_that_has_ended_though_nothing_was_to_end_it_fails_the_trial(
    tmp_path: Path, kind: str, verdict: str
) -> None:
    trial = s.Trial("backup", s.FAMILIES[1], "A")
    trial.adverts("A", 0, trial.end)
    trial.event(-s.S // 2, "daemon_started", host="B")
    trial.fault(kind, "B", 10 * s.S + 400 * s.MS, marker="token")
    trial.event(39 * s.S, "holds", host="B", vip=False, daemon=False)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    found, reason = judged(trial.write(tmp_path, 1))
    assert (found, "the daemon of B does not run at the end" in reason) == (verdict, verdict == "fail"), reason


@pytest.mark.parametrize(
    ("healed", "said"),
    [
        ({"frames": 0}, "no frame was sent"),
        ({"frames": 1, "due": 100, "failed": None}, "1 of 100 frames were sent"),
        ({"frames": 99, "due": 100, "failed": "Network is down"}, "99 of 100 frames were sent (Network is down)"),
        ({"frames": 98, "due": 100, "failed": None}, None),
        ({"frames": 5, "due": 6, "failed": None}, None),
        ({"frames": 1}, None),
    ],
)
def test_a_stranger_that_fell_silent_decides_nothing(tmp_path: Path, healed: dict[str, Any], said: str | None) -> None:
    trial = s.Trial("stranger", s.FAMILIES[1], "A")
    trial.adverts("A", 0, trial.end)
    trial.fault("arp_spoofed", "A", 10 * s.S)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    trial.event(30 * s.S, "fault_healed", kind="arp_spoofed", host="A", **healed)
    verdict, reason = judged(trial.write(tmp_path, 1))
    assert (verdict, said is None or said in reason) == ("pass" if said is None else "undecided", True), reason


@pytest.mark.parametrize(("lasted_ms", "verdict"), [(2600, "undecided"), (2100, "fail")])
def test_a_fault_that_was_put_right_too_late_is_another_fault(tmp_path: Path, lasted_ms: int, verdict: str) -> None:
    trial = s.Trial("freeze-brief", s.FAMILIES[1], "A")
    trial.adverts("A", 0, trial.end)
    trial.fault("freeze", "A", 10 * s.S + 400 * s.MS)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    healed = 10 * s.S + (400 + lasted_ms) * s.MS
    at = s.START_NS + healed
    trial.event(healed, "fault_healed", kind="freeze", host="A", before_ns=at, after_ns=at)
    folder = trial.write(tmp_path, 1)
    rewrite(folder, changed("fault_injected", duration_ns=2 * s.S))
    (folder / "scenario.yaml").write_text("expect: {owner: B}")
    found, reason = judged(folder)
    assert (found, "2 s were asked for" in reason) == (verdict, verdict == "undecided"), reason
