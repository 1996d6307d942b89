from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

pytest.register_assert_rewrite("support")
pytest_plugins = ["pytester", "support.namespaces", "support.playbook", "support.toy_fault"]

# How long an example takes says more of what else the machine does than of what is tested. The same examples each time:
# what is green stays so until something changes; `search` looks for more.
settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("quick")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give all tests of a module that makes something for all of them to one worker, and every other test to any."""
    from xdist.scheduler import LoadScopeScheduling

    @cache
    def shares(module: str) -> bool:
        return 'scope="module"' in (config.rootpath / module).read_text(encoding="utf-8")

    class ByModuleOrTest(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module, _, _ = nodeid.partition("::")
            return module if shares(module) else nodeid

    return ByModuleOrTest(config, log)
