"""Rules of the plots: what they say in words, that they do not grow, that nothing missing stops them."""

from __future__ import annotations

import re

import pytest

from support import report_sample as sample
from viplab.analysis.presentation import Plot
from viplab.analysis.views import AdvertSeen, RunView, TrialView
from viplab.report import adverts, answers, arithmetic, dots, ladder, outline, overview, settled
from viplab.report.svg import Drawing
from viplab.types import NodeTimers


def groups(view: RunView) -> tuple[list[outline.Chapter], dict[outline.Subject, str]]:
    return outline.chapters(view), outline.short_names(view)


def distribution(view: RunView) -> Drawing | None:
    blocks = [block for chapter in outline.chapters(view) for case in chapter.cases for block in overview.blocks(case)]
    return dots.draw(blocks, outline.subjects(view), "dots")


def many(number: int) -> RunView:
    trials = [
        sample.trial("case-c", "vipd", at, at, takeover_s=3.2 + at % 97 / 100, outage_s=4.0 + at % 61 / 100)
        for at in range(1, number + 1)
    ]
    return sample.run(*trials)


def words(drawing: Drawing | None) -> str:
    assert drawing is not None
    match = re.search(r'aria-label="([^"]*)"', drawing.svg)
    assert match is not None
    return match[1].replace("\u00a0", " ")


def test_the_distribution_says_every_row_in_words() -> None:
    said = words(distribution(sample.whole_run()))
    assert "Case A, vipd: client without an answer 0 s (median, n = 2 of 3), deadline excess 1.42 ms" in said
    assert "Case C, keepalived: client without an answer 4.200 s" in said


def test_the_distribution_shows_every_trial_of_a_few() -> None:
    drawing = distribution(many(2))
    assert drawing is not None
    assert drawing.svg.count("<use") == 4
    assert "dots are drawn" not in drawing.caption


def test_the_distribution_does_not_grow_with_the_number_of_trials_and_says_so() -> None:
    some, twice_as_many = distribution(many(80)), distribution(many(160))
    assert some is not None
    assert twice_as_many is not None
    assert len(twice_as_many.svg) < 1.05 * len(some.svg)
    assert "Where more than 3 trials lie on one spot" in some.caption


def test_nothing_measured_makes_no_plot() -> None:
    bare = sample.trial(takeover_s=None, outage_s=None, adverts=[], probe=[], ping_trips=[], frames=[])
    assert adverts.draw(bare, "k") is None
    assert ladder.rungs(bare) == []
    assert answers.draw([answers.Row(bare, "name", "note")], "k", "caption") is None
    undecided = bare.summary.model_copy(update={"deadline_excess_s": None, "outage_s": None, "x_s": None})
    fault = bare.faults[0].summary.model_copy(update={"deadline_excess_s": None, "outage_s": None})
    view = sample.run(
        bare.model_copy(update={"summary": undecided, "faults": [bare.faults[0].model_copy(update={"summary": fault})]})
    )
    assert distribution(view) is None
    assert {settled.draw(plot, *groups(view), "k") for plot in sample.PRESENTATION.plots} == {None}


def test_the_adverts_tell_of_the_longest_silence() -> None:
    said = words(adverts.draw(sample.trial(), "k"))
    assert "the longest is 3.607 s, which an advert of B ends at +3.3 s" in said


def test_ten_thousand_adverts_are_thinned_and_the_longest_silence_stays() -> None:
    seen = [AdvertSeen(at_s=-4 + at / 1000, host="A", priority=102) for at in range(5000)]
    seen += [AdvertSeen(at_s=4 + at / 1000, host="B", priority=101) for at in range(5000)]
    drawing = adverts.draw(sample.trial(adverts=seen), "k")
    assert "the longest is 3.001 s" in words(drawing)
    assert drawing is not None
    assert len(drawing.svg) < 100_000


def test_who_answered_is_told_from_loss_to_next_answer() -> None:
    found = answers.spans(sample.trial("case-c", outage_s=4.2))
    assert [span.host for span in found] == ["A", None, "A", "B"] or [span.host for span in found] == ["A", None, "B"]
    silence = next(span for span in found if span.host is None)
    assert silence.start_s == pytest.approx(0, abs=0.021)
    assert silence.end_s == pytest.approx(4.2, abs=0.041)


def test_the_ladder_holds_the_exchange_from_request_to_answer() -> None:
    trial = sample.trial()
    marks = [frame.mark for frame in ladder.rungs(trial)]
    assert marks[0] == "the ping's request that B answers first"
    assert marks[-1] == "first answer of B to the ping"
    assert len(marks) == 4
    said = words(ladder.draw([("vipd", trial)], "k", ""))
    assert "Who has 192.168.122.1?" in said
    assert said.endswith("20.1 ms echo reply.")


def test_case_c_stands_on_the_line_of_its_timers() -> None:
    view = sample.run(sample.trial("case-c", outage_s=4.292))
    case = outline.chapters(view)[2].cases[0]
    drawing = arithmetic.draw([("vipd", case.groups[0])], "k", "")
    assert "x 313 ms: 4.292 s" in words(drawing)
    assert drawing is not None
    assert "3.605 + 1 − x" in drawing.svg


def test_notice_makes_case_c_the_skew_time() -> None:
    case = outline.chapters(sample.run(sample.trial("case-c", "keepalived", outage_s=0.64)))[2].cases[0]
    drawing = arithmetic.draw([("keepalived", case.groups[0])], "k", "")
    assert drawing is not None
    assert "skew time: 605\u00a0ms" in drawing.svg


@pytest.mark.parametrize(
    ("protocol", "interval_s", "skew"), [("vrrp2", 2, "605\u00a0ms"), ("vrrp3", 0.1, "60.5\u00a0ms")]
)
def test_only_in_version_3_the_advert_interval_scales_the_skew_time(
    protocol: str, interval_s: float, skew: str
) -> None:
    trial = sample.trial("case-c", "keepalived", outage_s=0.64)
    timers = NodeTimers(state="BACKUP", priority=101, advert_int_s=interval_s)
    info = trial.info.model_copy(update={"protocol": protocol})
    faults = [fault.model_copy(update={"timers": timers}) for fault in trial.faults]
    case = outline.chapters(sample.run(trial.model_copy(update={"info": info, "faults": faults})))[2].cases[0]
    drawing = arithmetic.draw([("keepalived", case.groups[0])], "k", "")
    assert drawing is not None
    assert f"skew time: {skew}" in drawing.svg


@pytest.mark.parametrize("plot", sample.PRESENTATION.plots, ids=lambda plot: f"{plot.puzzle}-{plot.kind}")
def test_every_open_question_has_a_plot_and_the_same_twice(plot: Plot) -> None:
    view = sample.whole_run()
    first, second = (settled.draw(plot, *groups(view), "k") for _ in range(2))
    assert first is not None
    assert first == second
    assert len(words(first)) > 60


def test_hostile_names_stay_text_in_every_plot() -> None:
    hostile = "<b>\x1b[31m&\u202e"
    trial: TrialView = sample.trial()
    for drawing in (
        answers.draw([answers.Row(trial, hostile, hostile)], "k", ""),
        ladder.draw([(hostile, trial)], "k", ""),
    ):
        assert drawing is not None
        assert "<b>" not in drawing.svg
        assert "\x1b" not in drawing.svg
        assert "\u202e" not in drawing.svg
