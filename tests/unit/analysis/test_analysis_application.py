"""What an application saw over HTTP: facts from requests with known answers, and from a file that is damaged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import synthetic as s
from viplab.analysis import application
from viplab.analysis.run import analyze, write_summary, write_trials
from viplab.analysis.summary import Fault
from viplab.analysis.views import TrialView
from viplab.report import application as words
from viplab.run_folder import RunFolder
from viplab.types import HttpRequest

STEP = 100 * s.MS
FAULT = 10 * s.S + 400 * s.MS
SECOND_FAULT = 30 * s.S


def line(connection: str, n: int, sent: int, total: int = 3 * s.MS, error: str | None = None, host: str = "A") -> dict:
    return {
        "connection": connection,
        "n": n,
        "due_ns": s.START_NS + sent,
        "sent_ns": s.START_NS + sent,
        "connect_ns": None if error or connection == "kept" else s.MS,
        "total_ns": total,
        "host": None if error else host,
        "error": error,
    }


def stream(dead: Sequence[tuple[int, int]], until: int = 39 * s.S) -> list[dict[str, Any]]:
    """Requests each 0.1 s from 0.5 s on; those that begin in a dead time are given up after 0.9 s."""
    lines = []
    for n, sent in enumerate(range(500 * s.MS, until, STEP)):
        lost = any(begin <= sent < end for begin, end in dead)
        host = "B" if sent >= FAULT else "A"
        lines.append(line("new", n, sent, 900 * s.MS, "timeout") if lost else line("new", n, sent, host=host))
    return lines


KEPT_WELL = [line("kept", n, sent) for n, sent in enumerate(range(500 * s.MS, 39 * s.S, STEP))]
UNTIL_FAULT = [one for one in KEPT_WELL if one["sent_ns"] < s.START_NS + FAULT]


def stalled(total: int, error: str | None) -> list[dict[str, Any]]:
    """The kept connection's last request before the fault is the one that waits."""
    return [*UNTIL_FAULT[:-1], UNTIL_FAULT[-1] | {"total_ns": total, "error": error, "host": None}]


def written(
    root: Path, lines: Sequence[dict[str, Any]], *, stopped: bool = True, listens: bool | None = None, **account: int
) -> RunFolder:
    """A power cut at `FAULT` whose client asked over HTTP as well; a service may have been started on B, or not."""
    trial = s.power_cut(s.FAMILIES[1])
    trial.event(500 * s.MS, "http_started", rate=10, timeout_s=0.9)
    if listens is not None:
        trial.event(100 * s.MS, "service_started", service="haproxy", host="B", listens=listens, said="")
    if stopped:
        trial.event(39 * s.S, "http_stopped", **{"sent": len(lines), "withheld": 0, "late_max_ns": 0, **account})
    run = RunFolder(s.write_run(root, [trial]))
    folder = run.trials()[0]
    info = json.loads((folder.path / "trial.json").read_text())
    (folder.path / "trial.json").write_text(json.dumps(info | {"http_interval_s": 0.1}))
    by_end = sorted(lines, key=lambda one: int(one["sent_ns"]) + int(one["total_ns"]))
    folder.http.write_text("".join(json.dumps(one) + "\n" for one in by_end))
    return run


def viewed(root: Path, lines: Sequence[dict[str, Any]]) -> TrialView:
    return analyze(written(root / "run", lines)).trials[0]


def test_the_outage_runs_from_the_first_failed_request_to_the_first_answered_one(tmp_path: Path) -> None:
    view = viewed(tmp_path, [*stream([(FAULT, FAULT + 3300 * s.MS)]), *KEPT_WELL])
    seen = view.summary.faults[0].http
    assert seen is not None
    assert view.summary.verdict == "pass"
    assert view.summary.http_outage_s == 3.3
    assert (seen.failed, seen.errors, seen.slow) == (33, {"timeout": 33}, 0)
    assert seen.answers == {"B": seen.requests - 33}
    assert (seen.connect and seen.connect.max_s, seen.total and seen.total.median_s) == (0.001, 0.003)


@pytest.mark.parametrize(("listens", "verdict"), [(True, "undecided"), (False, "pass")])
def test_a_host_whose_service_did_not_start_answers_pings_and_refuses_connections(
    tmp_path: Path, listens: bool, verdict: str
) -> None:
    since = FAULT + 10 * s.S
    refused = [
        one | {"total_ns": s.MS, "error": "refused", "host": None} if one["n"] * STEP > since else one
        for one in stream([(FAULT, FAULT + 3300 * s.MS)])
    ]
    summary = analyze(written(tmp_path / "run", refused, listens=listens)).trials[0].summary
    assert summary.verdict == verdict, summary.reason


