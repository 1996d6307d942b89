from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.netns_hosts import Hosts


@pytest.fixture
def hosts(namespaces: None, tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path)
    try:
        yield made
    finally:
        made.close()
