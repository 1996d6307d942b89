"""What `nox -s beside` is made of: its files, its reasons, and how lines are compared."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from beside import __main__ as command
from beside.accidents import ACCIDENTS, START, STOP
from beside.compare import ASPECTS, Difference, Seen, differences
from beside.files import FEATURES, File, files
from beside.page import OUTCOME, summed_up
from beside.reasons import REASONS
from beside.run import Cell, Result
from vipd.config.parser import parse

_FILE = File("x", frozenset(), "", ())
_NOTHING: Seen = {aspect: [] for aspect in ASPECTS}


def test_there_are_enough_files_and_each_is_one_that_vipd_takes() -> None:
    made = files()
    assert len(made) >= 150 and len(ACCIDENTS) >= 10
    assert len({one.name for one in made}) == len({one.text for one in made}) == len(made)
    for one in made:
        parse(one.text, one.name)


def test_every_pair_of_options_that_goes_together_is_in_a_file() -> None:
    seen = {frozenset(pair) for one in files() for pair in itertools.combinations(sorted(one.options), 2)}
    for (a, first), (b, second) in itertools.combinations(FEATURES.items(), 2):
        for one, other in itertools.product(first, second):
            # Some pairs leave no option of a third row.
            fits = other.name not in one.without and one.name not in other.without
            fits = fits and all(
                any(
                    {one.name, other.name}.isdisjoint(x.without) and x.name not in one.without | other.without
                    for x in row
                )
                for name, row in FEATURES.items()
                if name not in (a, b)
            )
            if one.name and other.name and fits:
                assert frozenset({one.name, other.name}) in seen


def test_a_line_that_one_daemon_gave_and_the_other_did_not_is_a_difference() -> None:
    one = {**_NOTHING, "addresses": ["eth0 inet 10.0.0.1/24", "eth0 inet 10.0.0.2/24"]}
    other = {**_NOTHING, "addresses": ["eth0 inet 10.0.0.1/24"]}
    (found,) = differences(_FILE, START, START.steps[0], one, other)
    assert (found.who, found.aspect, found.line, found.reason) == (
        "keepalived",
        "addresses",
        "eth0 inet 10.0.0.2/24",
        "",
    )
    assert not differences(_FILE, START, START.steps[0], one, one)


def test_a_reason_that_asks_for_a_like_line_explains_none_without_it() -> None:
    lines = ("eth0 unsolicited NA R=0 O=1 fe80::1 x10", "eth0 unsolicited NA R=1 O=1 fe80::1 x10")
    theirs, ours = ({**_NOTHING, "announcements": [line]} for line in lines)
    found = differences(_FILE, START, START.steps[0], theirs, ours)
    assert [one.reason for one in found] == ["router flag", "router flag"]
    assert [one.reason for one in differences(_FILE, START, START.steps[0], theirs, _NOTHING)] == [""]


def test_every_reason_was_seen_in_the_newest_run_and_has_a_name_of_its_own() -> None:
    seen = json.loads(OUTCOME.read_text(encoding="utf-8"))["reasons"]
    assert sorted(seen) == sorted(reason.name for reason in REASONS)


def test_no_cell_of_the_newest_run_is_left_without_a_reason() -> None:
    assert json.loads(OUTCOME.read_text(encoding="utf-8"))["open"] == []


def test_what_a_reason_names_is_there_to_be_seen() -> None:
    options = {one.name for row in FEATURES.values() for one in row}
    accidents = (START, *ACCIDENTS, STOP)
    steps = {step.words for one in accidents for step in one.steps}
    for reason in REASONS:
        assert reason.aspects <= set(ASPECTS) and reason.options | reason.and_options <= options, reason.name
        assert reason.accidents <= {one.name for one in accidents} and reason.steps <= steps, reason.name


def test_of_a_cell_that_was_run_again_the_second_time_counts() -> None:
    difference = Difference("f", frozenset(), "a", "s", "rules", "vipd", "x")._asdict() | {"options": []}
    first = {"file": "f", "accident": "a", "again": False, "found": [difference]}
    second = {"file": "f", "accident": "a", "again": True, "found": []}
    assert summed_up([json.dumps(first)])["unexplained"] == 1
    outcome = summed_up([json.dumps(first), json.dumps(second)])
    assert (outcome["equal"], outcome["unexplained"], outcome["load"]) == (1, 0, 1)


def test_a_run_that_was_broken_off_goes_on_with_what_is_not_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept, ran = tmp_path / "cells.jsonl", []
    file = files()[0]
    difference = Difference(file.name, file.options, STOP.name, STOP.steps[0].words, "rules", "vipd", "x")
    done = [Result(Cell(file, START), []), Result(Cell(file, STOP), [difference])]
    kept.write_text("".join(json.dumps(one.kept()) + "\n" for one in done))

    def run(wanted: list[Cell], *_: object) -> list[Result]:
        ran.extend(one.accident for one in wanted)
        return []

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(sys, "argv", ["beside", "--keep", str(kept), "--resume", file.name])
    assert command.main() == 0
    assert START not in ran and STOP in ran and len(kept.read_text().splitlines()) == 2
