"""Every clause has a test or a reason, and every conformance test a clause."""

from __future__ import annotations

import re

from conformance import page

NAMED = re.compile(r"test_((?:v[23]_[a-z]+|df)_\d\d)_")


def test_every_test_named_after_a_clause_names_one_that_exists() -> None:
    named = {found[1].upper().replace("_", "-") for test in page.tests() if (found := NAMED.match(test.name))}
    assert named <= {clause.name for clause in page.clauses()}


def test_every_clause_has_a_test_or_a_reason() -> None:
    excepted = page.exceptions()
    prefixes = [test.name for test in page.tests()]
    for clause in page.clauses():
        tested = any(name.startswith(clause.prefix) for name in prefixes)
        assert tested != (clause.name in excepted), (
            f"{clause.name}: needs a test, or a reason in exceptions.tsv; not both"
        )
    assert set(excepted) <= {clause.name for clause in page.clauses()}
