"""Make `results/sample/` from a kept run: `python docs/sample.py RUN`.

The first trial of each scenario and subject goes in, with everything that analysis reads; nothing that a report is made
of afterwards. The sample is what the README's picture, `nox -s report` and the tests in a browser are made from.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from viplab.analysis.run import analyze, write_summary
from viplab.run_folder import RunFolder
from viplab.store import RunStore

SAMPLE = Path(__file__).parents[1] / "results" / "sample"
MOST_BYTES = 5_000_000
KEPT = ("run.json", "reference.yaml", "recipe.yaml", "recipe.json")


def make(run: RunFolder) -> int:
    """Replace the sample by this run's and return how many bytes it has."""
    shutil.rmtree(SAMPLE, ignore_errors=True)
    (SAMPLE / "trials").mkdir(parents=True)
    for name in KEPT:
        if (run.path / name).is_file():
            shutil.copyfile(run.path / name, SAMPLE / name)
    seen: set[tuple[str, str, str]] = set()
    for trial in run.trials():
        info = trial.info()
        if (kind := (info.scenario, info.subject, info.profile)) not in seen:
            seen.add(kind)
            shutil.copytree(trial.path, SAMPLE / "trials" / trial.name)
            _unname(SAMPLE / "trials" / trial.name / "trial.json")
    sample = RunFolder(SAMPLE)
    write_summary(sample, analyze(sample))
    return sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file())


def _unname(path: Path) -> None:
    """Take the name of the machine that the run was made on out of it: the client's, which no figure depends on."""
    info = json.loads(path.read_text(encoding="utf-8"))
    info["stations"]["client"]["hostname"] = "client"
    path.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    size = make(RunStore().find(sys.argv[1]))
    if size > MOST_BYTES:
        sys.exit(
            f"results/sample: {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}; take a run with fewer scenarios"
        )
    sys.stdout.write(f"results/sample: {size / 1e6:.1f} MB\n")
