"""Rules of how the reference file says a report is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import synthetic as s
from viplab.analysis.claims import read_presentation, read_reference
from viplab.analysis.run import analyze
from viplab.errors import InputError
from viplab.report import outline
from viplab.run_folder import RunFolder
from viplab.scenario.load import scenario_files

REFERENCE = yaml.safe_load(s.REFERENCE.read_text(encoding="utf-8"))
Change = Callable[[Any], object]


def written(folder: Path, data: object) -> Path:
    path = folder / "reference.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def changed(change: Change) -> Any:
    data = yaml.safe_load(yaml.safe_dump(REFERENCE))
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["report"].pop("lead"), r"report\.lead: Field required"),
        (lambda d: d["report"].update(colour="red"), r"report\.colour: Extra inputs"),
        (lambda d: d["report"]["chapters"][1].update(key="a/b"), r"report\.chapters\.1\.key: .*pattern"),
        (lambda d: d["report"]["chapters"][1].update(key="claims"), r"report: .*key claims: is taken"),
        (lambda d: d["report"]["chapters"][1].update(scenarios=["case-d"]), r"report: .*scenario case-d: is taken"),
        (lambda d: d["report"]["courses"][0].update(text="{outage}"), r"report\.courses\.0: .*no `outage` here"),
        (
            lambda d: d["report"]["courses"][0]["when"].append({"metric": "gap", "eq": 1}),
            r"\.0: .*no `gap` here",
        ),
        (lambda d: d["report"]["courses"][0].update(puzzle=9), r"no puzzle 9"),
        (lambda d: d["report"]["plots"][0].update(kind="pie"), r"report\.plots\.0: .*'pie'.*'answers'"),
        (lambda d: d["report"]["plots"][0].update(puzzle=2), r"report: .*plot of puzzle 2: is taken"),
        (
            lambda d: d["report"]["plots"][0]["rows"][0].update(note="{host}"),
            r"\.rows\.0: .*no `host` here",
        ),
        (lambda d: d["report"]["claim_groups"].pop("C"), r"claim_groups: no title for C, of claim C1"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, change: Change, said: str) -> None:
    path = written(tmp_path, changed(change))
    with pytest.raises(InputError, match=rf"{re.escape(str(path))}: .*{said}") as caught:
        read_reference(path)
    assert len(str(caught.value).splitlines()) == 1


def test_every_scenario_that_the_reference_names_is_there() -> None:
    report = read_presentation(s.REFERENCE)
    named = {*report.told, *(course.scenario for course in report.courses)}
    for plot in report.plots:
        named |= {row.scenario for row in plot.rows} if plot.kind == "answers" else {plot.scenario}
    reference = read_reference(s.REFERENCE)
    named |= {claim.scenario for claim in reference.claims}
    named |= {name for puzzle in reference.puzzles for name in puzzle.scenarios}
    assert named <= set(scenario_files())


def test_every_puzzle_has_a_plot_that_settles_it() -> None:
    reference = read_reference(s.REFERENCE)
    assert [plot.puzzle for plot in read_presentation(s.REFERENCE).plots] == [one.number for one in reference.puzzles]


def test_a_run_s_own_copy_says_how_it_is_told(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [s.case_a("keepalived-2")])
    written(root, changed(lambda d: d["report"]["chapters"][1].update(title="Another title")))
    assert [chapter.title for chapter in outline.chapters(analyze(RunFolder(root)))][1] == "Another title"


def test_a_copy_of_before_there_was_such_a_part_is_told_as_the_file_that_viplab_brings_along(tmp_path: Path) -> None:
    root = s.write_run(tmp_path / "run", [s.case_a("keepalived-2")])
    written(root, changed(lambda d: d.pop("report")))
    view = analyze(RunFolder(root))
    assert view.notes == []
    assert view.presentation == read_presentation(s.REFERENCE)


def test_a_reference_file_that_must_say_it_and_does_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"reference\.yaml: report: missing"):
        read_presentation(written(tmp_path, changed(lambda d: d.pop("report"))))
