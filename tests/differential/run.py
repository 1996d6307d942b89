"""Judge generated files by keepalived and by vipd: `python -m differential.run COUNT [SEED [KEPT]]`.

keepalived takes most of the time. Its judgements go into the file KEPT, and where that is there already, they are taken
from it: after a change of vipd only vipd judges again. The exit status is 1 where a difference is not in the table; a
run at full length without one writes figures.json, which docs/conformance.md is made from.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from differential import judges
from differential.generator import file
from differential.judges import Judgement
from differential.page import FIGURES
from differential.table import causes, meaning

PLACE = Path("/run/judged.conf")
FULL = 20_000


def theirs(first: int, count: int, seed: str) -> None:
    """In the namespace: print each file with keepalived's judgement, a line of JSON each."""
    for number in range(first, first + count):
        text = file(Random(f"{seed} {number}"))
        PLACE.write_text(text, encoding="utf-8")
        print(json.dumps([number, text, judges.keepalived(PLACE)]), flush=True)


def ours(lines: Iterable[str]) -> dict[str, Any]:
    """In the namespace: judge the same files by vipd, and count what comes of it."""
    statuses: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    unexplained = []
    for line in lines:
        number, text, (status, said) = json.loads(line)
        PLACE.write_text(text, encoding="utf-8")
        first, second = Judgement(status, tuple(said)), judges.vipd(PLACE)
        statuses[f"{first.status} {second.status}"] += 1
        if meaning(first.status) == meaning(second.status):
            continue
        found = causes(first, second, text)
        if found is None:
            unexplained.append({"number": number, "text": text, "theirs": first, "ours": second})
        else:
            rows.update(found)
    return {"statuses": dict(statuses), "rows": dict(rows), "unexplained": unexplained}


def main(count: int, seed: str = "0", kept: str = "") -> dict[str, Any]:
    """Both, each in a namespace of its own.

    Raises:
        RuntimeError: one of them failed.
    """
    path = Path(kept) if kept else None
    module = (sys.executable, "-m", "differential.run")
    if path is not None and path.exists():
        judged = path.read_text(encoding="utf-8")
    else:
        judged = _output(*module, "--theirs", "0", str(count), seed)
        if path is not None:
            path.write_text(judged, encoding="utf-8")
    found: dict[str, Any] = json.loads(_output(*module, "--ours", given=judged))
    return {"files": judged.count("\n"), "seed": seed, **found}


def _output(*command: str, given: str = "") -> str:
    done = judges.in_namespace(*command, given=given)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])}: {done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1] == "--theirs":
        theirs(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1] == "--ours":
        print(json.dumps(ours(sys.stdin)))
    else:
        summary = main(int(sys.argv[1]), *sys.argv[2:4])
        left = summary.pop("unexplained")
        for one in left:
            print(json.dumps(one, indent=1))
        print(json.dumps(summary, indent=1))
        print(f"{len(left)} of {summary['files']} files differ in a way that the table has not", file=sys.stderr)
        if summary["files"] >= FULL and not left:
            FIGURES.write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        sys.exit(bool(left))
