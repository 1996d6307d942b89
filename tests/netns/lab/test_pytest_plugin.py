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
TURNS = """import pytest

@pytest.fixture(scope="module", autouse=True)
def shared():
    yield
    print("torn down")

def test_plain():
    pass

def test_in_a_lab(viplab_lab):
    pass
"""
NEVER_READY = """import pytest

@pytest.mark.viplab(setup=[{"start": "A"}, {"start": "B"}, {"wait": {"master": "B", "within": 1}}])
def test_never_ready(viplab_lab):
    pass
"""
UNDECIDED = """from viplab.experiment import by_hand

def test_undecided(viplab_lab, monkeypatch):
    judged = by_hand.view_trial

    def doubted(evidence):
        view = judged(evidence)
        return view.model_copy(update={"summary": view.summary.model_copy(update={"verdict": "undecided"})})

    monkeypatch.setattr(by_hand, "view_trial", doubted)
    viplab_lab.measured
"""
MARKED = """import pytest

@pytest.mark.skip(reason="not today")
def test_skip(viplab_lab):
    pass

@pytest.mark.skipif(True, reason="not here")
def test_skipif(viplab_lab):
    pass

@pytest.mark.xfail(run=False)
def test_not_run(viplab_lab):
    pass

@pytest.mark.xfail
def test_expected(viplab_lab):
    pass

@pytest.mark.skipif("no such name", reason="wrong")
def test_wrong_condition(viplab_lab):
    pass
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


def test_the_example_passes_and_leaves_no_run_of_what_has_passed(tests: Path) -> None:
    assert EXAMPLE is not None
    (tests / "test_failover.py").write_text(EXAMPLE[1])
    outcomes, said = ran(tests, "--viplab-subject", "vipd", "--viplab-lab", "netns")
    assert len(outcomes) == 2
    # A busy machine makes what they ask for undecided.
    assert all(parts in ([], ["skipped"]) for parts in outcomes.values()), said
    undecided = sum(parts == ["skipped"] for parts in outcomes.values())
    assert sum(not run.is_symlink() for run in (tests / "results/runs").iterdir()) == undecided


def test_a_test_that_fails_leaves_its_run_and_says_where(tests: Path) -> None:
    (tests / "test_fails.py").write_text(FAILS)
    outcomes, said = ran(tests, "--viplab-lab", "netns")
    assert outcomes == {"test_fails": ["failure"]}
    kept = RunFolder((tests / "results/runs/latest").resolve())
    assert f"{kept.path} has this test as a run" in said
    (trial,) = kept.trials()
    assert [event.event for event in trial.events()].count("fault_injected") == 1
    assert "kill" in kept.recipe.read_text()


def test_a_step_that_cannot_be_done_fails_on_the_line_that_asks_for_it(tests: Path) -> None:
    (tests / "test_wrong.py").write_text("def test_wrong(fault):\n    fault('kil', host='A')\n")
    outcomes, said = ran(tests, "--viplab-lab", "netns")
    assert outcomes == {"test_wrong": ["failure"]}
    assert "test_wrong.py:2: Failed" in said
    assert "pytest_plugin.py" not in said and "by_hand.py" not in said


def test_an_undecided_test_is_skipped_and_leaves_its_run(tests: Path) -> None:
    (tests / "test_undecided.py").write_text(UNDECIDED)
    outcomes, said = ran(tests, "--viplab-lab", "netns", "-rs")
    assert outcomes == {"test_undecided": ["skipped"]}
    kept = (tests / "results/runs/latest").resolve()
    assert f"{kept} has this test as a run" in " ".join(said.split())


def test_a_subject_that_there_is_not_is_one_line(tests: Path) -> None:
    (tests / "test_fails.py").write_text(FAILS)
    outcomes, said = ran(tests, "--viplab-lab", "netns", "--viplab-subject", "nobody's")
    assert outcomes == {"test_fails": ["error"]}
    assert 'viplab: no subject "nobody\'s"; there are: ' in said
    assert not any(words in said for words in ("Traceback", "During handling", "viplab/pytest_plugin.py")), said


def test_tests_in_a_lab_and_others_take_turns_over_files(tests: Path) -> None:
    (tests / "test_a.py").write_text(TURNS)
    (tests / "test_b.py").write_text("def test_in_another_file():\n    pass\n")
    outcomes, said = ran(tests, "--viplab-lab", "netns", "-s")
    assert outcomes == {"test_plain": [], "test_in_a_lab": [], "test_in_another_file": []}, said
    assert said.count("torn down") == 1


def test_a_set_up_that_fails_says_why(tests: Path) -> None:
    (tests / "test_fails.py").write_text(NEVER_READY)
    outcomes, said = ran(tests, "--viplab-lab", "netns")
    assert outcomes == {"test_never_ready": ["error"]}
    assert "viplab: " in said and "B to be master" in said
    assert not any(words in said for words in ("Traceback", "During handling", "viplab/pytest_plugin.py")), said


def test_a_wrong_marker_is_the_error_of_its_test_and_of_no_other(tests: Path) -> None:
    markers = (
        'hosts=["A", "B"]',
        "hosts={}",
        "hosts=None",
        'hosts={"A": "MASTER"}',
        'hosts={"A": {"priority": "high"}, "B": {}}',
        "hosts={1: {}}",
        'vrrp={"interface": Path("eth1")}',
        "expect=[]",
        'steps=[{"observe": 1}]',
        "nothing=1",
        '{"hosts": {}}',
    )
    wrong = "".join(
        f"@pytest.mark.viplab({marker})\ndef test_{number}(viplab_lab):\n    pass\n"
        for number, marker in enumerate(markers)
    )
    (tests / "test_markers.py").write_text(
        f"import pytest\nfrom pathlib import Path\n{wrong}def test_last():\n    pass\n"
    )
    outcomes, said = ran(tests, "--viplab-lab", "netns")
    assert outcomes == {f"test_{number}": ["error"] for number in range(len(markers))} | {"test_last": []}, said
    assert not any(words in said for words in ("Traceback", "During handling", "viplab/pytest_plugin.py")), said


def test_markers_of_pytest_count_before_there_is_a_lab(tests: Path) -> None:
    (tests / "test_marked.py").write_text(MARKED)
    outcomes, said = ran(tests, "--viplab-lab", "netns", "--viplab-subject", "nobody's")
    assert outcomes == {"test_skip": ["skipped"], "test_skipif": ["skipped"]} | {
        "test_not_run": ["skipped"],
        "test_expected": ["skipped"],
        "test_wrong_condition": ["error"],
    }
    assert "2 skipped, 2 xfailed, 1 error" in said
