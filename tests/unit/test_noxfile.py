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
