"""What is not supported, and in which words that is said."""

from __future__ import annotations

import pytest

from viplab.experiment.support import not_supported
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import load_scenario, scenario_files
from viplab.subjects.registry import assignment


@pytest.mark.parametrize(
    ("scenario", "subject", "why"),
    [
        # A rule for protocol 112 lets nothing through that was kept out.
        ("firewall-lets-vrrp-pass", "pacemaker", "heal: firewall needs adverts that say who is master"),
        ("firewall-lets-vrrp-pass", "keepalived", None),
        ("firewall-default", "pacemaker", None),
    ],
)
def test_what_a_daemon_has_not_is_not_supported(scenario: str, subject: str, why: str | None) -> None:
    found = not_supported(load_scenario(scenario_files()[scenario]), assignment(subject), NETNS)
    assert found == (why and f"{why}, and {subject} has none")
