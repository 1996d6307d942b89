from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from netns_hosts import Hosts, missing

WHY_NOT = missing()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    made = Hosts(tmp_path)
    try:
        yield made
    finally:
        made.close()
