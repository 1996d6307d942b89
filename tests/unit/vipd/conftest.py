"""A configuration without errors, for those who need a file of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.keepalived_conf import PART_1


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "keepalived.conf"
    file.write_text("global_defs {\ndynamic_interfaces\n}\n" + PART_1)
    return str(file)
