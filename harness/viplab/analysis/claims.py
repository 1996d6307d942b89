"""The reference file: the article's claims and puzzles as data, and each claim's verdict for each subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from viplab.analysis.checks import Check, Logged, Template, complaint, holds, noise, unknown_name
from viplab.analysis.comparison import Compare, Lookup, Value
from viplab.analysis.presentation import Presentation
from viplab.analysis.summary import ClaimResult, ClaimVerdict, TrialVerdict
from viplab.analysis.views import TrialView
from viplab.errors import ExitStatus, InputError
from viplab.regular_files import read_regular
from viplab.types import Frozen
from viplab.untrusted_data import yaml_value

_LARGEST = 1 << 20


class Explanation(Frozen):
    """A known cause of a difference; it is given only where its own checks hold on the measured values."""

    family: str | None = None
    when: list[Check] = Field(min_length=1)
    why: str


class Claim(Frozen):
    """One claim of the article, the scenario that judges it, and what must be measured for it to be reproduced."""

    id: str = Field(pattern=r"^[A-Z]\d{1,2}$")
    scenario: str
    text: str
    article: str
    # Where one of these does not hold there is nothing to judge, and `elsewhere` says why.
    applies: list[Check] = Field(default=[])
    elsewhere: str = ""
    check: list[Check] = Field(min_length=1)
    measured: str
    why: str
    explanations: list[Explanation] = Field(default=[])


class Answer(Frozen):
    """An answer to a puzzle, given where all of its checks hold."""

    family: str | None = None
    when: list[Check] = Field(min_length=1)
    answer: str


class EvidenceText(Frozen):
    """A measured value that answers rest on: its label, and the template that gives it."""

    label: str
    value: str
    scenario: str


class PuzzleText(Frozen):
    """A question that the article leaves open."""

    number: int
    title: str
    question: str
    scenarios: list[str] = Field(min_length=1)
    evidence: list[EvidenceText]
    answers: list[Answer]


class Reference(Frozen):
    """`reference.yaml`."""

    source: str
    families: list[str] = Field(
        default=[], description="The daemons that it speaks of, by family; empty, as in earlier versions: all."
    )
    claims: list[Claim]
    puzzles: list[PuzzleText]
    report: Presentation | None = Field(
        default=None, description="Left out, as by earlier versions, it is that of the file that viplab brings along."
    )

    def speaks_of(self, family: str) -> bool:
        """Whether the claims and puzzles are about daemons of this family."""
        return not self.families or family in self.families

    @model_validator(mode="after")
    def _told_whole(self) -> Reference:
        if self.report is None:
            return self
        numbers = {puzzle.number for puzzle in self.puzzles}
        for referring in (*self.report.courses, *self.report.plots):
            if referring.puzzle not in (None, *numbers):
                raise ValueError(f"report: there is no puzzle {referring.puzzle}")
        for claim in self.claims:
            if claim.id[0] not in self.report.claim_groups:
                raise ValueError(f"report: claim_groups: no title for {claim.id[0]}, of claim {claim.id}")
        return self


@dataclass(frozen=True)
class Judged:
    """One trial with its named values."""

    view: TrialView
    values: dict[str, Value]

    @property
    def decided(self) -> bool:
        """Whether its numbers may be used."""
        return self.view.summary.verdict != "undecided"


@dataclass(frozen=True)
class Subject:
    """All trials of one subject under one profile."""

    name: str
    profile: str
    family: str
    trials: list[Judged]

    def of(self, scenario: str) -> list[Judged]:
        """Its trials of one scenario."""
        return [trial for trial in self.trials if trial.view.info.scenario == scenario]

    def first(self, scenario: str) -> Judged | None:
        """Its first trial of a scenario whose numbers may be used."""
        return next((trial for trial in self.of(scenario) if trial.decided), None)

    def lookup(self, trial: Judged | None) -> Lookup:
        """Find a value by name: of this trial, or of another scenario of the same subject as `scenario/name`."""

        def find(name: str) -> Value:
            scenario, slash, rest = name.rpartition("/")
            source = self.first(scenario) if slash else trial
            if source is None:
                return None
            if rest not in source.values:
                raise unknown_name(name)
            return source.values[rest]

        return find


def subjects(trials: Sequence[Judged]) -> list[Subject]:
    """The trials by subject and profile, in the order in which these first appear."""
    keys = dict.fromkeys((t.view.info.subject, t.view.info.profile, t.view.info.family) for t in trials)
    return [
        Subject(
            name, profile, family, [t for t in trials if (t.view.info.subject, t.view.info.profile) == (name, profile)]
        )
        for name, profile, family in keys
    ]


def read_reference(path: Path) -> Reference:
    """Read the reference file of a run.

    Raises:
        InputError: it is missing or does not follow the model.
    """
    content = read_regular(path.parent, path, _LARGEST)
    if content is None:
        raise InputError(f"{path}: missing; copy results/reference/article.yaml there")
    try:
        return Reference.model_validate(yaml_value(content.decode()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise InputError(f"{path}: {where}: {first['msg']}") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as YAML ({str(error).splitlines()[0]})") from None


def read_presentation(path: Path) -> Presentation:
    """Read how a report tells a run from a reference file that must say it.

    Raises:
        InputError: it does not, or is no reference file.
    """
    found = read_reference(path).report
    if found is None:
        raise InputError(f"{path}: report: missing")
    return found


def judge_claims(reference: Reference, trials: Sequence[Judged]) -> list[ClaimResult]:
    """Each claim for each subject that it speaks of and that ran its scenario; for others it has no result."""
    return [
        _over_trials(claim, subject)
        for subject in subjects(trials)
        for claim in reference.claims
        if reference.speaks_of(subject.family) and subject.of(claim.scenario)
    ]


_WORST: dict[tuple[ClaimVerdict, bool], int] = {
    ("differs", False): 0,
    ("differs", True): 1,
    ("reproduced", False): 2,
    ("undecided", False): 3,
    ("inapplicable", False): 4,
}


def _over_trials(claim: Claim, subject: Subject) -> ClaimResult:
    """The claim's worst result among the trials that decide it; it is undecided only where none does."""
    results = [_one_trial(claim, subject, trial) for trial in subject.of(claim.scenario)]
    worst = min(results, key=lambda result: _WORST[result.verdict, result.explained])
    decided = [result for result in results if result.verdict not in ("undecided", "inapplicable")]
    why = worst.why
    if len(results) > 1:
        same = sum((result.verdict, result.explained) == (worst.verdict, worst.explained) for result in results)
        why = f"{why} ({same} of {len(results)} trials)"
    return worst.model_copy(update={"trials": len(decided), "why": why})


