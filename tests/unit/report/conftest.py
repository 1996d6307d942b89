from __future__ import annotations

from pathlib import Path

import pytest

from viplab.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run folder with nothing in it: a report is made of the view."""
    return RunFolder(tmp_path)