def test_an_outage_in_pieces_is_over_when_none_fails_for_five_seconds(tmp_path: Path) -> None:
    dead = [(FAULT, FAULT + 500 * s.MS), (FAULT + 3 * s.S, FAULT + 4 * s.S)]
    assert viewed(tmp_path / "1", stream(dead)).summary.http_outage_s == 4.0
    late = (FAULT + 9100 * s.MS, FAULT + 9200 * s.MS)
    assert viewed(tmp_path / "2", stream([*dead, late])).summary.http_outage_s == 4.0


def test_several_kept_connections_are_counted_by_their_fate_and_by_when_they_knew(tmp_path: Path) -> None:
    lines = [
        one | {"line": n % 3} for n, one in enumerate(KEPT_WELL) if n % 3 == 0 or one["sent_ns"] < s.START_NS + FAULT
    ]
    # Numbers 109 and 119, which are due then, are of connections 1 and 2.
    lines += [line("kept", 99 + 10 * n, FAULT + n * s.S, 0, "reset") | {"line": n} for n in (1, 2)]
    seen = viewed(tmp_path, [*stream([(FAULT, FAULT + 3300 * s.MS)]), *lines]).summary.faults[0].http
    assert seen is not None and seen.several is not None and seen.several.noticed is not None
    assert (seen.several.connections, seen.several.fates) == (3, {"kept": 1, "reset": 2})
    assert (seen.several.noticed.n, round(seen.several.noticed.max_s, 6)) == (2, 2.0)
    assert words.several(seen.several).replace("\u00a0", " ") == (
        "1 kept, 2 reset of 3; half knew it 1.500 s after the fault, the last 2.000 s"
    )


@pytest.mark.parametrize(("allowed", "verdict"), [(0, "fail"), (1, "pass")])
def test_more_broken_connections_than_a_scenario_allows_fail_it(tmp_path: Path, allowed: int, verdict: str) -> None:
    broken = line("kept", 100, FAULT + 100 * s.MS, 0, "reset")
    run = written(tmp_path / "run", [*stream([(FAULT, FAULT + 3300 * s.MS)]), *UNTIL_FAULT, broken])
    scenario = run.trials()[0].path / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("expect: {", f"expect: {{broken: {allowed}, "))
    summary = analyze(run).trials[0].summary
    assert summary.verdict == verdict, summary.reason
    assert verdict == "pass" or summary.reason == "1 connections kept open broke, allowed are 0"


def test_an_outage_that_is_not_seen_to_end_has_no_length(tmp_path: Path) -> None:
    summary = viewed(tmp_path, stream([(FAULT, 36 * s.S)])).summary
    assert summary.http_outage_s is None
    assert summary.faults[0].http is not None
    assert summary.faults[0].http.failed == 256


def test_where_no_request_fails_the_outage_is_a_measured_zero(tmp_path: Path) -> None:
    summary = viewed(tmp_path, stream([])).summary
    assert summary.http_outage_s == 0.0
    assert summary.faults[0].http is not None
    assert summary.faults[0].http.kept is None


def test_nobody_who_asks_is_no_zero(tmp_path: Path) -> None:
    summary = viewed(tmp_path, []).summary
    assert (summary.http_outage_s, summary.faults[0].http) == (None, None)


def test_requests_under_way_at_the_end_are_neither_failed_nor_answered(tmp_path: Path) -> None:
    left = line("new", 999, 38_950 * s.MS, 40 * s.MS, "unanswered")
    seen = viewed(tmp_path, [*stream([], until=38_900 * s.MS), left]).summary.faults[0].http
    assert seen is not None
    assert (seen.failed, seen.errors) == (0, {})


def test_an_answer_after_a_repeated_segment_is_slow(tmp_path: Path) -> None:
    slow = line("new", 999, FAULT + 50 * s.MS, 215 * s.MS)
    assert (seen := viewed(tmp_path, [*stream([]), slow]).summary.faults[0].http)
    assert (seen.slow, seen.failed) == (1, 0)


@pytest.mark.parametrize(
    ("lines", "fate", "error", "after_s", "waited_s", "said"),
    [
        (KEPT_WELL, "kept", None, None, 0.003, "kept, longest wait"),
        # Its answer was under way when the probe was stopped.
        ([*KEPT_WELL[:-1], KEPT_WELL[-1] | {"error": "unanswered"}], "kept", None, None, 0.003, "kept, longest wait"),
        (stalled(6300 * s.MS, "reset"), "broken", "reset", 6.2, 6.3, "reset 6.2"),
        (stalled(s.S, None), "kept", None, None, 1.0, "longest wait for an answer 1.0"),
        (stalled(28_700 * s.MS, "unanswered"), "hung", None, None, 28.7, "hung, 28.7"),
        ([*UNTIL_FAULT, line("kept", 200, FAULT + STEP, 0, "closed")], "broken", "closed", 0.1, 0.0, "closed by"),
    ],
)
def test_the_kept_connection_is_kept_broken_or_hung(
    tmp_path: Path,
    lines: list[dict[str, Any]],
    fate: str,
    error: str | None,
    after_s: float | None,
    waited_s: float,
    said: str,
) -> None:
    seen = viewed(tmp_path, [*stream([]), *lines]).summary.faults[0].http
    assert seen is not None
    assert seen.kept is not None
    assert (seen.kept.fate, seen.kept.error, seen.kept.waited_s) == (fate, error, waited_s)
    assert seen.kept.after_s == after_s
    assert said in words.fate(seen.kept).replace("\u00a0", " ")


