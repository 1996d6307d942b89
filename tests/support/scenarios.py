"""Scenarios of a few steps, and one way to run them: each in a lab of namespaces of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from viplab.analysis.summary import TrialSummary
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.lab import Lab
from viplab.lab.netns.kind import NETNS
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.subjects.assignment import Assignment
from viplab.subjects.subject import Subject
from viplab.subjects.vipd import Vipd

_TEXT = """\
scenario: test
title: t
story: s
{more}
hosts:
  A: {{state: MASTER, priority: 102}}
  B: {{state: BACKUP, priority: 101}}
setup:
  - start: A
  - start: B
  - wait: {{master: A}}
steps:
{steps}
expect: {{owner: {owner}}}
"""


def scenario(*steps: str, owner: str = "A", more: str = "") -> str:
    """A scenario in which A is master of two before these steps, and `owner` has the address after them."""
    return _TEXT.format(steps="\n".join(f"  - {step}" for step in steps), owner=owner, more=more)


_LATE = (
    "overloaded",
    " ms off",
    "is dated to an interval",
    # What was seen is there, and later than its witness allows.
    "no frame of it explains that",
    "from where its request is in the capture",
    "does not say master at that moment",
    "go back by",
)


def by_load(reason: str) -> bool:
    """Whether this is a reason to be undecided that a busy machine alone gives."""
    return any(words in reason for words in _LATE)


def needs(subject: type[Subject]) -> pytest.MarkDecorator:
    """Skip a test where a daemon's files are not on this machine."""
    there = all(Path(path).exists() for path in subject.present)
    return pytest.mark.skipif(not there, reason=f"needs {subject.name}")


def passed(summary: TrialSummary) -> bool:
    """Whether a trial passed, or would have but for what else this machine does."""
    return summary.verdict == "pass" or (summary.verdict == "undecided" and by_load(summary.reason))


class InNamespaces:
    """Runs scenarios, and keeps their evidence in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def run(
        self,
        text: str,
        subject: Subject | Assignment | None = None,
        listen: Callable[[Lab, dict[str, Any]], None] = lambda lab, event: None,
    ) -> TrialFolder:
        """One trial of a scenario.

        Args:
            text: the scenario.
            subject: by default vipd, which behaves as the article's daemon.
            listen: called with each event of the timeline.
        """
        scenario = parse_scenario(text, "test")
        tested = subject if isinstance(subject, Assignment) else Assignment(subject or Vipd("keepalived-1.2.2"))
        trial = Trial(scenario, text, tested, 1, 1)
        kept = TrialFolder(self._folder / f"trial-{next(self._numbers)}")
        NETNS.open(lambda lab: run_trial(trial, lab, kept, (lambda event: listen(lab, event),)), scenario.hosts)
        return kept
