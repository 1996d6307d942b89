"""A slice of `nox -s beside`: one file, and a few accidents that happen to keepalived and to vipd."""

from __future__ import annotations

import shutil

import pytest

from beside.files import files
from beside.run import cells, run

_HAPPENS = {"start", "a router of priority 254 stops in order", "SIGTERM"}


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")
def test_vipd_does_what_keepalived_does_but_for_the_differences_that_have_a_reason() -> None:
    (file,) = [one for one in files() if one.name == "by-the-rfc"]
    results = run([cell for cell in cells([file]) if cell.accident.name in _HAPPENS], at_once=1)
    assert {result.cell.accident.name for result in results} == _HAPPENS
    assert [one for result in results for one in result.found if not one.reason] == []
    assert any(one.reason == "macvlan" for result in results for one in result.found), "it would see a difference"
