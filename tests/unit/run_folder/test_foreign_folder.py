"""Whatever a run folder from elsewhere holds, commands stay inside of it, say what is wrong, and end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viplab.cli import app
from viplab.errors import InputError
from viplab.experiment.recipe import read_recipe
from viplab.live.watch import Spectator
from viplab.run_folder import RunFolder
from viplab.store import RunStore

SAMPLE = Path(__file__).parents[3] / "results" / "sample"
SECRET = "of somebody else"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of the sample with one trial, beside a file that is none of its business."""
    (tmp_path / "secret.conf").write_text(SECRET)
    folder = tmp_path / "runs" / "20260101T000000Z-0000"
    (folder / "trials").mkdir(parents=True)
    for name in ("run.json", "reference.yaml"):
        shutil.copyfile(SAMPLE / name, folder / name)
    trial = next((SAMPLE / "trials").glob("*-case-a-vipd"))
    shutil.copytree(trial, folder / "trials" / trial.name)
    return folder


@pytest.fixture
def trial(run: Path) -> Path:
    return next((run / "trials").iterdir())


def called(*arguments: str | Path) -> tuple[int, str]:
    """Exit status, and what was printed or would be."""
    done = CliRunner().invoke(app, list(map(str, arguments)), standalone_mode=False)
    if isinstance(done.exception, InputError):
        return done.exception.exit_status, f"{done.stdout}{done.exception}"
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.stdout


def linked(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def test_a_configuration_that_is_a_link_is_not_shown_and_is_said(run: Path, trial: Path, tmp_path: Path) -> None:
    linked(trial / "hosts" / "A" / "keepalived.conf", tmp_path / "secret.conf")
    status, said = called("report", run)
    assert status == 64
    assert "hosts/A/keepalived.conf: is a link" in said
    pages = [run / "report.html", *(run / "report").glob("*.html")]
    assert not any(SECRET in page.read_text() for page in pages)
    assert not any('hosts/A/keepalived.conf"' in page.read_text() for page in pages)


def test_a_folder_of_a_host_that_is_a_link_is_not_listed(run: Path, trial: Path, tmp_path: Path) -> None:
    shutil.rmtree(trial / "hosts" / "A")
    (trial / "hosts" / "A").symlink_to(tmp_path)
    status, said = called("analyze", run)
    assert status == 64
    assert "links are not followed" in said
    assert "secret" not in (run / "summary.json").read_text()


@pytest.mark.parametrize("name", ["summary.json", "trials.csv", "report.html", "report/index.html"])
def test_what_is_written_replaces_a_link_and_not_its_target(run: Path, tmp_path: Path, name: str) -> None:
    (run / "report").mkdir()
    linked(run / name, tmp_path / "secret.conf")
    called("report", run)
    assert (tmp_path / "secret.conf").read_text() == SECRET
    assert not (run / name).is_symlink()


def test_a_site_that_is_a_link_loses_no_page_elsewhere(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "old.html").write_text(SECRET)
    (run / "report").symlink_to(tmp_path / "elsewhere")
    status, said = called("report", run)
    assert status == 64
    assert "link" in said
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["old.html"]


def test_junit_named_inside_the_folder_follows_no_link(run: Path, tmp_path: Path) -> None:
    (run / "junit.xml").symlink_to(tmp_path / "secret.conf")
    called("report", run, "--junit", run / "junit.xml")
    assert (tmp_path / "secret.conf").read_text() == SECRET
    assert (run / "junit.xml").read_text().startswith("<testsuites")


@pytest.mark.parametrize("name", ["timeline.jsonl", "ping.txt", "capture/virbr0.pcap", "hosts/B/messages.log"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "folder"])
def test_evidence_that_is_no_regular_file_is_an_issue_and_no_wait(
    run: Path, trial: Path, name: str, make: Callable[[Path], None]
) -> None:
    (trial / name).unlink()
    make(trial / name)
    status, said = called("analyze", run)
    assert status == 64
    assert f"{name}: is not a regular file" in said


def test_report_exits_as_analyze_does(run: Path, trial: Path) -> None:
    assert called("report", run)[0] == called("analyze", run)[0] == 0
    timeline = trial / "timeline.jsonl"
    kept = [line for line in timeline.read_text().splitlines(keepends=True) if '"guest_clock"' not in line]
    error = kept[-1].replace('"trial_finished"', '"error", "message": "broken off"')
    timeline.write_text("".join([*kept[:-1], error, kept[-1]]))
    assert called("report", run)[0] == called("analyze", run)[0] == 2
    assert called("report", run, "--markdown")[0] == 2
    timeline.write_text("no event")
    assert called("report", run, "--json")[0] == called("analyze", run)[0] == 64


def test_a_damaged_run_does_not_keep_the_others_from_the_list(run: Path) -> None:
    other = run.with_name("20260102T000000Z-0000")
    other.mkdir()
    (other / "run.json").write_text("[" * 100_000)
    status, said = called("runs", "--results", run.parent)
    assert status == 0
    assert "case-a/vipd" in said
    assert f"{other.name}  cannot be read" in said


@pytest.mark.parametrize("word", ["a" * 5000, "a\0b", "[", "**", "../../etc", "", "/"])
def test_a_word_that_names_no_run_is_said_in_one_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(InputError, match="no run"):
        RunStore(tmp_path / "none").find(word)


def test_the_live_view_follows_no_link_and_waits_for_no_fifo(trial: Path, tmp_path: Path) -> None:
    linked(trial / "timeline.jsonl", tmp_path / "secret.conf")
    (trial / "ping.txt").unlink()
    os.mkfifo(trial / "ping.txt")
    spectator = Spectator(RunFolder(trial.parents[1]).trials()[0])
    spectator.look(0)
    assert not spectator.picture.news


@pytest.mark.parametrize("text", ["[" * 100_000, "a: &a [*a]", "trials: .inf", "trials: 99999999999999999999"])
def test_a_recipe_from_elsewhere_is_bounded(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"recipe\.yaml: "):
        read_recipe(path)


def test_a_recipe_that_is_a_fifo_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "recipe.yaml")
    with pytest.raises(InputError, match="not a regular file"):
        read_recipe(tmp_path / "recipe.yaml")
