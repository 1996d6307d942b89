from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import Hosts
from support.scenarios import InNamespaces


@pytest.fixture(scope="session", autouse=True)
def _everything_here_needs_them(namespaces: None) -> None:
    pass


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Hosts A and B and a client, for routers without the bench."""
    made = Hosts(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def in_namespaces(tmp_path: Path) -> InNamespaces:
    """The bench with its lab of namespaces."""
    return InNamespaces(tmp_path)
