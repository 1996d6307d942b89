"""Count wrong and undecided verdicts on a host that is kept busy: `nox -s soak`, as root.

Nothing is wrong with the daemon under test, so every trial that fails is a wrong verdict of the bench. Every processor
is kept busy by loops that end by themselves; without --load the machine is left alone. Prints a Markdown table; the
runs stay in results/soak, so that a wrong verdict can be looked into.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
_LONGEST_S = 3 * 3600
_RUNS = Path(__file__).parents[1] / "results" / "soak"


@contextmanager
def load(wanted: bool) -> Iterator[None]:
    """Keep every processor busy meanwhile; each loop ends by itself after three hours at the latest."""
    command = [sys.executable, "-c", _BUSY.format(seconds=_LONGEST_S)]
    loops = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)] if wanted else []
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def verdicts(arguments: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Run and count: trials by verdict, and the reasons of those that were undecided or failed."""
    environment = {**os.environ, "VIPLAB_RESULTS": str(_RUNS)}
    subprocess.run([sys.executable, "-m", "viplab", "run", *arguments], env=environment, check=False)
    trials = json.loads((_RUNS / "latest" / "summary.json").read_text())["trials"]
    reasons = Counter(f"{t['verdict']}: {t['reason']}" for t in trials if t["verdict"] != "pass")
    return Counter(trial["verdict"] for trial in trials), reasons


def main() -> int:
    """Run both soaks and print their tables; exit status 1 where a verdict was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", action="store_true", help="keep every processor busy")
    parser.add_argument("--article", type=int, default=10, help="how often the article, on guests; 0 for not at all")
    parser.add_argument("--failovers", type=int, default=200, help="in namespaces, four workers; 0 for none")
    given = parser.parse_args()
    soaks = [
        ("the article on guests", ["article", "--trials", str(given.article)], given.article),
        (
            "failovers in namespaces, four workers",
            ["failover", "--lab", "netns", "--workers", "4", "--trials", str(given.failovers)],
            given.failovers,
        ),
    ]
    rows, wrong = [], 0
    with load(given.load):
        for name, arguments, trials in soaks:
            if not trials:
                continue
            counted, reasons = verdicts(arguments)
            wrong += counted["fail"]
            why = "; ".join(f"{number} x {reason}" for reason, number in reasons.most_common(8)) or "-"
            shares = " | ".join(str(counted[verdict]) for verdict in ("pass", "fail", "undecided"))
            rows.append(f"| {name} | {'yes' if given.load else 'no'} | {counted.total()} | {shares} | {why} |")
    head = ["", "| soak | load | trials | pass | fail (wrong) | undecided | why |", "|---|---|---|---|---|---|---|"]
    sys.stdout.write("\n".join([*head, *rows, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
