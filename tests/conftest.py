from __future__ import annotations

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("support")
pytest_plugins = ["pytester", "support.namespaces", "support.playbook"]

# How long an example takes says more of what else the machine does than of what is tested. The same examples each time:
# what is green stays so until something changes; `search` looks for more.
settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("quick")
