"""Rule: what belongs to the article alone is data; no module and no template names its scenarios or its chapters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import viplab
from viplab.analysis.claims import read_reference
from viplab.scenario.load import suites
from viplab.store import reference_claims

SOURCES = sorted(path for path in Path(viplab.__file__).parent.rglob("*") if path.suffix in (".py", ".j2"))
REFERENCE = read_reference(reference_claims())
REPORT = REFERENCE.report
assert REPORT is not None
SCENARIOS = [*suites()["article"], *REPORT.told]
TITLES = [
    *(part.title for part in (*REPORT.chapters, REPORT.beyond)),
    *REPORT.claim_groups.values(),
    *(puzzle.title for puzzle in REFERENCE.puzzles),
]


CASES = [f"{word} {letter}" for word in ("Case", "case") for letter in "ABCD"]


@pytest.mark.parametrize("words", [*dict.fromkeys(SCENARIOS), *TITLES, *CASES])
def test_no_module_names(words: str) -> None:
    pattern = re.compile(rf"\b{re.escape(words)}\b")
    naming = [str(path) for path in SOURCES if pattern.search(path.read_text(encoding="utf-8"))]
    assert naming == []
