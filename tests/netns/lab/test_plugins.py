"""Whoever follows the recipes of CONTRIBUTING.md has a fault and a subject that run, are analysed and reported.

The files in `plugin/` are no part of viplab: they are put into a folder of their own, with the metadata that an
installed distribution has, and nothing else is told of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"
ENTRY_POINTS = "[viplab.faults]\nhalt = toy_fault:HALT\n\n[viplab.subjects]\ntoy = toy_subject:Toy\n"
SCENARIO = """\
scenario: halted
title: A daemon is halted
story: The daemon on the master is halted; its address goes on answering, and the backup takes over.
hosts:
  A: {state: MASTER, priority: 102}
  B: {state: BACKUP, priority: 101}
setup:
  - start: A
  - wait: {master: A}
  - start: B
  - observe: 1
steps:
  - halt: {host: A, place: 0.5}
  - wait: {master: B, within: 10}
  - observe: 1
expect: {owner: B}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the plug-in as pip would install it."""
    made = tmp_path_factory.mktemp("site")
    for file in PLUGIN.glob("*.py"):
        shutil.copy(file, made)
    (made / "toy-1.dist-info").mkdir()
    (made / "toy-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (made / "toy-1.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    return made


def viplab(*arguments: str, folder: Path, site: Path | None) -> subprocess.CompletedProcess[str]:
    paths = [*([str(site)] if site else []), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "viplab", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def run(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("anywhere")
    (folder / "halted.yaml").write_text(SCENARIO)
    done = viplab("run", "halted.yaml", "--lab", "netns", "--subject", "toy", folder=folder, site=site)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    return folder


def test_a_fault_and_a_subject_of_one_file_each_run_are_analysed_and_reported(run: Path, site: Path) -> None:
    done = viplab("report", folder=run, site=site)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    (trial,) = json.loads((run / "results/runs/latest/summary.json").read_text())["trials"]
    assert (trial["subject"], trial["family"], trial["fault"]["kind"]) == ("toy", "toy", "halt")
    assert trial["verdict"] != "fail", trial["reason"]
    assert trial["expected_down_interval_s"] == pytest.approx(3.605, abs=0.001)
    assert "daemon on A halted" in (run / "results/runs/latest/report.html").read_text()


def test_without_the_plug_in_its_run_is_undecided_and_says_what_is_missing(run: Path) -> None:
    done = viplab("analyze", folder=run, site=None)
    assert done.returncode == 2, done.stdout + done.stderr
    (trial,) = json.loads((run / "results/runs/latest/summary.json").read_text())["trials"]
    assert trial["verdict"] == "undecided"
    assert "halt" in trial["reason"]
    assert "not known here" in trial["reason"]


def test_a_plug_in_that_does_not_load_is_one_line_that_names_it(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    (broken / "toy_fault.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "halted.yaml").write_text(SCENARIO)
    done = viplab("run", "halted.yaml", "--lab", "netns", "--subject", "toy", folder=tmp_path, site=broken)
    assert done.returncode == 69, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "toy" in done.stderr.splitlines()[-1]
