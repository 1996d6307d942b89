"""viplab as `pip install` brings it: in an empty environment, called from an empty folder.

These need a package index and two minutes: `nox -s wheel`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from viplab.errors import ExitStatus
from viplab.lab.image_recipe import load_recipe
from viplab.scenario.load import scenario_files

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "results" / "sample"
# Nothing of this checkout may help.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIPLAB_RESULTS")}
Done = subprocess.CompletedProcess[str]

LOOK = """
import json
from viplab import resources, store
from viplab.lab.image_recipe import load_recipe
from viplab.scenario.load import resolve
print(json.dumps({
    "scenarios": sorted(scenario.scenario for _, scenario in resolve(["all"])),
    "default": [scenario.scenario for _, scenario in resolve([])],
    "checkout": resources.checkout(),
    "commit": store.commit(),
    "images": {name: load_recipe(name).key for name in ("debian-12", "debian-13")},
    "claims": store.reference_claims().read_text(encoding="utf-8"),
    "schema": resources.resource("scenarios/schema.json").is_file(),
    "builder": bool(resources.resource("vmimages/debian/customize").stat().st_mode & 0o100),
}))
"""


def called(*command: str | Path, cwd: Path) -> Done:
    return subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=cwd)


def done(*command: str | Path, cwd: Path) -> Done:
    result = called(*command, cwd=cwd)
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result


def environment(folder: Path, *requirements: str) -> Path:
    """A new virtual environment with these in it; the folder of its programs."""
    done(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    done(folder / "bin" / "pip", "install", "--quiet", *requirements, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `python -m build` makes it: from the source distribution, so that this is whole, too."""
    folder = tmp_path_factory.mktemp("wheel")
    asked = called(
        sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder / "asked", "build", cwd=folder
    )
    if asked.returncode:
        pytest.skip("no package index can be reached")
    builder = environment(folder / "builder", "build")
    done(builder / "python", "-m", "build", "--outdir", folder / "dist", REPOSITORY, cwd=folder)
    (made,) = (folder / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment without extras."""
    return environment(tmp_path_factory.mktemp("bare") / "venv", str(wheel))


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the extra `lab`."""
    return environment(tmp_path_factory.mktemp("full") / "venv", f"{wheel}[lab]")


def test_a_copied_run_is_reported(bare: Path, tmp_path: Path) -> None:
    run = tmp_path / "copied"
    (run / "trials").mkdir(parents=True)
    for name in ("run.json", "reference.yaml"):
        shutil.copyfile(SAMPLE / name, run / name)
    trial = next((SAMPLE / "trials").glob("*-case-a-vipd"))
    shutil.copytree(trial, run / "trials" / trial.name)
    done(bare / "viplab", "report", "copied", "-o", "told", cwd=tmp_path)
    assert (tmp_path / "told" / "report" / "index.html").is_file()
    assert "<svg" in (tmp_path / "told" / "report.html").read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"copied", "told"}


def test_what_is_no_code_travels_in_the_wheel_unchanged(bare: Path, tmp_path: Path) -> None:
    found = json.loads(done(bare / "python", "-c", LOOK, cwd=tmp_path).stdout)
    assert found["scenarios"] == sorted(scenario_files())
    assert found["default"]
    assert (found["checkout"], found["commit"]) == (None, None)
    for name, key in found["images"].items():
        assert key == load_recipe(name).key, "the same recipe has to give the same image"
    assert found["claims"] == (REPOSITORY / "results" / "reference" / "article.yaml").read_text(encoding="utf-8")
    assert found["schema"]
    assert found["builder"]


@pytest.mark.parametrize("command", [("run", "failover", "--lab", "netns"), ("run", "failover"), ("up",)])
def test_without_the_extra_one_line_says_which_it_is_and_how_to_get_it(
    bare: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    result = called(bare / "viplab", *command, cwd=tmp_path)
    assert result.returncode == ExitStatus.UNAVAILABLE
    assert "pip install 'viplab[lab]'" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_with_the_extra_a_run_in_namespaces_works_from_an_empty_folder(full: Path, tmp_path: Path) -> None:
    result = called(full / "viplab", "run", "failover", "--lab", "netns", "--report", cwd=tmp_path)
    # On a busy machine a trial may be undecided; that it was measured and told is what is asked here.
    assert result.returncode in (ExitStatus.OK, ExitStatus.UNDECIDED), result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    latest = tmp_path / "results" / "runs" / "latest"
    assert json.loads((latest / "run.json").read_text(encoding="utf-8"))["provenance"]["git"] is None
    (trial,) = json.loads((latest / "summary.json").read_text(encoding="utf-8"))["trials"]
    assert (trial["scenario"], trial["subject"]) == ("failover", "vipd")
    assert (latest / "report" / "index.html").is_file()
    assert latest.resolve().name in done(full / "viplab", "runs", cwd=tmp_path).stdout
