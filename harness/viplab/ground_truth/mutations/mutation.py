"""What a mutation is: a change of a good trial's folder, as a broken instrument or somebody's hand makes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from viplab.run_folder import TrialFolder

Change = Callable[[TrialFolder], None]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change, by what it does to which part of the evidence."""

    part: str
    name: str
    change: Change


def lines_of(folder: TrialFolder) -> list[dict[str, Any]]:
    """The timeline, line by line, as it stands in the file."""
    return [json.loads(line) for line in folder.timeline.read_text(encoding="utf-8").splitlines()]


def write_lines(folder: TrialFolder, lines: list[dict[str, Any]]) -> None:
    """Replace the timeline."""
    folder.timeline.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
