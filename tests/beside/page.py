"""The page of the newest run: `python -m beside.page CELLS` sums up what `--keep` wrote, for docs/beside.md."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from beside.compare import Difference
from beside.reasons import REASONS
from beside.run import judged

OUTCOME = Path(__file__).with_name("outcome.json")
"""What the newest run came to."""
_SHOWN = 3  # cells named for a reason


def summed_up(lines: Iterable[str]) -> dict[str, Any]:
    """The outcome of a run from its cells, one a line, each judged by the reasons that there are now.

    Of a cell that was run again the last time counts.
    """
    cells: dict[tuple[str, str], list[Difference]] = {}
    again = set()
    for line in lines:
        key, found = judged(line)
        if any(not one.reason for one in cells.get(key, ())):
            again.add(key)
        cells[key] = found
    seen_with: dict[str, list[str]] = defaultdict(list)
    open_lines = []
    equal = load = 0
    for key, found in cells.items():
        equal += not found
        load += key in again and all(one.reason for one in found)
        for name in sorted({one.reason for one in found} - {""}):
            seen_with[name].append(f"{key[0]}: {key[1]}")
        open_lines += [
            [one.file, one.accident, one.step, one.aspect, one.who, one.line] for one in found if not one.reason
        ]
    with_open = {(one[0], one[1]) for one in open_lines}
    return {
        "files": len({file for file, _ in cells}),
        "accidents": len({accident for _, accident in cells}),
        "cells": len(cells),
        "equal": equal,
        "explained": len(cells) - equal - len(with_open),
        "unexplained": len(with_open),
        "load": load,
        "reasons": {name: {"cells": len(found), "for example": found[:_SHOWN]} for name, found in seen_with.items()},
        "open": open_lines,
    }


def markdown() -> str:
    """The part of docs/beside.md that comes from the run."""
    return "\n".join(_lines(json.loads(OUTCOME.read_text(encoding="utf-8"))))


def _lines(outcome: dict[str, Any]) -> Iterator[str]:
    yield f"{outcome['cells']} cells of {outcome['files']} files and {outcome['accidents']} accidents:"
    yield f"{outcome['equal']} equal, {outcome['explained']} with differences that all have a reason,"
    yield f"{outcome['unexplained']} with one that has none. {outcome['load']} were equal, or as explained, only when"
    yield "they were run again, each by itself with few others beside it: that is load, or what an accident before it"
    yield "had left."
    yield from ("", "| reason | cells | why | for example |", "|---|---|---|---|")
    for reason in REASONS:
        seen = outcome["reasons"].get(reason.name, {"cells": 0, "for example": []})
        example = seen["for example"][0] if seen["for example"] else ""
        yield f"| {reason.name} | {seen['cells']} | {reason.text} | {example} |"
    yield ""
    if outcome["open"]:
        counted = Counter((file, accident) for file, accident, *_ in outcome["open"])
        yield "Without a reason, with the first line that differs:"
        yield from ("", "| file | accident | lines | step | seen | by | line |", "|---|---|---|---|---|---|---|")
        for (file, accident), count in counted.items():
            first = next(one for one in outcome["open"] if one[0] == file and one[1] == accident)
            yield f"| {file} | {accident} | {count} | {first[2]} | {first[3]} | {first[4]} | `{first[5]}` |"


if __name__ == "__main__":
    summed = summed_up(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines())
    OUTCOME.write_text(json.dumps(summed, indent=1) + "\n", encoding="utf-8")
