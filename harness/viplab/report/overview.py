"""A run at a glance: one sentence, one row a case and fault, and how often what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import FaultView, RunView, TrialView
from viplab.faults import fault_kind
from viplab.metrics import FaultMetrics, Metric, Shown, Stage, shown_in
from viplab.report import outline, units
from viplab.report.timeline import fault_words


@dataclass(frozen=True)
class Row:
    """One subject's metrics of one fault of a case, over all trials; `fault` is None where the case has none."""

    group: outline.Group
    fault: FaultView | None
    metrics: list[FaultMetrics]
    stays: str | None
    deadline: bool
    pings: str | None

    def instead(self, metric: str) -> str | None:
        """What a table says in place of a metric that these trials cannot have; None where they can."""
        if metric == "detection_s" and self.stays:
            return f"none: {self.stays} stays"
        return "no deadline" if metric == "deadline_excess_s" and not self.deadline else None


@dataclass(frozen=True)
class Block:
    """The rows of one fault of a case, a subject each; `number` is the fault's place in the case."""

    case: outline.Case
    number: int
    words: str | None
    rows: list[Row]


def client_first(metrics: dict[str, Metric]) -> dict[str, Metric]:
    """The metrics in the order in which a page shows them: what the client saw, then what led to it."""
    return dict(sorted(metrics.items(), key=lambda item: item[1].stage is not Stage.OUTAGE))


def glance() -> dict[str, Metric]:
    """The metrics that a table of a whole run has room for."""
    return client_first(shown_in(Shown.GLANCE))


def blocks(case: outline.Case) -> Iterator[Block]:
    """What was done in a case, one thing after the other."""
    for number in range(max(1, *(len(group.shown.faults) for group in case.groups))):
        rows = [_row(group, number) for group in case.groups if number == 0 or number < len(group.shown.faults)]
        words = {fault_words(row.fault) for row in rows if row.fault}
        yield Block(case, number, " or ".join(sorted(words)) or None, rows)


def headline(view: RunView) -> str:
    """The result of the run in one sentence."""
    if not view.trials:
        return "This run holds no trial, so nothing can be said."
    if not outline.tells_the_article(view):
        verdicts = Counter(trial.summary.verdict for trial in view.trials)
        found = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        return f"None of the article’s cases was run. Trials: {found}."
    if not view.claims:
        return "No claim of the article was judged in this run."
    counts = outline.tally(view)
    total = sum(counts.values())
    parts = [f"{counts['reproduced']} of {total} results reproduce the article"]
    if counts["explained"]:
        parts.append(f"{_differ(counts['explained'])} for a known, measured cause")
    if counts["failed"]:
        parts.append(f"{_differ(counts['failed'])} without one")
    if counts["undecided"]:
        parts.append(f"{counts['undecided']} could not be decided")
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1] + "."


def subject_label(view: RunView, subject: outline.Subject) -> str:
    """The daemon with its version where that is known, such as `vipd 0.1.0`."""
    versions = [
        trial.info.subject_version
        for trial in view.trials
        if (trial.info.subject, trial.info.profile) == (subject.name, subject.profile)
    ]
    if not versions or not versions[0]:
        return subject.name
    named = subject.name.lower() in versions[0].lower()
    return versions[0] if named else f"{subject.name} {versions[0]}"


def lost(trials: Sequence[TrialView]) -> str | None:
    """Lost and sent echo requests of the 1 Hz ping, such as `4 of 22`, over all trials that have a transcript."""
    pings = [trial.summary.ping for trial in trials if trial.summary.ping is not None]
    if not pings:
        return None
    missing = sum(len(ping.lost_seqs) for ping in pings)
    return f"{missing} of {sum(ping.sent for ping in pings)}"


def claims_of(view: RunView, group: outline.Group) -> list[ClaimResult]:
    """The claims that were judged on this group's trials."""
    scenario, subject = group.shown.info.scenario, group.subject
    return [
        claim
        for claim in view.claims
        if (claim.scenario, claim.subject, claim.profile) == (scenario, subject.name, subject.profile)
    ]


def verdict_counts(trials: Sequence[TrialView]) -> dict[str, int]:
    """How many of the trials ended how, in the order pass, fail, undecided; only what occurred."""
    verdicts = [trial.summary.verdict for trial in trials]
    return {name: verdicts.count(name) for name in ("pass", "fail", "undecided") if name in verdicts}


def _row(group: outline.Group, number: int) -> Row:
    faults = [(trial, trial.faults[number]) for trial in group.trials if number < len(trial.faults)]
    shown = group.shown.faults[number] if number < len(group.shown.faults) else None
    return Row(
        group=group,
        fault=shown,
        metrics=[fault.summary for _, fault in faults],
        stays=_stays(faults),
        deadline=any(not fault_kind(fault.summary.fault.kind).returns for _, fault in faults),
        pings=lost(group.trials) if number == 0 else _lost_after([trial for trial, _ in faults], number),
    )


def _stays(faults: Sequence[tuple[TrialView, FaultView]]) -> str | None:
    """The host that stayed master in every trial; None where another took over or nobody knows."""
    masters = {
        fault.old_master
        for trial, fault in faults
        if fault.new_master in (None, fault.old_master)
        and fault.summary.detection_s is None
        and trial.summary.verdict != "undecided"
    }
    return masters.pop() if len(masters) == 1 else None


def _lost_after(trials: Sequence[TrialView], number: int) -> str | None:
    """Lost and sent requests of the 1 Hz ping after a later fault, by the capture; None where none was sent."""
    trips = [trip for trial in trials for trip in trial.ping_trips if trip.sent_s >= trial.faults[number].at_s]
    return f"{sum(trip.rtt_ms is None for trip in trips)} of {len(trips)}" if trips else None


def _differ(number: int) -> str:
    return f"{number} differs" if number == 1 else f"{number} differ"


def sample(metrics: Sequence[FaultMetrics], name: str) -> tuple[str | None, str]:
    """One metric over several trials, as `units.sample` words it."""
    return units.sample([getattr(of_fault, name) for of_fault in metrics])
