"""What the command line takes to start, beside a bare interpreter and beside the import of typer, which it stands on.

All start in turn, round by round, so that a busy moment of the machine meets each of them. Printed are medians and
quickest of the time on the clock, and the median as a multiple of the bare interpreter's.
`python benchmarks/bench_start.py [ROUNDS]`
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

COMMANDS: dict[str, tuple[str, ...]] = {
    "bare interpreter": ("-c", "pass"),
    "import typer": ("-c", "import typer"),
    "viplab --help": ("-m", "viplab", "--help"),
    "viplab runs": ("-m", "viplab", "runs"),
    "import viplab.report.forms": ("-c", "import viplab.report.forms"),
    "import viplab.experiment.session": ("-c", "import viplab.experiment.session"),
}


def bench(rounds: int = 20) -> dict[str, list[float]]:
    """Seconds that each command took, a value a round."""
    taken_s: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            taken_s[name].append(time.perf_counter() - started)
    return taken_s


def main(rounds: int = 20) -> None:
    """Print the table."""
    taken_s = bench(rounds)
    bare_s = statistics.median(taken_s["bare interpreter"])
    sys.stdout.write(f"{f'n = {rounds}':34}  median s  quickest s  times the bare interpreter's\n")
    for name, values in taken_s.items():
        median_s = statistics.median(values)
        sys.stdout.write(f"{name:34}  {median_s:8.3f}  {min(values):10.3f}  {median_s / bare_s:.1f}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
