"""The clauses, their tests and the table of both in docs/conformance.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
TESTS = HERE.parent
WHERE = ("conformance/test_*.py", "netns/vipd/test_*.py")
LEVELS = {"M": "MUST", "S": "SHOULD", "Y": "MAY", "P": "protocol", "DF": "de facto"}


class Clause(NamedTuple):
    """One line of clauses.tsv."""

    name: str
    level: str
    section: str
    rule: str

    @property
    def prefix(self) -> str:
        """What the name of its tests begins with."""
        return f"test_{self.name.lower().replace('-', '_')}_"


class Test(NamedTuple):
    """A test function."""

    file: str
    name: str


def clauses() -> list[Clause]:
    """All of them, in their order."""
    found = []
    for line in (HERE / "clauses.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        parts = line.split("\t")
        found.append(Clause(*parts) if len(parts) == 4 else Clause(parts[0], "DF", *parts[1:]))
    return found


def exceptions() -> dict[str, str]:
    """Why a clause has no test, by its name."""
    lines = (HERE / "exceptions.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(line.split("\t", 1) for line in lines if line)  # type: ignore[arg-type]


def tests() -> list[Test]:
    """Every test function that may be named after a clause."""
    return [
        Test(file.relative_to(TESTS.parent).as_posix(), node.name)
        for pattern in WHERE
        for file in sorted(TESTS.glob(pattern))
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def table() -> Iterator[str]:
    """A row a clause."""
    known, excepted = tests(), exceptions()
    rows = []
    for clause in clauses():
        named = [test for test in known if test.name.startswith(clause.prefix)]
        if named:
            proof = "<br/>".join(f"`{test.name}` ({Path(test.file).name})" for test in named)
            state = "tested"
        else:
            proof, state = excepted.get(clause.name, ""), "excepted" if clause.name in excepted else "open"
        rule = clause.rule.replace("|", "\\|").replace("<", "&lt;")
        rows.append(
            (state, f"| {clause.name} | {LEVELS[clause.level]} | {clause.section} | {rule} | {proof} | {state} |")
        )
    states = [state for state, _ in rows]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("tested", "excepted", "open"))
    yield f"{len(rows)} clauses: {counts}."
    yield ""
    yield "| id | level | section | rule | test, or why there is none | state |"
    yield "|---|---|---|---|---|---|"
    yield from (row for _, row in rows)
