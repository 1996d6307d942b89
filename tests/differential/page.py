"""The differences that stay, with how often the last run at full length saw them, as a table of docs/conformance.md."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from differential.table import ROWS, meaning

FIGURES = Path(__file__).with_name("figures.json")
_WHO = {
    "theirs": "refused by keepalived",
    "ours": "refused by vipd",
    "file": "by what the file has in it",
    "both": "refused by both",
    "crash": "keepalived ends by a signal",
}


def figures() -> dict[str, Any]:
    """What the last run at full length counted."""
    found: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def table() -> str:
    """A row a difference."""
    found = figures()
    meanings: Counter[tuple[str, str]] = Counter()
    for both, count in found["statuses"].items():
        theirs, ours = map(int, both.split())
        meanings[meaning(theirs), meaning(ours)] += count
    same = sum(count for (theirs, ours), count in meanings.items() if theirs == ours)
    kinds = ", ".join(f"{meanings[kind, kind]:,} {kind}" for kind in ("taken", "refused", "insecure"))
    lines = [
        f"{found['files']:,} files, seeds {found['seed']}: keepalived 2.2.7 and vipd say the same of {same:,} "
        f"({kinds}); the other {found['files'] - same:,} differ by these {len(found['rows'])} kinds, and by no other.",
        "",
        "| difference | who | files | why it stays |",
        "|---|---|---|---|",
    ]
    rows = [row for row in ROWS if row.name in found["rows"]]
    lines += [f"| {row.name} | {_WHO[row.who]} | {found['rows'][row.name]} | {row.reason} |" for row in rows]
    return "\n".join(lines)
