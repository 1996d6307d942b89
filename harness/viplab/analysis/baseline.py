"""The measured values of a run, apart from it: what a comparison needs, and what is kept as a baseline.

A baseline lies in `results/baselines/NAME.json`, with all its raw values and where they come from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from viplab.analysis.metric_statistics import values
from viplab.analysis.summary import SCHEMA, Summary, TrialSummary
from viplab.errors import IncomparableError, InputError
from viplab.regular_files import read_regular
from viplab.types import Frozen, Provenance
from viplab.untrusted_data import json_value

_LARGEST = 256 << 20


class Series(Frozen):
    """All values of one metric of one scenario and subject, in seconds, in the order in which they were measured."""

    scenario: str
    subject: str
    profile: str
    metric: str = Field(validation_alias="quantity", serialization_alias="quantity")
    values: list[float]


class Points(Frozen):
    """The values of one run; `noise_floor_s` is the 95th percentile of the advert jitter of its calibration."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: Literal["points"] = "points"
    run: str
    started: str
    lab: str
    accel: str | None
    provenance: Provenance
    versions: dict[str, list[str]] = Field(description="By subject, what was tested.")
    families: dict[str, str] = Field(
        default={}, description="By subject/profile, the timing model it was held against."
    )
    scenarios: dict[str, str] = Field(default={}, description="By name, the digest of what the scenario asks for.")
    starts: dict[str, str] = Field(
        default={}, description="By scenario and subject, whether the daemons were started in each trial."
    )
    undecided: int = Field(description="Trials whose values are not among these.")
    noise_floor_s: float | None
    series: list[Series]

    def of(self, subject: str) -> Points:
        """The values of one subject alone, named as `vipd` or, where it ran under several profiles, `vipd/PROFILE`.

        Raises:
            InputError: there is none, or the name fits several profiles.
            IncomparableError: nothing was decided about it.
        """
        name, _, profile = subject.partition("/")
        kept = [s for s in self.series if s.subject == name and profile in ("", s.profile)]
        profiles = sorted({s.profile for s in kept})
        if not profiles and name in self.versions:
            raise IncomparableError(f"{self.run}: no trial of {name} was decided, so that there is nothing to compare")
        if len(profiles) != 1:
            there = ", ".join(sorted({f"{s.subject}/{s.profile}" for s in self.series})) or "no decided trial"
            raise InputError(f"{self.run}: {subject!r} names {len(profiles)} subjects; there is {there}")
        return self.model_copy(update={"series": kept})


def points(summary: Summary) -> Points:
    """Take the values out of a summary.

    Raises:
        InputError: it has no trials, or trials of several labs or accelerators.
    """
    kinds = {(trial.lab, trial.accel) for trial in summary.trials}
    if len(kinds) != 1:
        found = ", ".join(f"{lab}/{accel}" for lab, accel in sorted(kinds, key=str)) or "none"
        raise InputError(f"{summary.id}: its trials are of {len(kinds)} labs ({found}); compare runs of one lab")
    ((lab, accel),) = kinds
    versions: dict[str, list[str]] = {}
    for trial in summary.trials:
        known = versions.setdefault(trial.subject, [])
        if trial.subject_version not in known:
            known.append(trial.subject_version)
    return Points(
        run=summary.id,
        started=summary.started,
        lab=lab,
        accel=accel,
        provenance=summary.provenance,
        versions=versions,
        families={f"{trial.subject}/{trial.profile}": trial.family for trial in summary.trials},
        scenarios={trial.scenario: trial.scenario_digest for trial in summary.trials if trial.scenario_digest},
        starts=_starts(summary.trials),
        undecided=sum(trial.verdict == "undecided" for trial in summary.trials),
        noise_floor_s=_noise_floor_s(summary.trials),
        series=[
            Series(scenario=scenario, subject=subject, profile=profile, metric=metric, values=sample)
            for (scenario, subject, profile), group in values(summary.trials).items()
            for metric, sample in group.items()
        ],
    )


def read_points(path: Path) -> Points:
    """Read the values of a run folder, of its `summary.json`, or of a baseline.

    Raises:
        InputError: the file is missing, or is none of these.
        IncomparableError: it is of another schema.
    """
    path = path / "summary.json" if path.is_dir() else path
    content = read_regular(path.parent, path, _LARGEST)
    if content is None:
        raise InputError(f"{path}: missing; `viplab analyze RUN` writes a run's summary")
    try:
        data = json_value(content)
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int):
        raise InputError(f"{path}: says no schema; neither a summary nor a baseline")
    if schema != SCHEMA:
        what = f"{path}: its schema is {schema}, this viplab compares schema {SCHEMA}; analyze the run anew"
        raise IncomparableError(what)
    return _points(data, path)


def write_baseline(path: Path, kept: Points) -> bytes:
    """Write a baseline; the same values give the same bytes."""
    content = (json.dumps(kept.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


def _points(data: dict[str, Any], path: Path) -> Points:
    try:
        return Points.model_validate(data) if data.get("kind") == "points" else points(Summary.model_validate(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; neither a summary nor a baseline") from None


def _starts(trials: list[TrialSummary]) -> dict[str, str]:
    found: dict[str, set[bool]] = {}
    for trial in trials:
        found.setdefault(f"{trial.scenario}, {trial.subject}", set()).add(trial.restored)
    words = {False: "cold start", True: "restored from memory"}
    return {group: " and ".join(words[restored] for restored in sorted(kinds)) for group, kinds in found.items()}


def _noise_floor_s(trials: list[TrialSummary]) -> float | None:
    jitters = [
        trial.calibration.advert_jitter for trial in trials if trial.calibration and trial.verdict != "undecided"
    ]
    return max((jitter.p95_s for jitter in jitters if jitter), default=None)
