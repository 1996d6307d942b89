"""No folder may make `analyze` or `report` do anything but judge it or say what is wrong: `fuzz_folder.py [N [FIRST]]`.

N folders, each a trial of the sample under other mutations, are given to both, each in a process of its own. A folder
for which a rule is broken is kept, and its seed is named.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.folder_mutations import SECRET, beside, mutate
from viplab import cli

SAMPLE = Path(__file__).parents[2] / "results" / "sample"
COMMANDS = ("analyze", "report")
STATUSES = (0, 1, 2, 64)
LIMIT_S = 40
"""Of processor time."""
MEMORY = 2 << 30
"""Octets of address space."""
DEFAULT = 300


def main(number: int, first: int) -> int:
    """Try so many folders, and return how many broke a rule."""
    root = Path(tempfile.mkdtemp(prefix="viplab-fuzz-"))
    broken = 0
    for seed in range(first, first + number):
        place = root / str(seed)
        run = one_trial(place)
        said = mutate(run, seed)
        before = outside(place)
        faults = [f"{command}: {fault}" for command in COMMANDS for fault in tried(command, run)]
        if outside(place) != before:
            faults.append("something outside of the folder was changed")
        if faults:
            broken += 1
            print(f"seed {seed} ({'; '.join(said)}):", *faults, f"kept: {place}", sep="\n  ")
        else:
            shutil.rmtree(place)
    if not broken:
        shutil.rmtree(root)
    print(f"{number} folders, {broken} broke a rule")
    return broken


def one_trial(place: Path) -> Path:
    """A run of one trial of the sample, with something beside it that is none of its business."""
    run = place / "run"
    trial = next((SAMPLE / "trials").glob("*-case-a-vipd"))
    shutil.copytree(trial, run / "trials" / trial.name)
    for name in ("run.json", "reference.yaml"):
        shutil.copyfile(SAMPLE / name, run / name)
    beside(run)
    return run


def outside(place: Path) -> dict[str, bytes]:
    """All that lies beside the run."""
    found = (Path(parent) / name for parent, _, names in os.walk(place) for name in names)
    mine = (path for path in found if not path.is_relative_to(place / "run") and path.name not in ("out", "err"))
    return {str(path): path.read_bytes() for path in mine}


def tried(command: str, run: Path) -> list[str]:
    """Call a command with the run; returns which rules it broke."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _call(command, run)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    took_s = time.monotonic() - began
    out, err = ((run.parent / name).read_text("utf-8", "replace") for name in ("out", "err"))
    faults = []
    if status not in STATUSES:
        faults.append(f"exit status {status}" + (f" after {took_s:.0f} s" if status < 0 else ""))
    if "Traceback" in err or "Warning" in err:
        faults.append(f"standard error:\n{err[-2000:]}")
    if status == 64 and not err.startswith("viplab: "):
        faults.append("64 without a word")
    shown = [out, err, *(path.read_text("utf-8", "replace") for path in _written(run))]
    if any(SECRET in text for text in shown):
        faults.append("a file outside of the folder is shown")
    return faults


def _written(run: Path) -> list[Path]:
    found = (*run.glob("*.*"), *(run / "report").glob("*.html"))
    return [
        path
        for path in found
        if path.is_file() and path.resolve().is_relative_to(run) and path.stat().st_size < 1 << 28
    ]


def _call(command: str, run: Path) -> NoReturn:
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(run.parent / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
    # Another limit for what waits and does nothing: on a busy machine all takes longer.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(10 * LIMIT_S)
    sys.argv = ["viplab", command, str(run)]
    status = 70
    try:
        cli.main()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    sys.exit(1 if main(*(arguments + [DEFAULT, 0][len(arguments) :])) else 0)
