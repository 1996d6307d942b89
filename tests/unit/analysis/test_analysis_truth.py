"""Captures with known answers: the analyser gives them to the nanosecond."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support import synthetic as s
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.ground_truth.check import Compared, answers
from viplab.run_folder import TrialFolder

EVERY = {**s.PLAIN, **s.AWKWARD}


@pytest.mark.parametrize("family", s.FAMILIES)
@pytest.mark.parametrize("case", [case for case in EVERY if case != "set-up"])
def test_known_answers_are_given_to_the_nanosecond(tmp_path: Path, case: str, family: str) -> None:
    make: Callable[[str], s.Trial] = EVERY[case]
    trial = make(family)
    assert trial.truth
    assert Compared(case, family, trial.truth, answers(trial.write(tmp_path, 1))).wrong == {}


@pytest.mark.parametrize("case", s.AWKWARD)
def test_every_case_can_be_decided(tmp_path: Path, case: str) -> None:
    trial = s.AWKWARD[case](s.FAMILIES[1])
    summary = view_trial(read_trial(TrialFolder(trial.write(tmp_path, 1)))).summary
    assert summary.verdict == "pass", summary.reason


@pytest.mark.parametrize("family", s.FAMILIES)
def test_a_cut_measured_wrongly_fails_and_one_that_nobody_healed_is_undecided(tmp_path: Path, family: str) -> None:
    trial = s.truth_cut(family)
    trial.serving[2] = (trial.serving[2][0] + 20 * s.MS, "A")
    summary = view_trial(read_trial(TrialFolder(trial.write(tmp_path / "long", 1)))).summary
    assert summary.verdict == "fail"
    assert "a cut of 0.050000 s was measured as 0.070000 s" in summary.reason
    trial = s.truth_cut(family)
    trial.events = [event for event in trial.events if event[1] != "fault_healed"]
    summary = view_trial(read_trial(TrialFolder(trial.write(tmp_path / "open", 1)))).summary
    assert summary.verdict == "undecided"
    assert summary.reason == "a fault cannot be judged (client cut off): nobody healed it"


def test_a_cut_that_dropped_no_frame_is_undecided_and_one_that_did_not_count_is_judged(tmp_path: Path) -> None:
    for frames, verdict in ((0, "undecided"), (9, "pass"), (None, "pass")):
        trial = s.truth_cut(s.FAMILIES[0])
        for _, name, keys in trial.events:
            if name == "fault_healed" and frames is not None:
                keys["frames"] = frames
        summary = view_trial(read_trial(TrialFolder(trial.write(tmp_path / str(frames), 1)))).summary
        assert summary.verdict == verdict
        assert ("no frame was dropped" in summary.reason) is (frames == 0)