def test_a_connection_that_broke_before_the_fault_is_not_blamed_on_it(tmp_path: Path) -> None:
    lines = [line("kept", 0, 500 * s.MS), line("kept", 1, 600 * s.MS, 10, "reset")]
    seen = viewed(tmp_path, [*stream([]), *lines]).summary.faults[0].http
    assert seen is not None
    assert seen.kept is None


@given(
    # No two of a schedule are sent at once.
    st.lists(
        st.tuples(st.integers(0, 10**10), st.integers(0, 10**9), st.booleans()),
        min_size=1,
        unique_by=lambda one: one[0],
    )
)
def test_the_outage_is_null_or_lies_between_two_requests(drawn: list[tuple[int, int, bool]]) -> None:
    requests = [
        HttpRequest.model_validate(line("new", n, sent, total, "timeout" if failed else None))
        for n, (sent, total, failed) in enumerate(drawn)
    ]
    mine = application.tried(requests, 0, 2 * s.START_NS)
    outage_s = application.outage_s(mine)
    if outage_s is not None:
        assert 0 <= outage_s <= (mine[-1].sent_ns - mine[0].sent_ns) / 1e9
        assert (outage_s == 0) == (not any(request.error for request in mine))


@given(st.integers(0, 40 * s.S), st.integers(0, 40 * s.S), st.sampled_from([None, "reset", "unanswered"]))
def test_a_fate_says_when_it_broke_and_only_then(sent: int, total: int, error: str | None) -> None:
    fault = Fault(kind="kill", host="A", at_ns=s.START_NS + FAULT, uncertainty_ns=0)
    requests = [HttpRequest.model_validate(line("kept", 0, sent, total, error))]
    (kept,) = application.kept(requests, fault, s.START_NS + SECOND_FAULT)
    if kept is not None:
        assert (kept.after_s is not None) == (kept.fate == "broken") == (kept.error is not None)
        assert kept.after_s is None or 0 <= kept.after_s <= (SECOND_FAULT - FAULT) / 1e9


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "http.jsonl: missing"),
        (cut_short, "http.jsonl: ends within a line"),
        (lambda path: path.write_text("\ufffd\n"), "http.jsonl:1: not an HTTP request"),
        (lambda path: path.write_text('{"connection": "new"}\n'), "http.jsonl:1: not an HTTP request"),
        (lambda path: path.write_bytes(b"PK\x03\x04\xff\n"), "http.jsonl:1: not an HTTP request"),
        (lambda path: (path.unlink(), path.mkdir()), "http.jsonl: is not a regular file"),
    ],
)
def test_a_damaged_file_leaves_the_trial_undecided(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    run = written(tmp_path / "run", [*stream([(FAULT, FAULT + 3300 * s.MS)]), *KEPT_WELL])
    damage(run.trials()[0].http)
    view = analyze(run)
    assert view.trials[0].summary.verdict == "undecided"
    assert said in view.damage[0]
    assert "\n" not in view.damage[0]
    assert write_summary(run, view)
    assert write_trials(run, view)


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"stopped": False}, "the HTTP probe broke off"), ({"withheld": 3}, "3 HTTP requests were not sent")],
)
def test_a_probe_that_could_not_ask_leaves_the_trial_undecided(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    summary = analyze(written(tmp_path / "run", stream([]), **keys)).trials[0].summary
    assert summary.verdict == "undecided"
    assert said in summary.reason


def test_a_probe_that_was_late_leaves_the_trial_undecided(tmp_path: Path) -> None:
    late = stream([])
    late[200]["due_ns"] -= 300 * s.MS
    summary = viewed(tmp_path, late).summary
    assert (summary.verdict, summary.reason) == (
        "undecided",
        "the host was overloaded: the HTTP probe sent a request 300 ms late",
    )


def test_a_trial_without_the_probe_needs_no_file(tmp_path: Path) -> None:
    summary = analyze(RunFolder(s.write_run(tmp_path / "run", [s.power_cut(s.FAMILIES[1])]))).trials[0].summary
    assert (summary.verdict, summary.http_outage_s, summary.faults[0].http) == ("pass", None, None)
