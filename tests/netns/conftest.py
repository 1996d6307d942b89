from __future__ import annotations

import pytest

from support.netns_hosts import missing


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Asked once a session: root, and the tools to make namespaces with."""
    why_not = missing()
    if why_not:
        pytest.skip(why_not)
