"""Writes the generated tables into docs/method.md: `python -m viplab.ground_truth docs/method.md [RUN ...]`.

Known truth is made and measured anew; the physical truth and the calibration come from the run folders that are named,
and stay as they are where none is. Exit status 1 where the analyser gave a wrong answer or a cut was measured wrongly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from viplab.analysis.run import analyze
from viplab.analysis.summary import TrialSummary
from viplab.errors import ViplabError
from viplab.ground_truth import page
from viplab.ground_truth.check import compare_all
from viplab.run_folder import RunFolder


def write(path: Path, runs: Sequence[Path]) -> int:
    """Fill the tables of the page; returns the exit status.

    Raises:
        InputError: the page has no place for a table, or a run cannot be read.
    """
    compared = compare_all()
    text = page.filled(path.read_text(encoding="utf-8"), "known truth", page.known_truth(compared))
    trials: list[TrialSummary] = [t.summary for run in runs for t in analyze(RunFolder(run)).trials]
    if runs:
        text = page.filled(text, "physical truth", page.physical_truth(trials))
        text = page.filled(text, "calibration", page.calibration(trials))
    path.write_text(text, encoding="utf-8")
    wrong = sum(len(one.wrong) for one in compared)
    missed = sum(cut.within is False for trial in trials for cut in trial.cuts)
    answers, cuts = sum(len(one.known) for one in compared), sum(len(trial.cuts) for trial in trials)
    print(f"{answers} known answers, {wrong} wrong; {cuts} cuts, {missed} further off than an interval")  # noqa: T201
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(write(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
    except ViplabError as error:
        print(f"viplab: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
