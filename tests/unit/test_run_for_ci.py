"""`viplab run --junit`: CI gets a document however the run ends."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from viplab.cli import app
from viplab.errors import LabError, ViplabError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.run_folder import RunFolder
from viplab.store import RunStore

SAMPLE = Path(__file__).parents[2] / "results/sample"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def ran(results: Path, *arguments: str) -> tuple[object, ElementTree.Element]:
    """What the command came to, and the document that it left."""
    junit = results.parent / "junit.xml"
    done = CliRunner().invoke(app, ["run", *arguments, "--junit", str(junit), "--results", str(results)])
    return done.exception or done.exit_code, ElementTree.parse(junit).getroot()


def errors(root: ElementTree.Element) -> list[str | None]:
    return [error.get("message") for error in root.iter("error")]


def test_a_run_that_cannot_begin_is_an_error_of_the_document(results: Path) -> None:
    outcome, root = ran(results, "no-such-scenario")
    assert isinstance(outcome, ViplabError)
    (message,) = errors(root)
    assert message is not None and "no-such-scenario" in message


def test_what_was_measured_before_the_lab_broke_is_in_the_document(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(plan: Plan, runs: RunStore, *_: object) -> RunFolder:
        shutil.copytree(SAMPLE, runs.root / "20261123T000000Z-0000")
        raise LabError("B does not boot")

    monkeypatch.setattr(session, "run", broken)
    outcome, root = ran(results, "case-a")
    assert isinstance(outcome, LabError)
    assert errors(root) == ["B does not boot"]
    assert len(list(root.iter("testcase"))) > 10


def test_a_run_that_is_killed_has_a_document_too(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def killed(*_: object, **__: object) -> RunFolder:
        seen.extend(errors(ElementTree.parse(results.parent / "junit.xml").getroot()))
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "run", killed)
    ran(results, "case-a")
    assert seen == ["the run was ended without a word, or goes on"]


def test_a_document_that_cannot_be_written_is_said_before_anything_runs(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "run", lambda *_, **__: pytest.fail("it ran"))
    done = CliRunner().invoke(app, ["run", "--junit", str(results / "nowhere" / "junit.xml")])
    assert isinstance(done.exception, ViplabError)
    assert "cannot be written" in str(done.exception)
