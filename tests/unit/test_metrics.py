"""Rules of the table of metrics: each is wherever it says that it is shown, and no other list of them is kept."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from generated import ROOT

import viplab
from viplab.analysis import compare
from viplab.analysis.baseline import Points, points
from viplab.analysis.metric_statistics import table
from viplab.analysis.predicates import PREDICATES
from viplab.analysis.run import analyze, summary_bytes
from viplab.analysis.summary import Summary, TrialSummary
from viplab.analysis.views import RunView
from viplab.metrics import METRICS, SECOND, FaultMetrics, Metric, Shown
from viplab.report.site import render
from viplab.run_folder import RunFolder

SAMPLE = ROOT / "results" / "sample"


@pytest.fixture(scope="module")
def view() -> RunView:
    return analyze(RunFolder(SAMPLE))


@pytest.fixture(scope="module")
def full(view: RunView) -> Summary:
    """The sample's summary with every metric of the power cuts measured."""
    values = {name: 1.0 if metric.unit == "s" else 1 for name, metric in METRICS.items() if metric.unit}
    trials = [_with(trial.summary, values) for trial in view.trials if trial.info.scenario == "power-cut"]
    return view.summary.model_copy(update={"trials": trials})


def _with(trial: TrialSummary, values: dict[str, float]) -> TrialSummary:
    faults = [fault.model_copy(update=values) for fault in trial.faults]
    return trial.model_copy(update={**values, "faults": faults})


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_all_that_its_places_need(name: str) -> None:
    metric = METRICS[name]
    assert metric.meaning
    assert name.endswith("_s") == (metric.unit == "s")
    titled = Shown.REPORT | Shown.GLANCE | Shown.SIDES | Shown.PLOT
    assert bool(metric.title) == bool(metric.shown & titled)
    assert bool(metric.short) == (Shown.GLANCE in metric.shown)
    # What is compared is kept over trials, and what decides is compared.
    assert Shown.GATE not in metric.shown or Shown.COMPARISON in metric.shown
    assert Shown.COMPARISON not in metric.shown or Shown.STATISTICS in metric.shown


def test_every_field_is_a_metric_but_the_prediction() -> None:
    assert set(FaultMetrics.model_fields) - set(METRICS) == {"outage_window_s"}


def test_one_metric_decides_a_comparison() -> None:
    assert [name for name, metric in METRICS.items() if Shown.GATE in metric.shown] == ["deadline_excess_s"]


def test_trials_csv_has_a_column_for_each_metric_that_is_shown_there(full: Summary) -> None:
    header, first, *_ = csv.reader(io.StringIO(table(full.trials)))
    assert [name for name in METRICS if name in header] == _shown(Shown.CSV)
    assert all(first[header.index(name)] for name in METRICS)


def test_statistics_and_baselines_have_the_metrics_that_are_shown_there(full: Summary) -> None:
    kept = [series.metric for series in points(full).series if series.subject == "vipd"]
    assert kept == _shown(Shown.STATISTICS)


def test_a_comparison_has_the_metrics_that_are_shown_there(full: Summary) -> None:
    rows = compare.compare(points(full), points(full), ("keepalived", "vipd")).rows
    assert [row.metric for row in rows] == _shown(Shown.COMPARISON)
    assert [row.metric for row in rows if row.gates] == _shown(Shown.GATE)


def test_claims_may_ask_for_the_metrics_that_are_shown_there() -> None:
    assert [name for name in PREDICATES if name in METRICS] == _shown(Shown.CLAIMS)


def test_the_report_has_the_title_of_each_metric_that_is_shown_there(view: RunView) -> None:
    page = render(RunFolder(SAMPLE), view)
    missing = [METRICS[name].title for name in _shown(Shown.REPORT) if f"<dt>{METRICS[name].title}</dt>" not in page]
    assert missing == []
    glance = page[page.index('class="glance"') :].partition("</table>")[0]
    assert all((f">{metric.title}<" in glance) == (Shown.GLANCE in metric.shown) for metric in _titled())


def test_what_is_on_disk_keeps_the_names_of_schema_1(view: RunView) -> None:
    now, kept = json.loads(summary_bytes(view)), json.loads((SAMPLE / "summary.json").read_bytes())
    assert _keys(now) == _keys(kept)
    assert set(now["figures"][0]) >= {"scenario", "subject", "profile", "quantity", "n", "undecided", "median"}
    baseline = json.loads(points(view.summary).model_dump_json(by_alias=True))
    assert set(baseline["series"][0]) == {"scenario", "subject", "profile", "quantity", "values"}
    assert Points.model_validate(baseline) == points(view.summary)


def test_the_sample_measures_what_it_measured_when_it_was_made(view: RunView) -> None:
    now, kept = json.loads(summary_bytes(view)), json.loads((SAMPLE / "summary.json").read_bytes())
    # The outage that the timing model predicts may be known better since.
    measured = ("name", "verdict", *METRICS)
    for trial, before in zip(now["trials"], kept["trials"], strict=True):
        assert [trial[name] for name in measured] == [before[name] for name in measured]
    assert now["figures"] == kept["figures"]
    assert [claim["verdict"] for claim in now["claims"]] == [claim["verdict"] for claim in kept["claims"]]


def _keys(value: object) -> object:
    """Names and nesting without the values, in the order in which they stand."""
    if isinstance(value, dict):
        return [(name, _keys(item)) for name, item in value.items()]
    return [_keys(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else None


def test_no_other_module_keeps_a_list_of_metrics() -> None:
    here = Path(viplab.__file__).parent
    # What is known of a case of ground truth is an answer a name.
    own = {here / "metrics.py", *here.glob("ground_truth/**/*.py")}
    others = [path for path in here.rglob("*.py") if path not in own]
    found = {f"{path.relative_to(here)}:{line}" for path in others for line in _lists(path)}
    assert found == set()


def _lists(path: Path) -> Iterator[int]:
    """The lines where three names of metrics or more stand in one literal."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            items = node.keys if isinstance(node, ast.Dict) else node.elts
            names = {item.value.removeprefix(SECOND) for item in items if _is_text(item)}
            if len(names & set(METRICS)) > 2:
                yield node.lineno


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _shown(where: Shown) -> list[str]:
    return [name for name, metric in METRICS.items() if where in metric.shown]


def _titled() -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.title]
