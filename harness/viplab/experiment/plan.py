"""What a run consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject


@dataclass(frozen=True)
class Plan:
    """Scenarios (each as its file's text and as what that says), subjects, how often, and where."""

    scenarios: list[tuple[str, Scenario]]
    subjects: list[Subject]
    trials: int = 1
    seed: int | None = None
    lab: Literal["libvirt", "netns"] = "libvirt"
    lanes: int = 1
    """How many namespace labs work side by side."""
