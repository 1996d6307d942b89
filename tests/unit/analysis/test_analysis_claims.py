"""Claims, puzzles, the exit status, and the summary: the same bytes twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import synthetic as s
from viplab.analysis.checks import Template, noise
from viplab.analysis.claims import exit_status, read_reference
from viplab.analysis.comparison import Compare
from viplab.analysis.predicates import PREDICATES, named_values
from viplab.analysis.reading import read_trial
from viplab.analysis.run import analyze, write_summary
from viplab.analysis.summary import ClaimResult, Summary
from viplab.analysis.trial import view_trial
from viplab.analysis.views import RunView
from viplab.errors import InputError
from viplab.run_folder import RunFolder, TrialFolder

ALL = [*(f"P{n}" for n in range(1, 11)), *(f"A{n}" for n in range(1, 7)), *(f"B{n}" for n in range(1, 6))]
ALL += [*(f"C{n}" for n in range(1, 4)), *(f"D{n}" for n in range(1, 7))]
EXPLAINED = {
    "keepalived-1.2.2": {"A6", "B1", "B2", "D6"},
    "keepalived-2": {"A5", "A6", "B2", "B5", "C1", "C3", "D5", "D6"},
}


@pytest.fixture(scope="module", params=s.FAMILIES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    root = tmp_path_factory.mktemp("runs") / request.param
    return RunFolder(s.write_run(root, [make(request.param) for make in s.CASES.values()]))


@pytest.fixture(scope="module")
def view(run: RunFolder) -> RunView:
    return analyze(run)


def claim(view: RunView, name: str) -> ClaimResult:
    return next(claim for claim in view.claims if claim.id == name)


def test_every_claim_of_the_article_has_a_verdict(view: RunView) -> None:
    assert [claim.id for claim in view.claims] == ALL
    family = view.trials[0].info.family
    assert {claim.id for claim in view.claims if claim.verdict == "differs"} == EXPLAINED[family]
    assert all(claim.explained for claim in view.claims if claim.verdict == "differs")
    assert not [claim.id for claim in view.claims if claim.verdict == "undecided"]
    assert all("not measured" not in claim.measured + claim.why for claim in view.claims)
    assert all(claim.measured for claim in view.claims)
    assert view.exit_status == 0


def test_every_puzzle_is_settled_by_measured_numbers(view: RunView) -> None:
    assert [puzzle.number for puzzle in view.puzzles] == [1, 2, 3, 4, 5]
    for puzzle in view.puzzles:
        assert puzzle.settled, puzzle.answer
        assert puzzle.evidence
        assert all("not measured" not in evidence.value for evidence in puzzle.evidence)
        assert "not measured" not in puzzle.answer


def test_the_same_run_gives_the_same_bytes_twice(run: RunFolder, view: RunView) -> None:
    first = write_summary(run, view)
    assert write_summary(run, analyze(run)) == first == run.summary.read_bytes()
    data = json.loads(first)
    assert data["schema"] == 1
    assert Summary.model_validate(data) == view.summary
    assert {"id", "article", "measured", "verdict", "why"} <= data["claims"][0].keys()
    contract = """scenario subject profile lab accel trial verdict reason expected_down_interval_s detection_s
        deadline_excess_s announce_s client_switch_s outage_s dual_owner_s ping capture fault"""
    assert set(contract.split()) <= data["trials"][0].keys()


def test_a_claim_that_no_known_cause_explains_is_a_failure(tmp_path: Path) -> None:
    trial = s.case_a("keepalived-2")
    trial.serving.insert(1, (12 * s.S, None))
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    lost = claim(view, "A1")
    assert (lost.verdict, lost.explained) == ("differs", False)
    assert lost.why == "ping_lost is 2, should be = 0"
    assert view.exit_status == 1


def test_an_explanation_is_not_given_where_the_numbers_do_not_bear_it_out(tmp_path: Path) -> None:
    trial = s.case_c("keepalived-2")
    # No priority 0, and yet a short outage: not what keepalived 2 is known to do.
    trial.frames["interconnect"] = [frame for frame in trial.frames["interconnect"] if frame[1][36] != 0]
    for log in (trial.logs, trial.precise):
        log["B"] = [line for line in log["B"] if "priority 0" not in line]
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    assert (claim(view, "C1").verdict, claim(view, "C1").explained) == ("differs", False)
    assert not next(puzzle for puzzle in view.puzzles if puzzle.number == 3).settled


def replying(trial: s.Trial, around_ms: tuple[float, ...], first_ms: float, asks: str = "") -> s.Trial:
    """The same trial with those round trips in turn, and another one for the first reply of the new master.

    The host that `asks` looks for the client's MAC within that round trip.
    """
    sent = [trial.ping_from + number * s.S for number in range(60)]
    trial.slow = {at: round(around_ms[number % len(around_ms)] * s.MS) for number, at in enumerate(sent)}
    first = next(at for at in sent if at >= trial.serving[-1][0])
    trial.slow[first] = round(first_ms * s.MS)
    if asks:
        question = s.arp(s.MAC[asks], s.BROADCAST, 1, s.VIP, "00:00:00:00:00:00", s.CLIENT_IP)
        answer = s.arp(s.CLIENT_MAC, s.MAC[asks], 2, s.CLIENT_IP, s.MAC[asks], s.VIP)
        trial.frames["public"] += [(first + 200_000, question), (first + 250_000, answer)]
    return trial


NOISY, STEADY = (1.4, 2.9, 4.1, 3.0, 2.2), (2.8, 2.9, 2.85, 2.95)


@pytest.mark.parametrize(
    ("around_ms", "first_ms", "verdict"),
    [
        (NOISY, 2.1, "undecided"),
        (NOISY, 3.3, "undecided"),
        (NOISY, 9.0, "reproduced"),
        (STEADY, 3.3, "reproduced"),
    ],
)
def test_a_reply_is_slower_than_its_neighbours_only_by_more_than_their_scatter(
    tmp_path: Path, around_ms: tuple[float, ...], first_ms: float, verdict: str
) -> None:
    trial = replying(s.case_b("keepalived-2"), around_ms, first_ms, asks="A")
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    slower = claim(view, "B2")
    assert (slower.verdict, slower.explained) == (verdict, False)
    assert ("by less than the scatter of this run, 2.7 ms: undecided" in slower.why) == (verdict == "undecided")
    assert view.exit_status == {"undecided": 2, "reproduced": 0}[verdict]


def test_a_reply_faster_than_its_neighbours_by_more_than_their_scatter_differs(tmp_path: Path) -> None:
    data = yaml.safe_load(s.REFERENCE.read_text())
    next(each for each in data["claims"] if each["id"] == "B2")["explanations"] = []
    root = s.write_run(tmp_path / "run", [replying(s.case_b("keepalived-2"), STEADY, 2.1, asks="A")])
    (root / "reference.yaml").write_text(yaml.safe_dump(data))
    view = analyze(RunFolder(root))
    assert (claim(view, "B2").verdict, view.exit_status) == ("differs", 1)


def test_a_known_cause_explains_what_noise_leaves_open(tmp_path: Path) -> None:
    trial = replying(s.case_b("keepalived-2"), NOISY, 3.3)
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    assert (claim(view, "B2").verdict, claim(view, "B2").explained) == ("differs", True)
    assert "no ARP exchange lies within this round trip" in claim(view, "B2").why


def test_the_noise_of_both_trials_counts_where_two_are_compared(tmp_path: Path) -> None:
    for first_ms, verdict in ((2.6, "reproduced"), (4.9, "differs")):
        killed = replying(s.case_a("keepalived-2"), NOISY, 6.0)
        returned = replying(s.case_b("keepalived-2"), (0.2, 0.3, 0.4), first_ms, asks="A")
        view = analyze(RunFolder(s.write_run(tmp_path / verdict, [killed, returned])))
        assert (claim(view, "B2").verdict, claim(view, "B2").explained) == (verdict, verdict == "differs")


def test_a_reference_that_names_no_noise_is_judged_without(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [replying(s.case_b("keepalived-2"), NOISY, 3.3, asks="A")])
    text = (root / "reference.yaml").read_text()
    (root / "reference.yaml").write_text(text.replace(", noise: [neighbours_scatter_ms]", ""))
    assert claim(analyze(RunFolder(root)), "B2").verdict == "reproduced"


def test_noise_that_leaves_a_range_open_is_told_by_the_end_of_the_range() -> None:
    check = Compare.model_validate({"metric": "x_s", "within": [-0.01, 0.5], "noise": ["late_s"]})
    said = noise(check, {"x_s": 0.002, "late_s": 0.098}.get)
    assert (
        said == "x_s is 0.002 and is nearer to an end of -0.01 to 0.5 than the scatter of this run, 0.098 s: undecided"
    )


def test_a_time_that_is_nearer_to_its_limit_than_its_noise_is_left_open(tmp_path: Path) -> None:
    data = yaml.safe_load(s.REFERENCE.read_text())
    detection = next(each for each in data["claims"] if each["id"] == "A6")
    for limit_s, verdict in ((3.0, "undecided"), (9.0, "reproduced")):
        detection["check"][0]["le"] = limit_s
        detection["check"][0]["noise"] = ["probe_interval_s", "skew_s"]
        detection["explanations"] = []
        root = s.write_run(tmp_path / verdict, [s.case_a("keepalived-2")])
        (root / "reference.yaml").write_text(yaml.safe_dump(data))
        assert claim(analyze(RunFolder(root)), "A6").verdict == verdict


def test_a_difference_whose_known_cause_could_not_be_looked_for_is_undecided(tmp_path: Path) -> None:
    data = yaml.safe_load(s.REFERENCE.read_text())
    slow = next(each for each in data["claims"] if each["id"] == "A6")
    slow["explanations"] = [{"when": [{"metric": "second_outage_s", "ge": 0}], "why": "x"}]
    root = s.write_run(tmp_path / "run", [s.case_a("keepalived-2")])
    (root / "reference.yaml").write_text(yaml.safe_dump(data))
    found = claim(analyze(RunFolder(root)), "A6")
    assert found.verdict == "undecided"
    assert found.why.endswith("whether a known cause explains it: not measured: second_outage_s >= 0")


def test_every_claim_and_puzzle_has_a_row_of_what_a_busy_host_could_do_to_it() -> None:
    page = (s.REPOSITORY / "docs" / "method.md").read_text(encoding="utf-8")
    section = page.split("## What a busy host could do to a claim")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")][2:]
    assert all(len(row) == 3 and all(cell.strip() for cell in row) for row in rows)
    named = [name.strip() for row in rows for name in row[0].split(",")]
    reference = read_reference(s.REFERENCE)
    wanted = [each.id for each in reference.claims] + [f"puzzle {each.number}" for each in reference.puzzles]
    assert sorted(named) == sorted(wanted)


def test_an_undecided_trial_decides_no_claim(tmp_path: Path) -> None:
    trial = s.case_a("keepalived-2")
    trial.event(0, "error", message="the guest {A} went away")
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    assert {claim.verdict for claim in view.claims} == {"undecided"}
    assert claim(view, "A1").why == "the trial was broken off: the guest {A} went away"
    assert claim(view, "A1").trials == 0
    assert view.exit_status == 2


def test_of_several_trials_the_worst_decided_one_speaks(tmp_path: Path) -> None:
    good, bad, spoilt = (s.case_a("keepalived-2") for _ in range(3))
    bad.serving.insert(1, (12 * s.S, None))
    spoilt.event(0, "error", message="x")
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [good, bad, spoilt])))
    lost = claim(view, "A1")
    assert (lost.verdict, lost.trials, lost.trial) == ("differs", 2, "002-case-a-vipd")
    assert lost.why.endswith("(1 of 3 trials)")


def test_claims_of_scenarios_that_were_not_run_have_no_result(tmp_path: Path) -> None:
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [s.case_a("keepalived-2"), s.case_c("keepalived-2")])))
    assert {claim.id[0] for claim in view.claims} == {"A", "C"}
    assert view.exit_status == 0
    assert [puzzle.number for puzzle in view.puzzles if puzzle.settled] == [2, 3]


def test_two_subjects_are_judged_apart(tmp_path: Path) -> None:
    other = s.case_a("keepalived-2")
    other.subject = "keepalived"
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [s.case_a("keepalived-1.2.2"), other])))
    assert [(c.subject, c.profile) for c in view.claims if c.id == "A5"] == [
        ("vipd", "keepalived-1.2.2"),
        ("keepalived", "keepalived-2"),
    ]


def test_a_trial_that_cannot_be_read_is_said_and_leaves_the_run_undecided(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [s.case_a("keepalived-2")])
    (root / "trials" / "002-case-c-vipd").mkdir()
    view = analyze(RunFolder(root))
    assert len(view.trials) == 1
    assert "trial.json: missing" in view.notes[0]
    assert view.exit_status == 2


def result(verdict: Any, explained: bool = False) -> ClaimResult:
    text = dict.fromkeys(("id", "scenario", "subject", "profile", "text", "article", "measured", "why"), "")
    return ClaimResult(**text, verdict=verdict, explained=explained, trials=1)


def test_exit_status_is_failure_before_undecided_before_success() -> None:
    good, known, bad = result("reproduced"), result("differs", explained=True), result("differs")
    unknown = result("undecided")
    assert exit_status([good, known], ["pass"]) == 0
    assert exit_status([good, unknown, bad], ["undecided"]) == 1
    assert exit_status([good], ["pass", "fail", "undecided"]) == 1
    assert exit_status([good, unknown], ["pass"]) == 2
    assert exit_status([], ["pass", "undecided"]) == 2
    assert exit_status([], []) == 2


@pytest.mark.parametrize("lab", ["libvirt", "netns"])
def test_a_claim_that_cannot_apply_says_so_and_has_no_say(tmp_path: Path, lab: str) -> None:
    trial = s.part_1("keepalived-2")
    trial.lab = lab
    for _, kind, keys in trial.events:
        if kind == "check" and keys["claim"] == "P2":
            keys["ok"] = None
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    clone = claim(view, "P2")
    assert clone.measured == "detail of P2"
    assert view.trials[0].summary.verdict == "pass"
    if lab == "netns":
        assert (clone.verdict, clone.explained, clone.trials) == ("inapplicable", False, 0)
        assert clone.why == "Hosts that are namespaces have no disk that could be cloned."
        assert view.exit_status == 0
    else:
        assert (clone.verdict, clone.why) == ("undecided", "not measured: P2 = true")
        assert view.exit_status == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"check": [{"metric": "ping_lost"}]}, "exactly one of"),
        ({"check": [{"metric": "P1", "eq": True, "noise": ["late_s"]}]}, "`noise` goes with"),
        ({"check": []}, "at least 1"),
        ({"id": "1X"}, "pattern"),
        ({"because": "x"}, "not permitted"),
    ],
)
def test_a_wrong_reference_is_refused_with_the_place(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    data = yaml.safe_load(s.REFERENCE.read_text())
    data["claims"][0].update(change)
    path = tmp_path / "reference.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(InputError, match=rf"reference.yaml: claims.0.*{said}"):
        read_reference(path)


def test_an_unknown_metric_is_an_input_error(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [s.part_1("keepalived-2")])
    text = (root / "reference.yaml").read_text().replace("{P1_detail}", "{P1_detial}")
    (root / "reference.yaml").write_text(text)
    with pytest.raises(InputError, match="no metric `P1_detial`"):
        analyze(RunFolder(root))


def test_what_guests_say_is_never_taken_for_a_template(tmp_path: Path) -> None:
    trial = s.part_1("keepalived-2")
    trial.events = [
        (at, kind, {**keys, "detail": "{0} {x!r} <b>"} if kind == "check" else keys) for at, kind, keys in trial.events
    ]
    assert claim(analyze(RunFolder(s.write_run(tmp_path / "run", [trial]))), "P1").measured == "{0} {x!r} <b>"


def test_every_predicate_says_what_it_is(tmp_path: Path) -> None:
    record = read_trial(TrialFolder(s.case_a("keepalived-2").write(tmp_path, 1)))
    names = {name for name in named_values(record, view_trial(record)) if not name.startswith("second_")}
    names |= {"second_burst_s"}
    assert set(PREDICATES) == {name for name in names if not name.startswith("P")} | {"P1", "P1_detail"}


def test_a_run_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [])
    (root / "run.json").unlink()
    with pytest.raises(InputError, match=r"run\.json"):
        analyze(RunFolder(root))


def test_of_a_daemon_that_the_reference_file_does_not_speak_of_nothing_is_claimed(tmp_path: Path) -> None:
    trial = s.case_a("frr-8")
    trial.subject = "frr"
    view = analyze(RunFolder(s.write_run(tmp_path / "run", [trial])))
    assert not view.claims
    assert not view.puzzles
    assert view.exit_status == 0


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_what_was_not_measured_has_no_unit(unit: str) -> None:
    known = {"here": 1.5}.get
    text = Template(known).format(f"{{here:.1f}} {unit}, then {{gone:.3f}} {unit}; {{gone}} {unit}ometimes")
    assert text == f"1.5 {unit}, then not measured; not measured {unit}ometimes"
