"""The analyser held against known answers: every case made, read back, and compared to the nanosecond."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from viplab.analysis.predicates import named_values
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.views import FaultView, TrialView
from viplab.ground_truth.cases import AWKWARD, PLAIN
from viplab.ground_truth.maker import FAMILIES, Trial
from viplab.run_folder import TrialFolder

Answer = int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One case of one family: what is known of it and what the analyser said, in nanoseconds or counts."""

    case: str
    family: str
    known: dict[str, Answer]
    found: dict[str, Answer]

    @property
    def wrong(self) -> dict[str, tuple[Answer, Answer]]:
        """The answers that differ, as (known, found)."""
        return {
            name: (value, self.found.get(name))
            for name, value in self.known.items()
            if name not in self.found or self.found[name] != value
        }


def compare_all() -> list[Compared]:
    """Make and analyse every case for both families."""
    return list(_compared())


def _compared() -> Iterator[Compared]:
    cases: dict[str, Callable[[str], Trial]] = {**PLAIN, **AWKWARD}
    for name, make in cases.items():
        for family in FAMILIES:
            trial = make(family)
            if trial.truth and (trial.protocol == "vrrp2" or family == FAMILIES[-1]):
                with TemporaryDirectory() as folder:
                    yield Compared(name, family, trial.truth, answers(trial.write(Path(folder), 1)))


def answers(folder: Path) -> dict[str, Answer]:
    """What the analyser says of a trial's folder, by the names that the cases use."""
    record = read_trial(TrialFolder(folder))
    view = view_trial(record)
    said: dict[str, Answer] = {}
    for prefix, fault in zip(("", "second_"), view.faults, strict=False):
        said |= {prefix + name: value for name, value in _of_fault(fault).items()}
    return said | _of_instrument(view) | {"second_burst_s": _ns(named_values(record, view)["second_burst_s"])}


def _of_fault(view: FaultView) -> dict[str, Answer]:
    summary = view.summary
    plain = summary.model_dump(exclude={"fault", "loss_runs", "answers", "http", "outage_window_s", "event"})
    return {name: _ns(value) if name.endswith("_s") else value for name, value in plain.items()} | {
        "loss_runs": len(summary.loss_runs)
    }


def _of_instrument(view: TrialView) -> dict[str, Answer]:
    said: dict[str, Answer] = {}
    for number, cut in enumerate(view.summary.cuts, 1):
        for name in ("true_s", "measured_s", "measured_loss_s"):
            said[f"cut_{number}_{name}"] = _ns(getattr(cut, name))
    floor = view.summary.calibration
    if floor is not None:
        said |= {"calibration_lost": floor.lost, "calibration_false_outages": floor.false_outages}
        said["calibration_false_outage_s"] = _ns(floor.false_outage_s)
        for name, jitter in (("advert", floor.advert_jitter), ("probe", floor.probe_jitter)):
            said[f"calibration_{name}_median_s"] = _ns(jitter.median_s) if jitter else None
            said[f"calibration_{name}_max_s"] = _ns(jitter.max_s) if jitter else None
    return said


def _ns(value: object) -> Answer:
    """Nanoseconds of seconds: the metrics are such quotients, which a double gives back exactly below 104 days."""
    return round(value * 1_000_000_000) if isinstance(value, int | float) else None
