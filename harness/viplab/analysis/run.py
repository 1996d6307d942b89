"""A run folder made into its view, and the view's summary written: the way in to this package."""

from __future__ import annotations

import json

from viplab.analysis.asked import own_configuration
from viplab.analysis.claims import Judged, Reference, exit_status, judge_claims, read_presentation, read_reference
from viplab.analysis.metric_statistics import statistics, table
from viplab.analysis.predicates import named_values
from viplab.analysis.puzzles import answer_puzzles
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.views import RunView
from viplab.errors import ExitStatus, InputError
from viplab.regular_files import write_regular
from viplab.run_folder import RunFolder
from viplab.store import reference_claims


def analyze(run: RunFolder) -> RunView:
    """Recompute everything from the folder alone.

    What can be judged is: a trial that cannot be read is left out and said in the view's `notes`, one that can be read
    in part is undecided, and without a reference file there are trials and no claims. The view's `damage` has it all.

    Raises:
        InputError: there is no run, or its `run.json` is missing, damaged or of another schema.
    """
    info = run.info()
    judged: list[Judged] = []
    article: list[Judged] = []  # those that its claims can speak of
    notes: list[str] = []
    issues: list[str] = []
    for folder in run.trials():
        try:
            record = read_trial(folder)
            view = view_trial(record)
        except InputError as error:
            notes.append(str(error))
            continue
        issues += record.issues
        judged.append(Judged(view, named_values(record, view)))
        if not own_configuration(record.asked):
            article.append(judged[-1])
    if not judged:
        notes.append(f"{run.path / 'trials'}: no trial that can be read")
    reference = _reference(run, notes)
    claims = judge_claims(reference, article) if reference else []
    status = exit_status(claims, [trial.view.summary.verdict for trial in judged])
    return RunView(
        info=info,
        trials=[trial.view for trial in judged],
        claims=claims,
        puzzles=answer_puzzles(reference, article) if reference else [],
        presentation=(reference and reference.report) or read_presentation(reference_claims()),
        statistics=statistics([trial.view.summary for trial in judged]),
        notes=notes,
        damage=[*notes, *issues],
        exit_status=status or (ExitStatus.UNDECIDED if notes else ExitStatus.OK),
    )


def _reference(run: RunFolder, notes: list[str]) -> Reference | None:
    try:
        return read_reference(run.reference)
    except InputError as error:
        notes.append(str(error))
        return None


def write_summary(run: RunFolder, view: RunView) -> bytes:
    """Write `summary.json`."""
    content = summary_bytes(view)
    write_regular(run.path, run.summary, content)
    return content


def summary_bytes(view: RunView) -> bytes:
    """What `summary.json` holds; the same view gives the same bytes."""
    data = view.summary.model_dump(mode="json", by_alias=True)
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def write_trials(run: RunFolder, view: RunView) -> bytes:
    """Write `trials.csv`, the raw points behind the statistics; the same view gives the same bytes."""
    content = table([trial.summary for trial in view.trials]).encode(errors="backslashreplace")
    write_regular(run.path, run.path / "trials.csv", content)
    return content
