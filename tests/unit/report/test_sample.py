"""Rules of the committed sample run: small, whole, and rendered to the same bytes anywhere."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from viplab.analysis.run import analyze
from viplab.run_folder import RunFolder

SAMPLE = Path(__file__).parents[3] / "results" / "sample"
CASES = {"part-1", "case-a", "case-b", "case-c", "case-d", "power-cut", "case-d-preempt"}
SUBJECTS = ("vipd", "keepalived")
WRITE = (
    "import sys; from pathlib import Path; from viplab.run_folder import RunFolder; "
    "from viplab.analysis.run import analyze; from viplab.report.forms import write_site; "
    "run = RunFolder(Path(sys.argv[1])); write_site(run, analyze(run))"
)


def written(folder: Path, seed: str) -> dict[str, str]:
    """The report of two cases of the sample, written by a Python of its own, as digests by file."""
    others = (f"*-{case}-{subject}" for case in CASES - {"case-c", "power-cut"} for subject in SUBJECTS)
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("report", "report.html", *others))
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"}
    subprocess.run([sys.executable, "-c", WRITE, str(folder)], check=True, env=environment)
    run = RunFolder(folder)
    assert len(run.trials()) == 4
    pages = [run.report, *sorted(run.site.iterdir())]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pages}


def test_the_sample_is_small() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "report" not in path.relative_to(SAMPLE).parts[0]]
    assert sum(path.stat().st_size for path in files) < 5_000_000


def test_the_sample_has_every_case_with_both_subjects_and_all_of_it_is_decided() -> None:
    view = analyze(RunFolder(SAMPLE))
    assert {(trial.info.scenario, trial.info.subject) for trial in view.trials} == {
        (case, subject) for case in CASES for subject in SUBJECTS
    }
    assert [trial.name for trial in view.trials if trial.summary.verdict != "pass"] == []
    assert view.exit_status == 0


def test_its_report_is_the_same_bytes_from_another_process_zone_and_hash_seed(tmp_path: Path) -> None:
    assert written(tmp_path / "one", "0") == written(tmp_path / "another", "1")
