"""Rules of the table for the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from support import report_sample as sample
from viplab.analysis.views import RunView
from viplab.report.console import summary_table


def printed(view: RunView) -> str:
    stream = io.StringIO()
    Console(file=stream, width=100, force_terminal=False).print(summary_table(view))
    return stream.getvalue()


def test_no_line_is_longer_than_a_hundred_columns() -> None:
    assert max(len(line) for line in printed(sample.whole_run()).splitlines()) <= 100


def test_every_trial_has_a_row_and_every_claim_that_differs_its_reason() -> None:
    text = printed(sample.whole_run())
    for name in ("part-1", "case-a", "case-b", "case-c", "case-d", "power-cut", "case-a #2"):
        assert f"\n {name} " in text
    assert "claims, keepalived: 21 reproduced, 1 differ (explained), 1 failed, 1 undecided" in text
    assert "C3  failed (keepalived)" in text
    assert "B5  undecided (vipd)" in text


def test_what_was_not_measured_is_a_dash() -> None:
    text = printed(sample.run(sample.trial(takeover_s=None, outage_s=None)))
    row = next(line for line in text.splitlines() if line.startswith(" case-a"))
    assert row.split()[3:] == ["–", "–", "–", "–", "0", "of", "40"]


def test_a_run_without_trials_says_so() -> None:
    assert "no trial" in printed(sample.run())


def test_escapes_and_markup_of_a_guest_are_shown() -> None:
    claim = sample.claim("A1", verdict="differs", measured="\x1b[2J[bold red]boo", why="\x07bell")
    text = printed(sample.run(sample.trial()).model_copy(update={"claims": [claim], "notes": ["\x1b]0;x"]}))
    assert "\u241b[2J[bold red]boo" in text
    assert "\u2407bell" in text
    assert "\x1b" not in text
    assert "\x07" not in text
