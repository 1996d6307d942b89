"""The sessions of nox say what is wrong with their arguments before they install anything; nox itself is not needed."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from viplab.resources import checkout

REPOSITORY = Path(__file__).parents[2]


class RefusedError(Exception):
    """What `session.error` raises."""


class Session:
    """As much of nox's session as refuses."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = posargs

    def error(self, *words: str) -> None:
        raise RefusedError(*words)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    nox, command = ModuleType("nox"), ModuleType("nox.command")
    vars(nox).update(session=lambda function: function, options=SimpleNamespace())
    vars(command).update(CommandFailed=Exception)
    monkeypatch.setitem(sys.modules, "nox", nox)
    monkeypatch.setitem(sys.modules, "nox.command", command)
    return runpy.run_path(str(REPOSITORY / "noxfile.py"))


@pytest.mark.skipif(checkout() is None, reason="no checkout")
@pytest.mark.parametrize("named", [["keepalived"], ["keepalived", "--trials", "3"], ["one", "two", "three"]])
def test_the_benchmark_takes_two_subjects_or_none(named: list[str], sessions: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="two, OLD and NEW"):
        sessions["bench"](Session(*named))


@pytest.mark.skipif(checkout() is None, reason="no checkout")
def test_an_option_that_the_benchmark_is_given_goes_before_its_own_and_leaves_the_others(
    sessions: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    session = Session("keepalived", "vipd", "--trials", "4")
    monkeypatch.setattr(session, "run", lambda *words, **_: ran.append(words), raising=False)
    functions = sessions["bench"].__globals__
    for name in ("_install", "_become"):
        monkeypatch.setitem(functions, name, lambda *_: None)
    sessions["bench"](session)
    (words,) = ran
    assert words[-6:] == ("--lab", "netns", "--trials", "20", "--trials", "4")
