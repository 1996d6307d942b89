"""The tables of docs/method.md that are generated: known truth, the physical truth of a run, its calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from viplab.analysis.summary import Calibration, Jitter, TrialSummary
from viplab.ground_truth.check import Answer, Compared

_SHOWN = ("detection_s", "deadline_excess_s", "announce_s", "outage_s", "recovered_s")


def known_truth(compared: Sequence[Compared]) -> str:
    """What is known of each synthetic case beside how far the analyser is off."""
    head = ["case", "family", *(f"`{name}`" for name in _SHOWN), "answers", "wrong", "largest difference"]
    rows = [
        [
            one.case,
            one.family,
            *(_seconds(one.known.get(name)) for name in _SHOWN),
            str(len(one.known)),
            str(len(one.wrong)),
            f"{max((_apart(*pair) for pair in one.wrong.values()), default=0)} ns",
        ]
        for one in compared
    ]
    return _table(head, rows)


def physical_truth(trials: Iterable[TrialSummary]) -> str:
    """Cuts of known length beside what was measured of them."""
    head = ["lab", "subject", "asked for", "true", "by time stamp", "by loss", "interval", "within an interval"]
    rows = [
        [
            _lab(trial),
            trial.subject,
            _s(cut.asked_s, 3),
            f"{cut.true_s:.6f} s, give or take {cut.uncertainty_s * 1e6:.0f} µs",
            _s(cut.measured_s, 6),
            _s(cut.measured_loss_s, 3),
            f"{cut.interval_s * 1e3:g} ms",
            {True: "yes", False: "**no**", None: "not measured"}[cut.within],
        ]
        for trial in trials
        for cut in trial.cuts
    ]
    return _table(head, rows) if rows else "No run with the scenario `truth-cut` was given.\n"


def calibration(trials: Iterable[TrialSummary]) -> str:
    """What was measured where nothing happened."""
    measured = [(f"{_lab(trial)}, {trial.subject}", trial.calibration) for trial in trials if trial.calibration]
    head = ["metric", *(where for where, _ in measured)]
    floors = [floor for _, floor in measured]
    rows = [[label, *(show(floor) for floor in floors)] for label, show in _CALIBRATION]
    return _table(head, rows) if floors else "No run with the scenario `calibration` was given.\n"


def _per_hour(floor: Calibration) -> str:
    return f"{floor.false_outages} ({floor.false_outages / floor.duration_s * 3600:.0f} an hour)"


def _jitter(jitter: Jitter | None) -> str:
    if jitter is None:
        return "not measured"
    median, p95, most = (f"{value * 1e3:.3f}" for value in (jitter.median_s, jitter.p95_s, jitter.max_s))
    return f"{median} / {p95} / {most} ms, n = {jitter.n}"


_CALIBRATION: tuple[tuple[str, Callable[[Calibration], str]], ...] = (
    ("duration", lambda floor: _s(floor.duration_s, 1)),
    ("requests, achieved rate", lambda floor: f"{floor.requests}, {floor.requests_per_s:.2f} a second"),
    ("requests lost", lambda floor: str(floor.lost)),
    ("false outages", _per_hour),
    ("time in false outages", lambda floor: _s(floor.false_outage_s, 3)),
    ("advert interval, off by: median / p95 / max", lambda floor: _jitter(floor.advert_jitter)),
    ("probe, late by: median / p95 / max", lambda floor: _jitter(floor.probe_jitter)),
    ("round trip: median / p95 / max", lambda floor: _jitter(floor.round_trip)),
    ("packets dropped by the captures", lambda floor: "not said" if floor.dropped is None else str(floor.dropped)),
)


def _lab(trial: TrialSummary) -> str:
    return f"{trial.lab} ({trial.accel})" if trial.accel else trial.lab


def _seconds(value: Answer) -> str:
    return "-" if value is None else f"{value / 1e9:.9f}"


def _s(value: float | None, digits: int) -> str:
    return "not measured" if value is None else f"{value:.{digits}f} s"


def _apart(known: Answer, found: Answer) -> int:
    return abs((known or 0) - (found or 0))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
