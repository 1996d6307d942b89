"""Statistics of metrics over trials: what is counted, what is left out, and raw points that are kept."""

from __future__ import annotations

import csv

import pytest

from support import synthetic as s
from viplab.analysis.run import analyze, write_trials
from viplab.analysis.views import RunView
from viplab.run_folder import RunFolder

NEW = s.FAMILIES[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    trials = [s.power_cut(NEW), s.power_cut(NEW), s.power_cut(NEW), s.case_d(NEW), s.part_1(NEW)]
    run = RunFolder(s.write_run(tmp_path_factory.mktemp("figures") / "run", trials))
    # The third power cut cannot be decided: its capture says nothing of drops.
    path = run.trials()[2].timeline
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "capture_stopped" not in line))
    return run


@pytest.fixture(scope="module")
def view(run: RunFolder) -> RunView:
    return analyze(run)


def test_every_statistic_says_its_n_and_what_was_left_out(view: RunView) -> None:
    (excess,) = (f for f in view.statistics if (f.scenario, f.metric) == ("power-cut", "deadline_excess_s"))
    assert (excess.n, excess.undecided) == (2, 1)
    assert excess.median == excess.min == excess.max == s.LATE / 1e9
    assert excess.interval is None


def test_what_was_not_measured_has_no_statistic(view: RunView) -> None:
    assert not [f for f in view.statistics if (f.scenario, f.metric) == ("power-cut", "reversion_s")]
    assert not [f for f in view.statistics if f.scenario == "part-1"]


def test_a_second_fault_has_statistics_of_its_own(view: RunView) -> None:
    metrics = {f.metric for f in view.statistics if f.scenario == "case-d"}
    assert "second_deadline_excess_s" in metrics
    assert "deadline_excess_s" not in metrics


def test_raw_points_are_kept_one_line_a_fault_and_the_same_bytes_twice(run: RunFolder, view: RunView) -> None:
    first = write_trials(run, view)
    assert first == write_trials(run, analyze(run)) == (run.path / "trials.csv").read_bytes()
    rows = list(csv.DictReader(first.decode().splitlines()))
    assert [(row["scenario"], row["fault"], row["verdict"]) for row in rows] == [
        ("power-cut", "1", "pass"),
        ("power-cut", "1", "pass"),
        ("power-cut", "1", "undecided"),
        ("case-d", "1", "pass"),
        ("case-d", "2", "pass"),
        ("part-1", "", "pass"),
    ]
    assert float(rows[0]["deadline_excess_s"]) == s.LATE / 1e9
    assert rows[0]["reversion_s"] == ""
