"""A few of the folders that `nox -s folders` tries by the hundred."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz" / "fuzz_folder.py"


@pytest.mark.parametrize("first", [1000, 2000, 3000])
def test_no_damaged_folder_makes_a_command_do_anything_but_judge_it_or_say_what_is_wrong(first: int) -> None:
    done = subprocess.run([sys.executable, FUZZ, "3", str(first)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "3 folders, 0 broke a rule\n"), done.stdout + done.stderr
