"""A slice of `nox -s differential`, and the rules that its table of differences keeps."""

from __future__ import annotations

import re
import shutil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential import run
from differential.generator import file
from differential.judges import Judgement
from differential.page import figures
from differential.table import ROWS, causes, meaning
from differential.values import maker
from vipd.config.keywords import KEYWORDS
from vipd.config.parser import ConfigError, parse


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")
def test_keepalived_and_vipd_take_the_same_files_but_for_the_differences_in_the_table(namespaces: None) -> None:
    found = run.main(200, "slice")
    assert found["files"] == 200
    assert [(one["number"], one["theirs"], one["ours"]) for one in found["unexplained"]] == []


@given(st.integers(0, 10**9))
def test_no_generated_file_makes_the_parser_raise_anything_else(number: int) -> None:
    try:
        parse(file(Random(number)), "f")
    except ConfigError as error:
        assert error.problems


def test_every_form_of_the_table_of_keywords_has_something_that_makes_its_values() -> None:
    for keyword in KEYWORDS:
        block = re.fullmatch(r"\{ (.*) \.\.\. \}", keyword.form.text)
        assert block or maker(keyword.form.text)


def test_every_row_of_the_table_has_a_name_of_its_own_a_reason_and_was_seen() -> None:
    assert len({row.name for row in ROWS if row.name != "said beside"}) == len(ROWS) - 2
    seen = figures()["rows"]
    for row in ROWS:
        assert row.reason
        assert row.name == "said beside" or seen.get(row.name), f"{row.name} was not seen at full length"
    assert figures()["files"] >= 20_000


def test_a_difference_is_explained_only_where_every_line_of_it_is() -> None:
    unknown = "(/run/judged.conf: Line 3) Unknown keyword 'dual_version'"
    assert causes(Judgement(5, (unknown,)), Judgement(0, ()), "") == {"own keyword"}
    assert causes(Judgement(5, (unknown, "(V) something else")), Judgement(0, ()), "") is None
    assert causes(Judgement(0, ()), Judgement(70, ("Traceback",)), "") is None
    assert meaning(2) == meaning(5) == "refused"
