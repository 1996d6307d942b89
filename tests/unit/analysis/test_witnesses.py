"""Witnesses: none speaks of a good trial, and each has words for what it compares."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import changed, judged, rewrite, waiting
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.witnesses import WITNESSES
from viplab.ground_truth.cases import AWKWARD
from viplab.ground_truth.maker import PROBE_FROM, START_NS
from viplab.run_folder import RunFolder, TrialFolder
from viplab.types import HttpError, HttpRequest

SAMPLE = RunFolder(s.REPOSITORY / "results" / "sample")
CASE_A = next(folder for folder in SAMPLE.trials() if "case-a" in folder.name)


def objections(folder: TrialFolder) -> list[str]:
    record = read_trial(folder)
    faults = view_trial(record).faults
    return [f"{witness.name}: {said}" for witness in WITNESSES if (said := witness.rule(record, faults))]


@pytest.mark.parametrize("folder", SAMPLE.trials(), ids=lambda folder: folder.name)
def test_no_witness_objects_to_what_was_really_measured(folder: TrialFolder) -> None:
    assert objections(folder) == []


@pytest.mark.parametrize("case", AWKWARD)
def test_no_witness_objects_to_what_is_awkward_and_true(tmp_path: Path, case: str) -> None:
    assert objections(TrialFolder(AWKWARD[case](s.FAMILIES[1]).write(tmp_path, 1))) == []


def test_a_step_may_begin_within_the_timelines_own_uncertainty_of_the_fault_before_it(tmp_path: Path) -> None:
    copied = TrialFolder(Path(shutil.copytree(CASE_A.path, tmp_path / CASE_A.name)))
    events = [json.loads(line) for line in copied.timeline.read_text().splitlines()]
    at = next(n for n, event in enumerate(events) if event["event"] == "fault_injected")
    finished, begun = (
        next(event for event in events[at:] if event["event"] == kind) for kind in ("step_finished", "step_started")
    )
    events[at]["after_ns"] = finished["t_ns"] = events[at]["before_ns"] + 300_000
    begun["t_ns"] = events[at]["before_ns"] + 400_000
    copied.timeline.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert [said for said in objections(copied) if "step" in said] == []


@pytest.mark.parametrize("waited_ms", [0, 200])
def test_a_line_may_be_as_late_as_its_host_waited_for_a_processor(tmp_path: Path, waited_ms: int) -> None:
    folder = s.CASES["case-a"](s.FAMILIES[1]).write(tmp_path, 1)
    (fault,) = view_trial(read_trial(TrialFolder(folder))).faults
    assert fault.moments.first_advert_ns is not None
    begun = fault.moments.first_advert_ns - s.START_NS
    log = folder / "hosts" / "B" / "precise.log"
    lines = [line.partition(" ") for line in log.read_text().splitlines()]
    late = [
        (datetime.fromisoformat(stamp) + timedelta(milliseconds=250 if "MASTER" in words else 0)).isoformat()
        for stamp, _, words in lines
    ]
    log.write_text("".join(f"{stamp} {words}\n" for stamp, (_, _, words) in zip(late, lines, strict=True)))
    waiting(folder, "B", begun, begun + waited_ms * s.MS)
    said = [one for one in objections(TrialFolder(folder)) if "does not say master" in one]
    assert len(said) == (0 if waited_ms else 1), objections(TrialFolder(folder))


def test_each_witness_is_named_once() -> None:
    names = [witness.name for witness in WITNESSES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("other_s_before", "objects"), [(None, True), (0.02, False), (5, True)])
def test_two_adverts_at_once_are_one_too_many_unless_they_answer_another_s(
    other_s_before: float | None, objects: bool
) -> None:
    record = read_trial(CASE_A)
    (rule,) = (witness.rule for witness in WITNESSES if witness.name == "adverts one by one")
    first = record.adverts[0]
    others = [] if other_s_before is None else [other_s_before]
    heard = [replace(first, src_ip="10.10.10.12", time_ns=first.time_ns - round(ago * 1e9)) for ago in others]
    twice = [*heard, first, replace(first, time_ns=first.time_ns + 400_000)]
    assert (rule(replace(record, adverts=twice), []) is not None) == objects


@pytest.mark.parametrize(("advertise", "objects"), [("AB", False), ("A", True), ("B", True)])
def test_a_host_that_is_master_between_two_looks_of_the_census_answers_meanwhile(
    tmp_path: Path, advertise: str, objects: bool
) -> None:
    trial = s.Trial("brief", s.FAMILIES[1], "A")
    if "A" in advertise:
        trial.adverts("A", 0, trial.end)
    if "B" in advertise:
        trial.adverts("B", 10 * s.S, 10 * s.S + 1)
    trial.serving = [(0, "A"), (10 * s.S, "B"), (10 * s.S + 100 * s.MS, "A")]
    trial.owning = [(0, ("A",))]
    said = objections(TrialFolder(trial.write(tmp_path, 1)))
    assert any(one.startswith("census and answers: B answered") for one in said) == objects, said


def test_adverts_of_a_hundredth_of_a_second_may_follow_one_that_was_held_up_within_a_millisecond() -> None:
    record = read_trial(CASE_A)
    (rule,) = (witness.rule for witness in WITNESSES if witness.name == "adverts one by one")
    nodes = {host: node.model_copy(update={"advert_int_s": 0.01}) for host, node in record.info.nodes.items()}
    first = record.adverts[0]
    twice = [first, replace(first, time_ns=first.time_ns + 300_000)]
    brisk = replace(record, adverts=twice, info=record.info.model_copy(update={"nodes": nodes}))
    assert rule(replace(record, adverts=twice), []) and not rule(brisk, [])


@pytest.mark.parametrize(("reloaded", "objects"), [("A", False), ("B", True), (None, True)])
def test_a_daemon_may_advertise_twice_at_once_as_it_reads_its_configuration_anew(
    tmp_path: Path, reloaded: str | None, objects: bool
) -> None:
    trial = s.Trial("reload", s.FAMILIES[1], "A")
    if reloaded:
        trial.fault("reload", reloaded, 10 * s.S)
    trial.adverts("A", 0, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    record = read_trial(TrialFolder(trial.write(tmp_path, 1)))
    (rule,) = (witness.rule for witness in WITNESSES if witness.name == "adverts one by one")
    last = [advert for advert in record.adverts if advert.time_ns <= START_NS + 10 * s.S][-1]
    twice = [last, replace(last, time_ns=last.time_ns + 400_000)]
    assert (rule(replace(record, adverts=twice), []) is not None) == objects


@pytest.mark.parametrize("called", [True, False])
def test_a_backup_that_calls_for_an_election_says_master_with_its_second_advert(tmp_path: Path, called: bool) -> None:
    trial = s.Trial("election", s.FAMILIES[0], "B")
    trial.serving = [(0, "A"), (13 * s.S, "B")]
    trial.adverts("A", 0, 10 * s.S + 1)
    trial.fault("file_written", "A", 10 * s.S + 400 * s.MS)
    trial.adverts("A", 11 * s.S, 11 * s.S + 1, priority=92)
    trial.adverts("B", 11 * s.S + s.MS, trial.end)
    if called:
        trial.log("B", 11 * s.S + s.MS, "forcing a new MASTER election")
    trial.log("B", 12 * s.S + s.MS, "Transition to MASTER STATE")
    said = objections(TrialFolder(trial.write(tmp_path, 1)))
    assert [one for one in said if one.startswith(("adverts and log", "log and adverts"))] == [] or not called
    assert called or any(one.startswith("log and adverts") for one in said)


@pytest.mark.parametrize(("resigned", "verdict"), [(True, "pass"), (False, "undecided")])
def test_a_master_that_resigned_begins_anew_with_its_next_advert(tmp_path: Path, resigned: bool, verdict: str) -> None:
    trial = s.Trial("address-removed", s.FAMILIES[1], "A")
    trial.fault("address_removed", "A", 10 * s.S + 300 * s.MS, marker="token")
    trial.adverts("A", 0, 10 * s.S + 1)
    if resigned:
        trial.adverts("A", 10 * s.S + 310 * s.MS, 10 * s.S + 310 * s.MS + 1, priority=0)
    trial.adverts("A", 11 * s.S, trial.end)
    trial.log("A", 11 * s.S, "Entering MASTER STATE")
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    found, reason = judged(trial.write(tmp_path, 1))
    assert (found, "no advert with which that began" in reason) == (verdict, verdict == "undecided"), reason


@pytest.mark.parametrize(
    ("kind", "ends_s", "verdict"),
    [
        ("port_silent", 20, "pass"),
        ("port_silent", 12, "undecided"),
        ("one_way", 20, "pass"),
        # It hears nobody, and is heard: its adverts would be in the capture.
        ("firewall", 20, "undecided"),
        # Its adverts may have another MAC than its announcements.
        ("port_locked", 20, "pass"),
        ("multicast_withheld", 20, "undecided"),
    ],
)
def test_a_master_that_nobody_hears_may_log_and_announce_without_adverts(
    tmp_path: Path, kind: str, ends_s: int, verdict: str
) -> None:
    trial = s.Trial("isolated", s.FAMILIES[1], "A")
    trial.fault(kind, "A", 10 * s.S)
    trial.adverts("A", 0, 10 * s.S)
    trial.log("A", 14 * s.S, "Entering MASTER STATE")
    trial.garps("A", 14 * s.S)
    trial.event(ends_s * s.S, "fault_healed", kind=kind, host="A", frames=9)
    trial.adverts("A", 20 * s.S + 100 * s.MS, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    folder = trial.write(tmp_path, 1)
    rewrite(folder, changed("fault_injected", network="interconnect"))
    found, reason = judged(folder)
    assert found == verdict, reason


@pytest.mark.parametrize(("took_s", "objects"), [(9.0, False), (5.0, True)])
def test_a_paused_host_held_the_address_when_it_answered_and_not_when_it_was_asked(
    tmp_path: Path, took_s: float, objects: bool
) -> None:
    trial = s.Trial("pause", s.FAMILIES[1], "A")
    paused, taken, back = 10 * s.S, 13 * s.S, 20 * s.S
    trial.serving = [(0, "A"), (paused, None), (taken, "B"), (back, "A")]
    trial.owning = [(0, ("A",)), (paused, ()), (taken, ("B",)), (back, ("A",))]
    # What was sent before the client asked anew was on its way to the paused host.
    waiting = range(PROBE_FROM + paused + s.S, paused + 2 * s.S, trial.probe_interval)
    trial.serving[2:2] = [(waiting[0], "A"), (waiting[-1] + 1, None)]
    trial.slow = dict.fromkeys(waiting, round(took_s * s.S))
    said = objections(TrialFolder(trial.write(tmp_path, 1)))
    assert any(one.startswith("census and answers: A answered") for one in said) == objects, said


@pytest.mark.parametrize(
    ("moves_s", "served_by", "objects"),
    [(40, "A", True), (12, "A", True), (10.5, "A", False), (9.2, "A", False), (40, "C", False)],
)
def test_a_connection_may_fail_while_each_ping_is_answered_only_as_the_address_moves_or_behind_it(
    tmp_path: Path, moves_s: float, served_by: str, objects: bool
) -> None:
    trial = s.Trial("moves", s.FAMILIES[1], "A")
    trial.serving = [(0, "A"), (round(moves_s * s.S), "B")]
    trial.owning = [(0, ("A",)), (round(moves_s * s.S), ("B",))]
    measured = read_trial(TrialFolder(trial.write(tmp_path, 1)))
    # As of a virtual MAC.
    events = [event for event in measured.events if event.event != "neighbour"]

    def request(n: int, at_s: int, took: int, host: str | None, error: HttpError | None) -> HttpRequest:
        at = START_NS + at_s * s.S
        return HttpRequest(
            connection="new", n=n, due_ns=at, sent_ns=at, connect_ns=None, total_ns=took, host=host, error=error
        )

    http = [request(0, 8, 2 * s.MS, served_by, None), request(1, 10, 300 * s.MS, None, "timeout")]
    (rule,) = (witness.rule for witness in WITNESSES if witness.name == "HTTP and probe")
    assert bool(rule(replace(measured, events=events, http=http), [])) == objects
