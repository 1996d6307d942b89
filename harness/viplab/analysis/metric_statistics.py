"""Over all trials of a run: the raw points as a table, and each quantity described with its n."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from viplab.analysis.statistics import spread
from viplab.analysis.summary import FaultSummary, Figure, TrialSummary

# In the order in which a failover runs; names are those of `Measures`.
QUANTITIES = (
    "x_s",
    "detection_s",
    "deadline_excess_s",
    "announce_s",
    "client_switch_s",
    "failover_s",
    "reversion_s",
    "outage_s",
    "outage_loss_s",
    "recovered_s",
    "http_outage_s",
    "dual_owner_s",
)
_TRIAL_COLUMNS = ("name", "scenario", "subject", "subject_version", "profile", "lab", "accel", "trial", "verdict")
_FAULT_COLUMNS = ("event", "expected_down_interval_s", "priority_zero", "lost", "answered_twice")
Key = tuple[str, str, str]


def values(trials: Sequence[TrialSummary]) -> dict[Key, dict[str, list[float]]]:
    """The measured values of all decided trials, by scenario, subject and profile, then by quantity."""
    found: dict[Key, dict[str, list[float]]] = {}
    for trial in trials:
        if trial.verdict == "undecided":
            continue
        group = found.setdefault((trial.scenario, trial.subject, trial.profile), {})
        for prefix, fault in _named(trial):
            for quantity in QUANTITIES:
                value = getattr(fault, quantity)
                if value is not None:
                    group.setdefault(prefix + quantity, []).append(value)
    return found


def figures(trials: Sequence[TrialSummary]) -> list[Figure]:
    """Each quantity of each scenario and subject, described."""
    return [
        Figure(
            scenario=scenario,
            subject=subject,
            profile=profile,
            quantity=quantity,
            undecided=sum(
                (t.scenario, t.subject, t.profile, t.verdict) == (scenario, subject, profile, "undecided")
                for t in trials
            ),
            **spread(sample)._asdict(),
        )
        for (scenario, subject, profile), group in values(trials).items()
        for quantity, sample in group.items()
    ]


def table(trials: Sequence[TrialSummary]) -> str:
    """The raw points as CSV: one line a fault, undecided trials too, empty where nothing was measured."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*_TRIAL_COLUMNS, "fault", "kind", "host", "at_ns", *_FAULT_COLUMNS, *QUANTITIES])
    for trial in trials:
        own = [getattr(trial, name) for name in _TRIAL_COLUMNS]
        if not trial.faults:
            rows.writerow([*own, *([""] * (4 + len(_FAULT_COLUMNS) + len(QUANTITIES)))])
        for number, summary in enumerate(trial.faults, 1):
            what = summary.fault
            measured = (getattr(summary, name) for name in (*_FAULT_COLUMNS, *QUANTITIES))
            rows.writerow([*own, number, what.kind, what.host, what.at_ns, *measured])
    return text.getvalue()


def _named(trial: TrialSummary) -> Iterator[tuple[str, FaultSummary]]:
    yield from zip(("", "second_"), trial.faults, strict=False)
