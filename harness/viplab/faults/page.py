"""The table of fault kinds as docs/run-folder.md prints it."""

from __future__ import annotations

from viplab.faults.kind import FaultKind
from viplab.faults.registry import known


def markdown() -> str:
    """One row a kind."""
    rows = ["| kind | what it does | given | effect | how one sees that it took |", "|---|---|---|---|---|"]
    rows += [f"| {' | '.join(_cells(kind))} |" for kind in known().values()]
    return "\n".join(rows)


def _cells(kind: FaultKind) -> list[str]:
    fields = ", ".join(f"`{name}`" for name in kind.target.model_fields if name != "root")
    effect = kind.effect.value if kind.effect else "not predicted"
    return [f"`{kind.name}`", kind.sentence, fields or "the host", effect, "; ".join(sign.value for sign in kind.signs)]
