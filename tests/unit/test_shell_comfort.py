"""Completion in three shells, options from the environment, a scenario to begin with, a manual page that reads well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from viplab.cli import app
from viplab.errors import InputError
from viplab.scenario.load import read_scenario, scenario_files
from viplab.scenario.new import new_scenario

PROGRAM = "import sys; sys.argv[0] = 'viplab'; from viplab.cli import main; main()"
ASKED = {
    "bash": {"COMP_WORDS": "viplab run cable-", "COMP_CWORD": "2"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "viplab run cable-"},
    "fish": {"_TYPER_COMPLETE_ARGS": "viplab run cable-", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", ASKED)
def test_a_shell_is_offered_the_scenarios_that_a_word_begins(shell: str) -> None:
    environment = {**os.environ, **ASKED[shell], "_VIPLAB_COMPLETE": f"complete_{shell}"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False)
    offered = {name for name in scenario_files() if name in done.stdout}
    assert offered == {name for name in scenario_files() if name.startswith("cable-")}, done.stderr


def test_every_option_of_run_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    command = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    context = command.make_context("run", [], resilient_parsing=True)
    for option in command.params:
        if option.param_type_name == "option" and option.name != "help":
            monkeypatch.setenv(f"VIPLAB_{option.name.upper()}", "1")
            assert option.value_from_envvar(context) is not None, option.name
            monkeypatch.delenv(f"VIPLAB_{option.name.upper()}")


def test_an_option_from_the_environment_is_taken_as_one_that_is_given() -> None:
    done = CliRunner().invoke(app, ["run", "case-a"], env={"VIPLAB_LAB": "none-such"})
    assert isinstance(done.exception, InputError)
    assert "no lab 'none-such'" in str(done.exception)


def test_an_option_from_the_environment_that_cannot_be_taken_is_named_as_it_was_given() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "run", "case-a"],
        capture_output=True,
        text=True,
        env={**os.environ, "VIPLAB_TRIALS": "many"},
        check=False,
    )
    assert done.returncode == 64
    assert "'--trials'" in done.stderr and " (from VIPLAB_TRIALS); " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_option_from_the_environment_that_a_recipe_overrides_is_told_of(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["run", "--recipe", str(tmp_path / "none.yaml")], env={"VIPLAB_TRIALS": "3"})
    assert "VIPLAB_TRIALS counts for nothing here: --recipe takes what the run's recipe says" in done.output
    assert isinstance(done.exception, InputError)  # there is no such recipe


def test_a_new_scenario_is_valid_and_overwrites_nothing(tmp_path: Path) -> None:
    made = new_scenario("cable-out", tmp_path)
    assert read_scenario(made)[1].scenario == "cable-out"
    with pytest.raises(InputError, match=r"^[^\n]*cable-out\.yaml: cannot be written \(File exists\)$"):
        new_scenario("cable-out", tmp_path)
    with pytest.raises(InputError, match="Bad Name"):
        new_scenario("Bad Name", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cable-out.yaml"]


@pytest.mark.skipif(shutil.which("man") is None, reason="no man")
def test_the_manual_page_is_formatted_without_a_warning() -> None:
    page = Path(__file__).parents[2] / "docs/viplab.1"
    done = subprocess.run(
        ["man", "--warnings", "-l", page],
        capture_output=True,
        text=True,
        env={**os.environ, "MANPAGER": "cat"},
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "viplab run" in done.stdout
