"""Every conformance test names a clause of `clauses.tsv`, so that a page can be made of both."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CLAUSES = {
    line.split("\t")[0] for line in (Path(__file__).parent / "clauses.tsv").read_text().splitlines()[1:] if line.strip()
}


def test_every_test_named_after_a_clause_names_one_that_exists() -> None:
    named = set()
    for file in (*TESTS.glob("conformance/test_*.py"), *TESTS.glob("netns/vipd/test_*.py")):
        for match in re.finditer(r"def test_((?:v[23]_[a-z]+|df)_\d\d)_", file.read_text()):
            named.add(match[1].upper().replace("_", "-"))
    assert named <= CLAUSES
    assert len(named) >= 40
