"""The differences that stay, with their reasons: differences.tsv, and what it says of two judgements."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from differential.judges import Judgement

TABLE = Path(__file__).with_name("differences.tsv")
TAKEN, REFUSED, INSECURE = "taken", "refused", "insecure"
_MEANINGS = {0: TAKEN, 2: REFUSED, 4: REFUSED, 5: REFUSED, 6: INSECURE}
_PLACES = re.compile(
    r"^(?:\(/run/judged\.conf: Line \d+\) |\(Line \d+\) |/run/judged\.conf(?::\d+)?: |vipd: /run/judged\.conf: )+"
)


class Row(NamedTuple):
    """A difference that stays.

    Attributes:
        name: what it is called.
        who: what says it: lines of "theirs" (keepalived) or "ours" (vipd), the "file", or statuses: of "both", or of a
            "crash".
        pattern: what is found there; of lines without their place.
        reason: why it stays.
    """

    name: str
    who: str
    pattern: re.Pattern[str]
    reason: str


def rows() -> tuple[Row, ...]:
    """Read the table."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(
        Row(name, who, re.compile(pattern), why) for name, who, pattern, why in (line.split("\t") for line in lines)
    )


ROWS = rows()


def meaning(status: int) -> str:
    """What an exit status of `-t` means; one that it does not have is a way to fail."""
    return _MEANINGS.get(status, f"failed: {status}")


def causes(theirs: Judgement, ours: Judgement, text: str) -> set[str] | None:
    """The rows that explain why one takes what the other does not, or says another thing; None where they do not.

    Every line of the one that is less content has to be in the table, since each might be the cause alone.
    """
    if meaning(theirs.status).startswith("failed"):
        return _of("crash", [str(theirs.status)])
    if meaning(ours.status).startswith("failed"):
        return None
    in_file = {row.name for row in ROWS if row.who == "file" and row.pattern.search(text)}
    if in_file:
        return in_file
    if theirs.status and not ours.status:
        return _of("theirs", theirs.lines)
    if ours.status and not theirs.status:
        return _of("ours", ours.lines)
    return _of("both", [f"{meaning(theirs.status)} {meaning(ours.status)}"])


def _of(who: str, lines: Iterable[str]) -> set[str] | None:
    found: set[str] = set()
    for line in lines:
        said = _PLACES.sub("", line)
        row = next((row for row in ROWS if row.who == who and row.pattern.search(said)), None)
        if row is None:
            return None
        found.add(row.name)
    found.discard("said beside")
    return found or None
