"""A run folder made into its view, and the view's summary written: the way in to this package."""

from __future__ import annotations

import json

from viplab.analysis.claims import Judged, exit_status, judge_claims, read_reference
from viplab.analysis.figures import figures, table
from viplab.analysis.measures import measures
from viplab.analysis.model import RunView
from viplab.analysis.puzzles import answer_puzzles
from viplab.analysis.record import read_trial
from viplab.analysis.trial import view_trial
from viplab.errors import InputError
from viplab.evidence import RunFolder


def analyze(run: RunFolder) -> RunView:
    """Recompute everything from the folder alone.

    Raises:
        InputError: there is no run, or its `run.json` or `reference.yaml` is missing or damaged. A trial that cannot be
            read is left out and said in the view's `notes`; one that can be read in part is judged undecided.
    """
    info = run.info()
    reference = read_reference(run.reference)
    judged: list[Judged] = []
    notes: list[str] = []
    for folder in run.trials():
        try:
            record = read_trial(folder)
        except InputError as error:
            notes.append(str(error))
            continue
        view = view_trial(record)
        judged.append(Judged(view, measures(record, view)))
    claims = judge_claims(reference, judged)
    status = exit_status(claims, [trial.view.summary.verdict for trial in judged])
    return RunView(
        info=info,
        trials=[trial.view for trial in judged],
        claims=claims,
        puzzles=answer_puzzles(reference, judged),
        figures=figures([trial.view.summary for trial in judged]),
        notes=notes,
        exit_status=status or (2 if notes else 0),
    )


def write_summary(run: RunFolder, view: RunView) -> bytes:
    """Write `summary.json`."""
    content = summary_bytes(view)
    run.summary.write_bytes(content)
    return content


def summary_bytes(view: RunView) -> bytes:
    """What `summary.json` holds; the same view gives the same bytes."""
    data = view.summary.model_dump(mode="json", by_alias=True)
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def write_trials(run: RunFolder, view: RunView) -> bytes:
    """Write `trials.csv`, the raw points behind the figures; the same view gives the same bytes."""
    content = table([trial.summary for trial in view.trials]).encode()
    (run.path / "trials.csv").write_bytes(content)
    return content
