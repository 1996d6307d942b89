"""What the documentation says of the code is drawn from it, or checked against it."""

from __future__ import annotations

import re
from pathlib import Path

from vipd.cli import USAGE
from vipd.config.behaviour import PRESETS
from vipd.config.keywords import KEYWORDS
from vipd.tools.diagram import redrawn
from vipd.tools.manual import rewritten

DOCS = Path(__file__).parents[3] / "docs"


def test_the_machines_in_theory_are_those_of_the_table() -> None:
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    assert redrawn(page) == page, "run: python -m vipd.tools.diagram docs/theory.md"
    assert page.count("stateDiagram-v2") == len(PRESETS)


def test_the_manual_names_every_option_keyword_and_profile() -> None:
    page = (DOCS / "vipd.md").read_text(encoding="utf-8")
    for option in re.findall(r"--[a-z][a-z-]+", USAGE):
        assert f"`{option}`" in page
    assert rewritten(page) == page, "run: python -m vipd.tools.manual docs/vipd.md"
    for keyword in KEYWORDS:
        assert f"`{keyword.name}" in page
    for profile in PRESETS:
        assert f"`{profile}`" in page
