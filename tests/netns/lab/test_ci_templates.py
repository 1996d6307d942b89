"""The GitHub Action and the GitLab job: their shell steps, as they stand in the files, run a scenario here.

Only what belongs to those services is made up: the programs that would change this machine or speak to a server note
what they are given, and viplab counts as installed already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from support.scenarios import scenario

TREE = Path(__file__).parents[3]
_ACTION = yaml.safe_load((TREE / "action.yml").read_text())
ACTION: list[dict[str, Any]] = _ACTION["runs"]["steps"]
ACTION_INPUTS: dict[str, Any] = _ACTION["inputs"]
GITLAB: dict[str, Any] = yaml.safe_load((TREE / "ci/gitlab.yml").read_text())[".viplab"]
SCRIPTS = {step["name"]: step["run"] for step in ACTION if "run" in step} | {
    name: "\n".join(GITLAB[name]) for name in ("before_script", "script", "after_script")
}
NOTES = '#!/bin/sh\nprintf "%s " "${0##*/}" "$@" >>"$NOTED"; echo >>"$NOTED"\n'


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, in whose project one trial is asked for."""
    programs, viplab = tmp_path / "bin", tmp_path / "venv/bin/viplab"
    for folder in (programs, viplab.parent, tmp_path / "project"):
        folder.mkdir(parents=True)
    for name in ("apt-get", "udevadm", "gh", "curl", "tee", "chown", "chmod"):
        (programs / name).write_text(NOTES)
    # It reads what it is given, without which the other side of the pipe would end by a signal.
    (programs / "tee").write_text(f"{NOTES}cat >/dev/null\n")
    (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
    viplab.write_text(f'#!/bin/sh\nexec {sys.executable} -m viplab "$@"\n')
    for program in (*programs.iterdir(), viplab):
        program.chmod(0o755)
    (tmp_path / "project/seen.yaml").write_text(scenario("observe: 1").replace("scenario: test", "scenario: seen"))
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "NOTED": str(tmp_path / "noted"),
        "VIPLAB_ARGUMENTS": "seen.yaml --lab netns",
        "VIPLAB_VENV": str(tmp_path / "venv"),
    }


def called(script: str, machine: dict[str, str], project: Path) -> subprocess.CompletedProcess[str]:
    # As both services call it.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=project, env=machine, timeout=300, check=False, capture_output=True, text=True)


def done(script: str, machine: dict[str, str], project: Path) -> int:
    told = called(script, machine, project)
    sys.stdout.write(told.stdout + told.stderr)
    return told.returncode


