"""What the command line says when something is amiss, and what it does without."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viplab import cli, doctor
from viplab.cli import judging, printing
from viplab.errors import ExitStatus, HostError, UndecidedAs

# What takes most of a second to import, and what only the extra `lab` brings.
HEAVY = ("pydantic", "numpy", "matplotlib", "jinja2", "yaml", "rich.console", *doctor.LAB_MODULES)

WITHOUT = """
import sys
for name in {missing!r}:
    sys.modules[name] = None
from viplab.cli import main
main()
"""


def called(*arguments: str, missing: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    """`viplab ...` in a Python in which some modules are not installed."""
    command = [sys.executable, "-c", WITHOUT.format(missing=missing), *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "VIPLAB_RESULTS": ""}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def test_the_help_is_printed_without_any_heavy_import() -> None:
    program = f"""
import sys
from viplab.cli import app
app(["--help"], standalone_mode=False)
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
sys.exit(f"imported: {{loaded}}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "preflight" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("run", "calibration", "--lab", "netns"), "pyroute2"),
        (("run", "calibration"), "libvirt"),
        (("up",), "libvirt"),
        (("image", "build"), "cryptography"),
    ],
)
def test_without_the_extra_one_line_says_which_package_is_missing_and_how_to_get_it(
    arguments: tuple[str, ...], missing: str, tmp_path: Path
) -> None:
    done = called(*arguments, missing=(missing,), cwd=tmp_path)
    assert done.returncode == ExitStatus.UNAVAILABLE
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("viplab:")]
    assert line.startswith(f"viplab: {doctor.LAB_MODULES[missing]}: not installed")
    assert "pip install 'viplab[lab]'" in line
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()
    assert not list(tmp_path.glob("cache/viplab/images/*"))


@pytest.mark.parametrize("said", [("--image", "el0"), ()])
def test_an_unknown_image_is_one_line_before_anything_starts(
    said: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not said:
        monkeypatch.setenv("VIPLAB_IMAGE", "el0")
    done = called("run", "calibration", *said, missing=(), cwd=tmp_path)
    assert done.returncode == ExitStatus.USAGE
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("viplab:")]
    assert line.startswith("viplab: no image recipe 'el0', and no such image in the cache; there are: ")
    assert {"debian-12", "debian-13"} <= {*line.rpartition(": ")[2].split(", ")}
    assert not (tmp_path / "results").exists()
    assert not list(tmp_path.glob("cache/viplab/images/*"))


@pytest.mark.parametrize(("said", "refused"), [(("--image", "debian-13"), "--image"), ((), "--require-kvm")])
def test_an_image_in_the_environment_is_no_objection_to_namespaces(
    said: tuple[str, ...], refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPLAB_IMAGE", "debian-13")
    done = called("run", "calibration", "--lab", "netns", "--require-kvm", *said, missing=(), cwd=tmp_path)
    assert done.returncode == ExitStatus.USAGE
    assert done.stderr.startswith(f"viplab: {refused}: the hosts of netns are ")


def test_what_needs_no_lab_works_without_the_extra(tmp_path: Path) -> None:
    missing = tuple(doctor.LAB_MODULES)
    for arguments in (("runs",), ("image", "list"), ("status",), ("clean", "--dry-run")):
        done = called(*arguments, missing=missing, cwd=tmp_path)
        assert done.returncode in (ExitStatus.OK, 1)
        assert done.stderr == ""


def test_a_module_that_no_extra_brings_is_a_mistake_of_viplab(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")

    monkeypatch.setattr(cli, "app", lacking)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == ExitStatus.INTERNAL


def test_the_extra_lab_is_what_the_doctor_looks_for() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = {requirement.partition(">=")[0] for requirement in project["optional-dependencies"]["lab"]}
    assert extra == set(doctor.LAB_MODULES.values())


def test_runs_are_listed_from_the_folder_that_is_named(tmp_path: Path) -> None:
    for given in ((["runs", "--results", str(tmp_path)], {}), (["runs"], {"VIPLAB_RESULTS": str(tmp_path)})):
        done = CliRunner().invoke(cli.app, given[0], env=given[1], catch_exceptions=False)
        assert done.stdout == ""
    done = CliRunner().invoke(cli.app, ["analyze", "--results", str(tmp_path)])
    assert f"no run 'latest' in {tmp_path}" in str(done.exception)


def test_guests_are_not_emulated_where_kvm_is_required(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: str(path) != "/dev/kvm")
    monkeypatch.setattr("viplab.preflight.examine_machine", lambda runs: [])
    arguments = ["run", "calibration", "--require-kvm", "--results", str(tmp_path)]
    done = CliRunner().invoke(cli.app, arguments)
    assert isinstance(done.exception, HostError)
    assert done.exception.exit_status == ExitStatus.UNAVAILABLE
    assert "--require-kvm forbids" in str(done.exception)
    assert not list(tmp_path.iterdir())
    done = CliRunner().invoke(cli.app, [*arguments, "--lab", "netns"])
    assert "the hosts of netns are no virtual machines" in str(done.exception)


HOSTILE = "\x1b[2J[red]run\x07"


def test_what_a_foreign_run_calls_itself_does_nothing_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / HOSTILE
    shutil.copytree(Path(__file__).parents[2] / "results" / "sample", folder)
    for name in ("run.json", "summary.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {"id": HOSTILE}))
    for arguments in (
        ["compare", str(folder), str(folder)],
        ["analyze", str(folder)],
        ["runs"],
        ["analyze", "\x1b[2J"],
    ):
        monkeypatch.setattr(sys, "argv", ["viplab", *arguments, "--results", str(tmp_path)])
        with pytest.raises(SystemExit):
            cli.main()
        said = "".join(capsys.readouterr())
        assert "\u241b[2J" in said, arguments
        assert not set(said) & {"\x1b", "\x07"}, arguments
    printing.tell("[red]as it is[/]")
    assert capsys.readouterr().out == "[red]as it is[/]\n"


@pytest.mark.parametrize(("word", "status"), [(None, 2), ("pass", 0), ("fail", 1)])
def test_who_takes_two_answers_only_says_what_undecided_counts_as(word: str | None, status: int) -> None:
    # One trial a side can never tell.
    sample = str(Path(__file__).parents[2] / "results" / "sample")
    asked = [] if word is None else ["--undecided", word]
    done = CliRunner().invoke(cli.app, ["compare", sample, sample, *asked], standalone_mode=False)
    assert done.return_value == status
    assert "undecided" in done.stdout
    assert [judging.answer(given, UndecidedAs.PASS) for given in (0, 1, 3, 64)] == [0, 1, 3, 64]


@pytest.mark.parametrize(
    "option", ["--subject=frr", "--profile=x", "--trials=9", "--seed=1", "--lab=netns", "--workers=2"]
)
@pytest.mark.parametrize("recipe", [("--resume", "latest"), ("--recipe", "recipe.yaml")])
def test_what_a_recipe_says_is_refused_beside_it_in_one_line(
    recipe: tuple[str, str], option: str, tmp_path: Path
) -> None:
    done = called("run", *recipe, option, missing=(), cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert done.returncode == ExitStatus.USAGE
    assert line.startswith(f"viplab: {recipe[0]}: the run's recipe says what {option.partition('=')[0]} would")
