"""Kinds of fault that other packages bring."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from support import toy_fault
from support.toy_fault import DOZE

PROGRAM = """
from viplab.errors import ViplabError
from viplab.faults import known
try:
    print(*known())
except ViplabError as error:
    print(error)
"""


def said(folder: Path, module: str) -> str:
    """What a process says of the table that has a package of that one module installed."""
    (folder / "toy.py").write_text(module)
    (folder / "toy-1.dist-info").mkdir()
    (folder / "toy-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (folder / "toy-1.dist-info" / "entry_points.txt").write_text("[viplab.faults]\nmine = toy:KINDS\n")
    paths = [str(folder), str(Path(toy_fault.__file__).parents[1]), *sys.path]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment, cwd=folder
    )
    return done.stdout.strip()


@pytest.mark.parametrize("kinds", ["DOZE", "(DOZE,)"])
def test_a_package_adds_one_kind_or_several(tmp_path: Path, kinds: str) -> None:
    names = said(tmp_path, f"from support.toy_fault import DOZE\nKINDS = {kinds}\n").split()
    assert names[0] == "kill"
    assert names[-1] == "doze"


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("KINDS = [3]", "TypeError: 3 is no FaultKind"),
        ("from viplab.faults.process import KINDS", "InputError: fault kind 'kill' is there twice"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
    ],
)
def test_a_package_that_is_broken_is_one_line_that_names_it(tmp_path: Path, module: str, why: str) -> None:
    line = said(tmp_path, module)
    assert line.startswith(f"fault kinds mine: the plug-in of toy does not load ({why}")
    assert line.endswith("mend or uninstall it")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "Freeze it"}, "a name has small letters"),
        ({"signs": ()}, "signs: "),
        ({"state": None}, "part, state: "),
        ({"part": None}, "part, state: "),
        ({"healed": None}, "healed: "),
    ],
)
def test_a_kind_that_contradicts_itself_cannot_be_made(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(DOZE, **changes)  # type: ignore[arg-type]