@pytest.mark.skipif(shutil.which("shellcheck", path=Path(sys.executable).parent) is None, reason="no shellcheck")
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_step_is_clean_shell_and_takes_what_it_is_given_by_its_environment(name: str, tmp_path: Path) -> None:
    (tmp_path / "step").write_text("#!/bin/bash\n" + SCRIPTS[name])
    checker = Path(sys.executable).parent / "shellcheck"
    # What a job's variables are called is the service's and the file's business.
    found = subprocess.run([checker, "-e", "SC2154", tmp_path / "step"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert "${{" not in SCRIPTS[name]  # text from a pull request would become part of the program


def test_the_action_runs_tells_and_keeps_what_it_has_measured(machine: dict[str, str], tmp_path: Path) -> None:
    project, told = tmp_path / "project", tmp_path / "env"
    machine |= {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_WORKSPACE": str(project),
        "GITHUB_ENV": str(told),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
        "GITHUB_REPOSITORY": "somebody/something",
        "VIPLAB_SOURCE": str(TREE),
        "VIPLAB_PULL_REQUEST": "7",
    }
    (tmp_path / "temp").mkdir()
    installed = machine["VIPLAB_VENV"]
    for step in (step for step in ACTION if "run" in step):
        status = done(step["run"], machine, project)
        assert status == 0 or (step["name"], status) == ("Run", 2), step["name"]  # a busy machine leaves it undecided
        if told.exists():
            machine |= dict(line.split("=", 1) for line in told.read_text().splitlines())
        machine["VIPLAB_VENV"] = installed
    assert (project / "viplab-results/latest/report.html").is_file()
    assert ElementTree.parse(project / "viplab-results/viplab.xml").find(".//testcase") is not None
    assert "| t | vipd |" in (tmp_path / "step-summary.md").read_text()
    assert f"gh pr comment 7 --repo somebody/something --body-file {project}" in Path(machine["NOTED"]).read_text()


@pytest.fixture
def action(machine: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of an action that is not in the workspace, with recipes of images in it."""
    (tmp_path / "action/vmimages").mkdir(parents=True)
    (tmp_path / "action/vmimages/one.yaml").write_text("one")
    return machine | {
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_WORKSPACE": str(tmp_path / "project"),
        "GITHUB_ENV": str(tmp_path / "env"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
        "GITHUB_REPOSITORY": "somebody/something",
        "VIPLAB_SOURCE": str(tmp_path / "action"),
    }


def test_what_the_action_keeps_belongs_to_its_recipes_and_is_kept_after_every_run(
    action: dict[str, str], tmp_path: Path
) -> None:
    said = []
    for recipe in ("one", "one", "two"):
        (tmp_path / "action/vmimages/one.yaml").write_text(recipe)
        assert done(SCRIPTS["Say where things are"], action, tmp_path / "project") == 0
        said.append(dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())["recipes"])
    assert said[0] == said[1] != said[2]
    assert "XDG_CACHE_HOME" not in (tmp_path / "env").read_text()  # it would be that of the job's later steps
    fetch, keep = (
        next(step for step in ACTION if step.get("uses", "").startswith(f"actions/cache/{what}@"))
        for what in ("restore", "save")
    )
    assert keep["if"] == "always()"
    assert fetch["with"]["path"] == keep["with"]["path"]
    assert fetch["with"]["key"] == keep["with"]["key"] == fetch["with"]["restore-keys"] + "${{ github.run_id }}"
    assert "steps.place.outputs.recipes" in fetch["with"]["restore-keys"]
    assert GITLAB["cache"]["when"] == "always"


def test_a_comment_that_may_not_be_written_is_a_warning(action: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin/gh").write_text(f"{NOTES}exit 1\n")
    (tmp_path / "venv/bin/viplab").write_text("#!/bin/sh\n")
    (tmp_path / "project/viplab-results/latest").mkdir(parents=True)
    action |= {"VIPLAB_RESULTS": str(tmp_path / "project/viplab-results"), "VIPLAB_PULL_REQUEST": "7"}
    told = called(SCRIPTS["Tell"], action, tmp_path / "project")
    assert (told.returncode, "::warning::viplab: no comment" in told.stdout) == (0, True)
    assert "gh pr comment 7" in Path(action["NOTED"]).read_text()


def test_every_job_of_a_matrix_has_an_artifact_of_its_own() -> None:
    assert "strategy.job-index" in ACTION_INPUTS["artifact"]["default"]
    assert ACTION[-1]["with"]["name"] == "${{ inputs.artifact }}"


def test_the_gitlab_job_installs_what_its_steps_call(machine: dict[str, str], tmp_path: Path) -> None:
    machine |= {"VIPLAB_SOURCE": str(tmp_path), "VIPLAB_RESULTS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    machine |= {"VIPLAB_VENV": str(tmp_path / "none"), "VIPLAB_REF": "main", "VIPLAB_REPOSITORY": "https://x"}
    (tmp_path / "bin/git").write_text("#!/bin/sh\nexit 1\n")  # which ends the step before it installs more
    (tmp_path / "bin/git").chmod(0o755)
    done(SCRIPTS["before_script"], machine, tmp_path)
    installed = Path(machine["NOTED"]).read_text().split()
    assert {"ca-certificates", "curl", "git"} <= set(installed)


def test_the_gitlab_job_leaves_a_document_that_finds_its_files(machine: dict[str, str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    machine |= {"CI_PROJECT_DIR": str(project), "VIPLAB_COMMENT_TOKEN": "t", "CI_MERGE_REQUEST_IID": "3"}
    machine |= {"CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "1"}
    for name in ("VIPLAB_RESULTS", "XDG_CACHE_HOME", "VIPLAB_SOURCE"):
        machine[name] = GITLAB["variables"][name].replace("$CI_PROJECT_DIR", str(project))
    assert done(SCRIPTS["before_script"], machine, project) == 0
    assert done(SCRIPTS["script"], machine, project) in (0, 2)
    assert done(SCRIPTS["after_script"], machine, project) == 0
    document = project / GITLAB["artifacts"]["reports"]["junit"]
    assert ElementTree.parse(document).find(".//testcase") is not None
    assert (project / GITLAB["artifacts"]["paths"][0] / "latest/report.html").is_file()
    assert "projects/1/merge_requests/3/notes" in Path(machine["NOTED"]).read_text()
