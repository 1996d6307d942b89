"""What the documentation says of vipd by hand is checked against it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vipd
from vipd.cli import USAGE
from vipd.config.behaviour import PRESETS
from vipd.config.keywords import KEYWORDS

DOCS = Path(__file__).parents[3] / "docs"


def test_theory_draws_a_machine_for_every_profile() -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    assert page.count("stateDiagram-v2") == len(PRESETS)


def test_the_manual_names_every_option_keyword_and_profile() -> None:
    page = (DOCS / "vipd.md").read_text(encoding="utf-8")
    for option in re.findall(r"--[a-z][a-z-]+", USAGE):
        assert f"`{option}`" in page
    for keyword in KEYWORDS:
        assert f"`{keyword.name}" in page
    for profile in PRESETS:
        assert f"`{profile}`" in page


def test_the_program_in_theory_joins_two_routers_and_prints_what_the_page_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    exec(compile(program, "theory.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_theory_lists_every_module_in_its_package() -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    table = page.partition("| module | its one idea |\n|---|---|\n")[2].partition("\n\n")[0]
    listed, package = set(), ""
    for row in table.splitlines():
        names = re.findall(r"`([a-z0-9_.]+)`", row.split("|")[1])
        if row.startswith("| **"):
            package = names[0].partition(".")[2]
        else:
            listed |= {f"{package}/{name}.py" for name in names}
    agent = Path(vipd.__file__ or "").parent
    assert listed == {str(path.relative_to(agent)) for path in agent.glob("*/*.py") if path.stem != "__init__"}
