"""Rules of what a case is said to mean: only what its own metrics bear out."""

from __future__ import annotations

from typing import Any

from support import report_sample as sample
from viplab.analysis.views import TrialView
from viplab.report import outline
from viplab.report.meaning import meanings


def told(trial: TrialView, **measured: Any) -> list[str]:
    fault = trial.faults[0]
    summary = fault.summary.model_copy(update=measured)
    changed = trial.model_copy(update={"faults": [fault.model_copy(update={"summary": summary})]})
    chapters = outline.chapters(sample.run(changed))
    return [
        item.text
        for chapter in chapters
        for case in chapter.cases
        for item in meanings(case, sample.PRESENTATION.courses)
    ]


def test_the_killed_daemons_kernel_is_named_only_where_both_hosts_held_the_address() -> None:
    trial = sample.trial("case-a")
    assert "its kernel keeps the address" in told(trial)[0]
    assert "3.294\u00a0s" in told(trial)[0]
    assert told(trial, dual_owner_s=0.0) == []
    assert told(trial, outage_s=None) == []


def test_notice_decides_how_case_c_is_told() -> None:
    trial = sample.trial("case-c", outage_s=4.2)
    assert "A gives no notice" in told(trial)[0]
    assert "priority 0" in told(trial, priority_zero=2, outage_s=0.64)[0]


def test_case_b_has_a_gap_or_has_none() -> None:
    trial = sample.trial("case-b")
    assert "nobody holds it" in told(trial, outage_s=1.0, announce_s=1.0)[0]
    assert "without a gap" in told(trial, outage_s=0.0, announce_s=0.002)[0]


def test_what_an_undecided_trial_means_is_not_said() -> None:
    assert told(sample.trial("case-a", verdict="undecided")) == []
