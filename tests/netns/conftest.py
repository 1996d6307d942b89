from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "vipd"))

from netns_hosts import missing


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Asked once a session: root, and the tools to make namespaces with."""
    why_not = missing()
    if why_not:
        pytest.skip(why_not)
