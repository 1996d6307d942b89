"""What a host explains that waited for a processor is undecided, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import added, changed, judged, rewrite, waiting
from viplab.subjects.registry import find_family


@pytest.mark.parametrize(("waited_ms", "verdict"), [(0, "fail"), (5, "fail"), (900, "undecided")])
def test_what_is_late_by_no_more_than_its_host_waited_for_a_processor_is_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited_ms: int, verdict: str
) -> None:
    monkeypatch.setattr("viplab.analysis.timing_model.outage_slack_s", lambda interval_s: -0.05)
    folder = s.CASES["case-c"](s.FAMILIES[1]).write(tmp_path, 1)
    for at, waited_ns in ((0, 1_000), (30 * s.S, 1_000 + waited_ms * s.MS)):
        rewrite(folder, added("run_delay", at, hosts={"A": 0, "B": waited_ns}))
    found, reason = judged(folder)
    assert found == verdict, reason
    assert ("B waited 0.90 s for a processor" in reason) == (verdict == "undecided")


@pytest.mark.parametrize(
    ("starts_processes", "stalled_ms", "verdict"),
    [
        (True, 900, "undecided"),
        (True, 5, "fail"),
        # A daemon that lives is known by its own waits.
        (False, 900, "fail"),
    ],
)
@pytest.mark.parametrize("by", ["window", "expectation"])
def test_processes_that_come_and_go_may_have_waited_as_long_as_anybody_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str, stalled_ms: int, verdict: str, *, starts_processes: bool
) -> None:
    family = replace(find_family(s.FAMILIES[1], "keepalived"), starts_processes=starts_processes)
    monkeypatch.setattr("viplab.analysis.record.find_family", lambda name, subject: family)
    folder = s.CASES["case-c"](s.FAMILIES[1]).write(tmp_path, 1)
    if by == "window":
        monkeypatch.setattr("viplab.analysis.timing_model.outage_slack_s", lambda interval_s: -0.05)
    else:
        (folder / "scenario.yaml").write_text("expect: {owner: B, ping_outage_s: 0.2}")
    for at, stalled_ns in ((0, 1_000), (30 * s.S, 1_000 + stalled_ms * s.MS)):
        rewrite(folder, added("run_delay", at, hosts={"A": 0, "B": 0}, anybody=stalled_ns))
    found, reason = judged(folder)
    assert found == verdict, reason
    assert ("may have waited 0.90 s for a processor" in reason) == (verdict == "undecided")


@pytest.mark.parametrize(
    ("expect", "since_s", "until_s", "verdict"),
    [
        # Whoever stands still for most of a down interval may lose the address; a second in it explains nothing.
        ("owner: A", 20, 23, "undecided"),
        ("owner: A", 20, 21, "fail"),
        ("client: A", 20, 23, "undecided"),
        ("client: A", 20, 21, "fail"),
        # So many seconds too long are explained by as many of waiting, and by no fewer.
        ("two_owners_s: 20", 20, 27, "undecided"),
        ("two_owners_s: 20", 20, 22, "fail"),
    ],
)
def test_an_expectation_that_a_host_missed_while_it_had_no_processor_is_undecided(
    tmp_path: Path, expect: str, since_s: int, until_s: int, verdict: str
) -> None:
    folder = s.case_a(s.FAMILIES[1]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text(f"expect: {{{expect}}}")
    waiting(folder, "B", since_s * s.S, until_s * s.S)
    found, reason = judged(folder)
    assert (found, "B waited " in reason) == (verdict, verdict == "undecided"), reason


@pytest.mark.parametrize(("took_s", "verdict"), [(6, "undecided"), (3, "fail")])
def test_the_time_that_a_fault_s_own_command_took_explains_as_many_seconds(
    tmp_path: Path, took_s: int, verdict: str
) -> None:
    folder = s.case_a(s.FAMILIES[1]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {two_owners_s: 20}")
    rewrite(folder, changed("fault_injected", after_ns=s.START_NS + (10 + took_s) * s.S + 400 * s.MS))
    rewrite(folder, lambda events: [e for e in events if e["event"] not in ("step_started", "step_finished")])
    assert judged(folder)[0] == verdict


@pytest.mark.parametrize(("since_s", "verdict"), [(9, "undecided"), (25, "fail")])
def test_a_host_that_waits_when_the_outage_is_over_explains_nothing_of_it(
    tmp_path: Path, since_s: int, verdict: str
) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {owner: B, ping_outage_s: 1}")
    waiting(folder, "B", since_s * s.S, (since_s + 10) * s.S)
    found, reason = judged(folder)
    assert found == verdict
    assert "no answers to the probe" in reason


@pytest.mark.parametrize(("waited_ms", "verdict"), [(1200, "undecided"), (100, "fail")])
def test_nobody_at_the_end_of_a_trial_may_be_a_host_that_could_not_answer(
    tmp_path: Path, waited_ms: int, verdict: str
) -> None:
    trial = s.case_a(s.FAMILIES[1])
    trial.owning.append((38 * s.S, ()))
    trial.serving.append((38 * s.S, None))
    trial.ping_to = 37 * s.S
    trial.event(45 * s.S, "holds", host="B", vip=True, daemon=True)  # the logs are collected meanwhile
    folder = trial.write(tmp_path, 1)
    waiting(folder, "B", 39 * s.S - waited_ms * s.MS, 39 * s.S)
    found, reason = judged(folder)
    assert (found, "nobody does" in reason) == (verdict, True), reason


@pytest.mark.parametrize(("waited_ms", "verdict"), [(1200, "undecided"), (100, "fail")])
def test_addresses_unanswered_at_the_end_may_be_of_a_host_that_could_not(
    tmp_path: Path, waited_ms: int, verdict: str
) -> None:
    folder = s.case_a(s.FAMILIES[1]).write(tmp_path, 1)
    rewrite(folder, added("unanswered", 39 * s.S, addresses=["10.0.0.9"]))
    waiting(folder, "B", 39 * s.S - waited_ms * s.MS, 39 * s.S)
    assert judged(folder)[0] == verdict


@pytest.mark.parametrize(("host", "verdict"), [("A", "undecided"), ("B", "undecided"), (None, "fail")])
def test_a_wait_in_vain_says_nothing_of_hosts_that_stood_still(tmp_path: Path, host: str | None, verdict: str) -> None:
    folder = s.power_cut(s.FAMILIES[1]).write(tmp_path, 1)
    rewrite(folder, added("missed", 30 * s.S, what="A to be master", within_s=20.0))
    rewrite(folder, added("error", 30 * s.S, message="waited 20 s for A to be master, in vain"))
    if host:
        waiting(folder, host, 12 * s.S, 15 * s.S)
    assert judged(folder)[0] == verdict


def test_set_up_checks_that_hosts_without_a_processor_failed_are_undecided(tmp_path: Path) -> None:
    folder = s.part_1(s.FAMILIES[0]).write(tmp_path, 1)
    rewrite(folder, changed("check", claim="P9", ok=False))
    assert judged(folder)[0] == "fail"
    waiting(folder, "A", 10 * s.S, 13 * s.S)
    assert judged(folder)[0] == "undecided"
