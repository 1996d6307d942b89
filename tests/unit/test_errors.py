"""Exit statuses have one home; whoever cannot import it says the same."""

from __future__ import annotations

import re
from pathlib import Path

from viplab import doctor
from viplab.errors import ExitStatus

REPOSITORY = Path(__file__).parents[2]


def test_the_readme_has_a_row_for_every_exit_status_of_a_run() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    rows = {int(number) for number in re.findall(r"^\| (\d+) \| \S", readme, re.MULTILINE)}
    assert rows == set(ExitStatus) - {ExitStatus.WORSE}


def test_scripts_that_run_before_viplab_is_installed_use_the_same_exit_statuses() -> None:
    assert doctor.LACKING == ExitStatus.UNAVAILABLE
    nox, shell = ((REPOSITORY / name).read_text(encoding="utf-8") for name in ("noxfile.py", "bootstrap"))
    assert re.findall(r"^INTERNAL = (\d+)", nox, re.MULTILINE) == [str(int(ExitStatus.INTERNAL))]
    known = {ExitStatus.USAGE, ExitStatus.UNAVAILABLE, ExitStatus.INTERNAL}
    assert {int(number) for number in re.findall(r"\bstop (\d+)", shell)} <= known
