from __future__ import annotations

import pytest

from viplab.errors import InputError
from viplab.scenario.load import parse_scenario

HOSTS = "{A: {state: MASTER, priority: 102}, B: {state: BACKUP, priority: 101}, C: {}}"


def text(hosts: str = HOSTS, step: str = "kill: {host: A}", owner: str = "B") -> str:
    head = f"scenario: test\ntitle: t\nstory: s\nhosts: {hosts}\n"
    return f"{head}setup: [{{start: A}}, {{start: B}}]\nsteps: [{{{step}}}]\nexpect: {{owner: {owner}}}\n"


def test_a_host_without_state_and_priority_runs_no_daemon() -> None:
    scenario = parse_scenario(text(), "test")
    assert list(scenario.hosts) == ["A", "B", "C"]
    assert list(scenario.daemons) == ["A", "B"]


@pytest.mark.parametrize(
    "step", ["power_cut: {host: C}", "shutdown: {host: C}", "link_down: {host: C}", "link_up: {host: C}"]
)
def test_a_host_without_the_daemon_can_be_faulted(step: str) -> None:
    assert parse_scenario(text(step=step), "test").steps


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hosts": HOSTS.replace("C:", "router:")}, "hosts.router.[key]: String should match"),
        ({"hosts": HOSTS.replace("{}", "{state: BACKUP}")}, "hosts.C: Value error, state and priority"),
        ({"step": "kill: {host: D}"}, "steps.0: there is no host D; there are: A, B, C"),
        ({"step": "wait: {master: D}"}, "steps.0: there is no host D; there are: A, B, C"),
        ({"step": "kill: {host: C}"}, "steps.0: host C runs no daemon; give it a state and a priority"),
        ({"step": "bring_back: C"}, "steps.0: host C runs no daemon"),
        ({"step": "wait: {announced: C}"}, "steps.0: host C runs no daemon"),
        ({"owner": "C"}, "expect: host C runs no daemon"),
        ({"owner": "D"}, "expect: there is no host D"),
        ({"hosts": "{B: {state: BACKUP, priority: 101}}"}, "setup.0: there is no host A; there are: B"),
    ],
)
def test_a_host_that_cannot_do_what_is_asked_of_it_is_an_error_of_one_line(changed: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_scenario(text(**changed), "test")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
