from __future__ import annotations

import shutil

import pytest


@pytest.fixture(autouse=True)
def lab_tools(namespaces: None) -> None:
    """What the bench runs besides."""
    if shutil.which("arp") is None:
        pytest.skip("needs arp, which net-tools brings")