def _one_trial(claim: Claim, subject: Subject, trial: Judged) -> ClaimResult:
    lookup = subject.lookup(trial)
    fill = Template(lookup).format
    verdict, explanation, why = _judge(claim, subject, trial, lookup)
    measured = fill(claim.measured)
    checks = [*claim.check, *(explanation.when if explanation else ())]
    quotes = [_quote(check, trial) for check in checks if isinstance(check, Logged)]
    # The longest one: a check that failed has found its first lines only.
    logged = [max(quotes, key=len)] if quotes else []
    return ClaimResult(
        id=claim.id,
        scenario=claim.scenario,
        subject=subject.name,
        profile=subject.profile,
        text=claim.text,
        article=claim.article,
        measured="; ".join(part for part in (measured, *logged) if part),
        verdict=verdict,
        explained=explanation is not None,
        why=fill(why),
        trials=1,
        trial=trial.view.name,
    )


def _judge(
    claim: Claim, subject: Subject, trial: Judged, lookup: Lookup
) -> tuple[ClaimVerdict, Explanation | None, str]:
    if any(holds(check, lookup, trial.view) is False for check in claim.applies):
        return "inapplicable", None, claim.elsewhere
    if not trial.decided:
        return "undecided", None, _plain(trial.view.summary.reason)
    checks = [check for check in claim.check if not _elsewhere(check, subject)]
    results = [(check, holds(check, lookup, trial.view)) for check in checks]
    failed = [complaint(check, lookup) for check, result in results if result is False]
    unknown = [_undecided(check, lookup) for check, result in results if result is None]
    if failed or any(noise(check, lookup) for check in checks):
        known = [each for each in claim.explanations if each.family in (None, subject.family)]
        borne_out = [[holds(check, lookup, trial.view) for check in each.when] for each in known]
        for explanation, held in zip(known, borne_out, strict=True):
            if all(held):
                return "differs", explanation, explanation.why
        # A known cause that could not be looked for may be the cause: that is no failure yet.
        for explanation, held in zip(known, borne_out, strict=True) if failed else ():
            if False not in held:
                cause = _undecided(explanation.when[held.index(None)], lookup)
                return "undecided", None, _plain(f"{'; '.join(failed)}; whether a known cause explains it: {cause}")
    if failed:
        return "differs", None, _plain("; ".join(failed))
    if unknown:
        return "undecided", None, _plain("; ".join(unknown))
    return "reproduced", None, claim.why


def _undecided(check: Check, lookup: Lookup) -> str:
    return noise(check, lookup) or f"not measured: {check}"


def _elsewhere(check: Check, subject: Subject) -> bool:
    """A comparison with a scenario that is not part of this run cannot be asked for."""
    if not isinstance(check, Compare):
        return False
    _, against = check.comparison
    names = [check.metric, against[1:] if isinstance(against, str) and against.startswith("@") else ""]
    return any("/" in name and not subject.of(name.rpartition("/")[0]) for name in names)


def _plain(text: str) -> str:
    """Text that goes through a template unchanged."""
    return text.replace("{", "{{").replace("}", "}}")


def _quote(check: Logged, trial: Judged) -> str:
    found = check.find(trial.view) or []
    return f"{check.log}: " + ", ".join(f"{line.stamp} `{line.message}`" for line in found) if found else ""


def exit_status(claims: Sequence[ClaimResult], verdicts: Sequence[TrialVerdict]) -> ExitStatus:
    """The run's exit status: 1 where anything failed, else 2 where anything is undecided, else 0.

    A claim that differs is no failure where a known cause is borne out by the numbers, and one that does not apply is
    neither. Trials count beside claims, for not every scenario has claims; a run without a trial has decided nothing.
    """
    if "fail" in verdicts or any(claim.verdict == "differs" and not claim.explained for claim in claims):
        return ExitStatus.FAILED
    if not verdicts or "undecided" in verdicts or any(claim.verdict == "undecided" for claim in claims):
        return ExitStatus.UNDECIDED
    return ExitStatus.OK
