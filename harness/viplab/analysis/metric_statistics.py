"""Each metric over all trials of a run: its values, its statistics with their n, and the table of raw points."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from viplab.analysis.statistics import spread
from viplab.analysis.summary import FaultSummary, MetricStatistics, TrialSummary
from viplab.metrics import METRICS, SECOND, Shown, shown_in

_TRIAL_COLUMNS = ("name", "scenario", "subject", "subject_version", "profile", "lab", "accel", "trial", "verdict")
# What is not described over trials stands before what is.
_METRIC_COLUMNS = sorted(shown_in(Shown.CSV), key=lambda name: Shown.STATISTICS in METRICS[name].shown)
Key = tuple[str, str, str]


def values(trials: Sequence[TrialSummary]) -> dict[Key, dict[str, list[float]]]:
    """The measured values of all decided trials, by scenario, subject and profile, then by metric."""
    found: dict[Key, dict[str, list[float]]] = {}
    for trial in trials:
        if trial.verdict == "undecided":
            continue
        group = found.setdefault((trial.scenario, trial.subject, trial.profile), {})
        for prefix, fault in _named(trial):
            for metric in shown_in(Shown.STATISTICS):
                value = getattr(fault, metric)
                if value is not None:
                    group.setdefault(prefix + metric, []).append(value)
    return found


def statistics(trials: Sequence[TrialSummary]) -> list[MetricStatistics]:
    """Each metric of each scenario and subject, described."""
    return [
        MetricStatistics(
            scenario=scenario,
            subject=subject,
            profile=profile,
            metric=metric,
            undecided=sum(
                (t.scenario, t.subject, t.profile, t.verdict) == (scenario, subject, profile, "undecided")
                for t in trials
            ),
            **spread(sample)._asdict(),
        )
        for (scenario, subject, profile), group in values(trials).items()
        for metric, sample in group.items()
    ]


def table(trials: Sequence[TrialSummary]) -> str:
    """The raw points as CSV: one line a fault, undecided trials too, empty where nothing was measured."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*_TRIAL_COLUMNS, "fault", "kind", "host", "at_ns", *_METRIC_COLUMNS])
    for trial in trials:
        own = [getattr(trial, name) for name in _TRIAL_COLUMNS]
        if not trial.faults:
            rows.writerow([*own, *([""] * (4 + len(_METRIC_COLUMNS)))])
        for number, summary in enumerate(trial.faults, 1):
            what = summary.fault
            measured = (getattr(summary, name) for name in _METRIC_COLUMNS)
            rows.writerow([*own, number, what.kind, what.host, what.at_ns, *measured])
    return text.getvalue()


def _named(trial: TrialSummary) -> Iterator[tuple[str, FaultSummary]]:
    yield from zip(("", SECOND), trial.faults, strict=False)
