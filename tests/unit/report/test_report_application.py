"""What an application saw is told where a scenario asked over HTTP, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import report_sample as sample
from viplab.analysis.summary import Application, Jitter, KeptConnection
from viplab.analysis.views import TrialView
from viplab.report.application import fates
from viplab.report.site import render
from viplab.run_folder import RunFolder

NOWHERE = RunFolder(Path("nowhere"))
RESET = KeptConnection(fate="broken", error="reset", after_s=6.7, waited_s=6.65, answers={"A": 3})
HUNG = KeptConnection(fate="hung", error=None, after_s=None, waited_s=9.5, answers={"A": 3})
KEPT = KeptConnection(fate="kept", error=None, after_s=None, waited_s=0.003, answers={"A": 90})


def asked(trial: TrialView, outage_s: float | None, kept: KeptConnection | None, failed: int = 42) -> TrialView:
    """The trial with an application in it."""
    http = Application(
        interval_s=0.1,
        requests=116,
        failed=failed,
        errors={"reset": 1, "timeout": failed - 1} if failed else {},
        slow=2,
        answers={"B": 74},
        connect=Jitter(n=74, median_s=0.001, p95_s=0.002, max_s=0.004),
        total=Jitter(n=74, median_s=0.003, p95_s=0.004, max_s=0.009),
        kept=kept,
    )
    fault = trial.faults[0]
    seen = fault.summary.model_copy(update={"http": http, "http_outage_s": outage_s})
    summary = trial.summary.model_copy(update={"faults": [seen], "http_outage_s": outage_s})
    return trial.model_copy(
        update={
            "info": trial.info.model_copy(update={"http_interval_s": 0.1}),
            "summary": summary,
            "faults": [fault.model_copy(update={"summary": seen})],
        }
    )


def page(*trials: TrialView) -> str:
    return render(NOWHERE, sample.run(*trials, subjects=("vipd", "keepalived"))).replace("\u00a0", " ")


def both(scenario: str) -> tuple[TrialView, TrialView]:
    return sample.trial(scenario, outage_s=4.2), sample.trial(scenario, "keepalived", order=2, outage_s=3.3)


def test_the_story_the_comparison_and_the_metrics_have_it() -> None:
    one, other = both("power-cut")
    text = page(asked(one, 4.2, RESET), asked(other, None, HUNG))
    assert "Of 116 HTTP requests over new connections 42 failed (1 reset, 41 timeout); 2 took over 0.2 s: the" in text
    assert "went without an answer for 4.200 s (± 100 ms)." in text
    assert "went without an answer to the end, or not for long enough to tell." in text
    assert "The connection that it kept open: reset 6.700 s after the fault." in text
    assert "hung, 9.500 s without an answer when the trial ended" in text
    assert text.count("Connection kept open<small>what became of it</small>") == 1
    assert text.count("Application without an answer") >= 4


def test_where_no_request_failed_it_says_so() -> None:
    text = page(asked(sample.trial(), 0.0, None, failed=0))
    assert "Of 116 HTTP requests over new connections none failed; 2 took over 0.2 s." in text
    assert "The connection that it had kept open was broken before this." in text


def test_a_run_that_did_not_ask_has_no_word_of_it() -> None:
    text = page(*both("power-cut"))
    assert "HTTP" not in text
    assert "Application without an answer" not in text


def test_a_trial_that_did_not_ask_has_no_row_of_it() -> None:
    text = page(asked(sample.trial("power-cut", outage_s=4.2), 4.2, RESET), sample.trial("case-a", order=2))
    # In the power cut's own metrics, and where the method says what it means.
    assert text.count("Application without an answer") == 2


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ([], None),
        ([KEPT], "kept, longest wait for an answer 3.00 ms"),
        ([RESET, HUNG, RESET], "hung: 1 of 3; reset: 2 of 3, 6.700 s after the fault"),
        ([KEPT, KEPT], "kept: 2 of 2"),
    ],
)
def test_several_fates_are_counted(kept: list[KeptConnection], said: str | None) -> None:
    told = fates([asked(sample.trial(), 0.0, one) for one in kept])
    assert (told and told.replace("\u00a0", " ")) == said
