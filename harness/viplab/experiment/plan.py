"""What a run consists of."""

from __future__ import annotations

from dataclasses import dataclass

from viplab.lab.lab import LabKind
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.subjects.subject import Subject
from viplab.types import HostName

MOST_TRIALS = 100_000
"""Repetitions of a scenario: more than anybody can wait for."""

MOST_TIMEOUT_FACTOR = 100
"""A machine that is slower than that is no machine to measure on."""


@dataclass(frozen=True)
class Plan:
    """Scenarios (each as its file's text and as what that says), subjects, how often, and where."""

    scenarios: list[tuple[str, Scenario]]
    subjects: list[Assignment]
    lab: LabKind
    trials: int = 1
    seed: int | None = None
    workers: int = 1
    """How many labs work side by side."""
    cold_start: bool = False
    """Whether every trial starts its daemons, and none begins from the memory of a pair that is steady."""
    timeout_factor: float | None = None
    """What every limit is multiplied by; None where a boot that was measured decides."""

    @property
    def hosts(self) -> list[HostName]:
        """Every host that one of the scenarios has."""
        return sorted({host for _, scenario in self.scenarios for host in scenario.hosts})

    @property
    def daemons(self) -> list[Subject]:
        """Every subject that a host may run."""
        return [subject for assignment in self.subjects for subject in assignment.subjects]

    def turns(self) -> list[tuple[Scenario, str, Assignment, int]]:
        """The trials in their order: scenario, its file's text, who runs what, and which repetition it is.

        Scenarios and subjects take turns. Who is first changes with each repetition: a machine that slows down, or a
        worker that is slower than another, is then nobody's disadvantage.
        """
        return [
            (scenario, source, subject, repetition)
            for repetition in range(1, self.trials + 1)
            for source, scenario in self.scenarios
            if repetition == 1 or not scenario.once
            for subject in self.subjects[:: 1 if repetition % 2 else -1]
        ]
