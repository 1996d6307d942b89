"""Hold the analyser against known truth, and cuts against the clock: `python -m viplab.ground_truth [RUN ...]`.

Exit status 1 where the analyser gave a wrong answer or a cut was measured wrongly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from viplab.analysis.run import analyze
from viplab.errors import ViplabError
from viplab.ground_truth.check import compare_all
from viplab.run_folder import RunFolder


def judge(runs: Sequence[Path]) -> int:
    """Print how many answers and cuts were wrong; returns the exit status.

    Raises:
        InputError: a run cannot be read.
    """
    compared = compare_all()
    cuts = [cut for run in runs for trial in analyze(RunFolder(run)).trials for cut in trial.summary.cuts]
    wrong = sum(len(one.wrong) for one in compared)
    missed = sum(cut.within is False for cut in cuts)
    answers = sum(len(one.known) for one in compared)
    print(f"{answers} known answers, {wrong} wrong; {len(cuts)} cuts, {missed} further off than an interval")  # noqa: T201
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(judge([Path(name) for name in sys.argv[1:]]))
    except ViplabError as error:
        print(f"viplab: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
