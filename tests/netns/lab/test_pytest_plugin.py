"""The example of docs/pytest.md does what that page says, for whoever has viplab installed beside pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from viplab.run_folder import RunFolder

TREE = Path(__file__).parents[3]
EXAMPLE = re.search(r"```python\n(.*?)```", (TREE / "docs/pytest.md").read_text(), re.DOTALL)
FAILS = """def test_fails(viplab_lab, fault):
    fault("kill", host="A")
    viplab_lab.wait(master="B", within=10)
    assert 1 == 2
"""


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    """A folder for tests of somebody else's, and beside it what an installation of viplab tells pytest."""
    points = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    told = tmp_path / "site" / "example-1.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: example\nVersion: 1\n")
    (told / "entry_points.txt").write_text("[pytest11]\n" + "".join(f"{name} = {at}\n" for name, at in points.items()))
    (tmp_path / "tests").mkdir()
    return tmp_path / "tests"


def ran(tests: Path, *arguments: str) -> tuple[dict[str, list[str]], str]:
    """What became of each test, and all that was printed."""
    paths = [str(tests.parent / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junit-xml=junit.xml", *arguments],
        cwd=tests,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    cases = ElementTree.parse(tests / "junit.xml").iter("testcase")
    return {
        case.get("name", ""): [part.tag for part in case if part.tag != "system-out"] for case in cases
    }, done.stdout


def test_the_example_passes_and_leaves_no_run(tests: Path) -> None:
    assert EXAMPLE is not None
    (tests / "test_failover.py").write_text(EXAMPLE[1])
    outcomes, said = ran(tests, "--viplab-subject", "vipd", "--viplab-lab", "netns")
    assert len(outcomes) == 2
    # A busy machine makes what they ask for undecided.
    assert all(parts in ([], ["skipped"]) for parts in outcomes.values()), said
    assert not list((tests / "results/runs").iterdir())


def test_a_test_that_fails_leaves_its_run_and_says_where(tests: Path) -> None:
    (tests / "test_fails.py").write_text(FAILS)
    outcomes, said = ran(tests, "--viplab-lab", "netns")
    assert outcomes == {"test_fails": ["failure"]}
    kept = RunFolder((tests / "results/runs/latest").resolve())
    assert f"{kept.path} has this test as a run" in said
    (trial,) = kept.trials()
    assert [event.event for event in trial.events()].count("fault_injected") == 1
    assert "kill" in kept.recipe.read_text()


def test_a_subject_that_there_is_not_is_one_line(tests: Path) -> None:
    (tests / "test_fails.py").write_text(FAILS)
    outcomes, said = ran(tests, "--viplab-lab", "netns", "--viplab-subject", "nobody's")
    assert outcomes == {"test_fails": ["error"]}
    assert 'viplab: no subject "nobody\'s"; there are: ' in said
    assert "Traceback" not in said and "viplab/pytest_plugin.py" not in said
