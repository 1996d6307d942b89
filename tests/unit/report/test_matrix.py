"""Rules of the matrix: what a cell counts, what it leaves out, and that all three forms say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import report_sample as sample
from viplab.analysis.matrix import Cell, Matrix, matrix, read_matrix, read_published, worst_first
from viplab.analysis.summary import Summary, TrialSummary
from viplab.errors import InputError
from viplab.report.filters import anchor
from viplab.report.matrix import markdown, matrices_page, owners
from viplab.report.site import Site
from viplab.run_folder import RunFolder
from viplab.scenario.load import scenario_files
from viplab.types import NotSupported


def trial(scenario: str, subject: str, number: int, *outages: float | None, **more: object) -> TrialSummary:
    """A trial of which each fault cost the client so many seconds."""
    like = sample.trial("failover", "vipd", 1).summary
    fault = like.faults[0]
    faults = [fault.model_copy(update={"outage_s": one, "dual_owner_s": 0.0}) for one in outages]
    name = f"{number:03d}-{scenario}-{subject}"
    update = {
        "name": name,
        "scenario": scenario,
        "subject": subject,
        "subject_version": f"{subject} 1",
        "faults": faults,
    }
    return like.model_copy(update=update | more)


def summary(*trials: TrialSummary, **more: object) -> Summary:
    return sample.whole_run().summary.model_copy(update={"trials": list(trials), **more})


def cells(found: Matrix, scenario: str) -> list[Cell | None]:
    return next(row.cells for row in found.rows if row.scenario == scenario)


def test_an_outage_is_the_sum_over_the_faults_of_a_trial_and_a_cell_has_the_median_of_its_trials() -> None:
    found = matrix(summary(*(trial("flap", "vipd", n, n * 1.0, 0.5) for n in (1, 2, 3))))
    (cell,) = cells(found, "flap")
    assert cell is not None
    assert cell.outage is not None
    assert (cell.outage.n, cell.outage.median, cell.outage.min, cell.outage.max) == (3, 2.5, 1.5, 3.5)
    assert cell.outage.interval is None
    assert cell.trials == ["001-flap-vipd", "002-flap-vipd", "003-flap-vipd"]


def test_from_five_trials_on_a_cell_has_an_interval() -> None:
    (cell,) = cells(matrix(summary(*(trial("flap", "vipd", n, n * 1.0) for n in range(1, 6)))), "flap")
    assert cell is not None
    assert cell.outage is not None
    assert cell.outage.interval is not None


def test_an_undecided_trial_is_counted_and_measures_nothing() -> None:
    doubtful = trial("flap", "vipd", 2, 9.0, verdict="undecided", reason="a capture dropped packets")
    (cell,) = cells(matrix(summary(trial("flap", "vipd", 1, 1.0), doubtful)), "flap")
    assert cell is not None
    assert cell.verdicts == {"pass": 1, "undecided": 1}
    assert cell.outage is not None
    assert (cell.outage.n, cell.outage.max) == (1, 1.0)
    assert cell.quoted is not None
    assert cell.quoted.reason == "a capture dropped packets"


def test_a_fail_is_quoted_before_what_is_undecided() -> None:
    found = matrix(
        summary(
            trial("flap", "vipd", 1, 1.0, verdict="undecided", reason="unsure"),
            trial("flap", "vipd", 2, 1.0, verdict="fail", reason="too long"),
        )
    )
    assert "(002-flap-vipd): too long" in markdown(found)
    assert "unsure" not in markdown(found)


def test_a_trial_with_a_fault_whose_outage_nobody_measured_has_no_sum() -> None:
    (cell,) = cells(matrix(summary(trial("flap", "vipd", 1, 1.0, None))), "flap")
    assert cell is not None
    assert cell.outage is None
    assert "not measured" in markdown(matrix(summary(trial("flap", "vipd", 1, 1.0, None))))


def test_what_is_not_supported_says_why_and_what_was_not_asked_for_is_not_run() -> None:
    why = "clock_step needs clocks of the hosts' own, and netns has none"
    refused = NotSupported(scenario="clock-stepped", subject="vipd", profile="keepalived-1.2.2", why=why)
    one, other = trial("flap", "vipd", 1, 1.0), trial("flap", "keepalived", 2, 1.0)
    refused = refused.model_copy(update={"profile": one.profile})
    found = matrix(summary(one, other, not_supported=[refused]))
    assert [row.scenario for row in found.rows] == ["flap", "clock-stepped"]
    first, second = cells(found, "clock-stepped")
    assert first is not None
    assert first.not_supported == why
    assert second is None
    assert "| not supported: clock\\_step needs clocks of the hosts' own, and netns has none | not run |" in markdown(
        found
    )


def test_two_owners_are_told_with_how_many_trials_saw_them_and_the_longest() -> None:
    def of(number: int, both_s: float) -> TrialSummary:
        made = trial("cut", "vipd", number, 0.0)
        return made.model_copy(update={"faults": [made.faults[0].model_copy(update={"dual_owner_s": both_s})]})

    (cell,) = cells(matrix(summary(of(1, 0.0), of(2, 1.25), of(3, 0.5))), "cut")
    assert cell is not None
    assert owners(cell) == "two owners in 2 of 3, 1.250\u00a0s at most"
    (cell,) = cells(matrix(summary(of(1, 0.0))), "cut")
    assert cell is not None
    assert owners(cell) == "never two owners"


def test_rows_sorted_by_a_column_have_its_longest_outage_first_and_those_without_one_last() -> None:
    found = matrix(summary(trial("a", "vipd", 1, 1.0), trial("b", "vipd", 2), trial("c", "vipd", 3, 2.0)))
    assert [row.scenario for row in worst_first(found.rows, 0)] == ["c", "a", "b"]


def test_a_published_figure_stands_beside_scenarios_that_there_are() -> None:
    known = scenario_files()
    published = read_published()
    assert published
    assert not [name for one in published for name in one.beside if name not in known]
    found = matrix(summary(trial("case-c", "vipd", 1, 3.6)), published)
    assert "4 of 22 pings lost" in markdown(found)


def test_a_matrix_that_is_kept_as_json_reads_as_the_same_and_anything_else_is_refused(tmp_path: Path) -> None:
    found = matrix(summary(trial("flap", "vipd", 1, 1.0)), read_published())
    path = tmp_path / "one.json"
    path.write_text(found.model_dump_json(), encoding="utf-8")
    assert read_matrix(path) == found
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError, match=r"one\.json: no matrix of viplab"):
        read_matrix(path)
    with pytest.raises(InputError, match="no such file"):
        read_matrix(tmp_path / "none.json")


def test_what_a_guest_wrote_into_a_reason_makes_no_markup() -> None:
    wicked = trial("flap", "vipd", 1, 1.0, verdict="fail", reason="<script>|[x](http://e.org)")
    page = matrices_page([matrix(summary(wicked))], [])
    assert "<script>" not in page
    assert "[x](" not in page


def test_the_page_has_the_table_in_the_order_of_the_run_and_in_that_of_each_daemon(tmp_path: Path) -> None:
    view = sample.whole_run()
    page = Site(RunFolder(tmp_path), view).site()["matrix.html"]
    columns = len(matrix(view.summary).columns)
    assert columns > 1
    for number in range(1, columns + 1):
        assert f'id="matrix-by-{number}"' in page
        assert f'href="#matrix-by-{number}"' in page
    assert page.count("<tbody>") == columns + 2, "each order, and what others have published"


def test_every_cell_of_the_page_leads_to_its_trials(tmp_path: Path) -> None:
    view = sample.whole_run()
    page = Site(RunFolder(tmp_path), view).site()["matrix.html"]
    for row in matrix(view.summary).rows:
        for cell in filter(None, row.cells):
            assert any(f'.html#{anchor(name)}"' in page for name in cell.trials)


def test_a_run_of_one_scenario_has_no_matrix(tmp_path: Path) -> None:
    view = sample.run(sample.trial("failover", "vipd", 1))
    assert "matrix.html" not in Site(RunFolder(tmp_path), view).site()


def test_the_page_says_why_a_trial_failed(tmp_path: Path) -> None:
    failed = sample.trial("failover", "vipd", 1)
    failed = failed.model_copy(
        update={"summary": failed.summary.model_copy(update={"verdict": "fail", "reason": "<late>"})}
    )
    page = Site(RunFolder(tmp_path), sample.run(failed, sample.trial("case-a", "vipd", 2))).site()["matrix.html"]
    assert f"({failed.name}): &lt;late&gt;" in page
