"""Rules of `viplab report`: what it writes, and what it only prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from viplab.cli import app
from viplab.errors import InputError

SAMPLE = Path(__file__).parents[3] / "results" / "sample"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A copy of the sample with one trial, so that it is quick."""
    folder = tmp_path / "run"
    (folder / "trials").mkdir(parents=True)
    for name in ("run.json", "reference.yaml"):
        shutil.copyfile(SAMPLE / name, folder / name)
    trial = next((SAMPLE / "trials").glob("*-case-a-vipd"))
    shutil.copytree(trial, folder / "trials" / trial.name)
    return folder


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["report", *arguments], catch_exceptions=False)
    return done.stdout


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"trials", "run.json", "reference.yaml"}


def test_it_writes_the_site_and_the_one_file(run: Path) -> None:
    assert "report/index.html" in said(str(run)).replace("\n", "")
    assert {"report", "report.html", "summary.json"} <= names(run)


def test_single_writes_no_site(run: Path) -> None:
    said(str(run), "--single")
    assert "report.html" in names(run)
    assert "report" not in names(run)


@pytest.mark.parametrize("where", ["there/of-the-run.html", "there"])
def test_another_place_gets_the_report_and_the_run_s_folder_stays_as_it_is(
    run: Path, tmp_path: Path, where: str
) -> None:
    before = names(run)
    said(str(run), "-o", str(tmp_path / where))
    assert names(run) == before
    if where.endswith(".html"):
        assert names(tmp_path / "there") == {"of-the-run.html"}
    else:
        assert names(tmp_path / "there") == {"report", "report.html"}
        assert (tmp_path / "there" / "report" / "index.html").is_file()


def test_another_place_is_for_the_report_in_html(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--output"):
        said(str(run), "--json", "-o", str(tmp_path / "x"))


def test_a_place_that_cannot_be_written_is_one_line(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        said(str(run), "-o", str(tmp_path / "file" / "report.html"))


def test_what_is_printed_is_the_whole_output_and_nothing_is_written(run: Path, tmp_path: Path) -> None:
    assert json.loads(said(str(run), "--json"))["trials"][0]["scenario"] == "case-a"
    assert said(str(run), "--markdown").startswith("## Who answers")
    assert said(str(run), "--junit", str(tmp_path / "junit.xml")) == ""
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"
    assert names(run) == set()


def test_a_file_that_cannot_be_written_is_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        said(str(run), "--junit", str(tmp_path / "none" / "junit.xml"))
