"""Several instances on a pair, for real: a group moves as one, and each host is master of what is its own."""

from __future__ import annotations

import pytest

from support.scenarios import InNamespaces, needs, passed
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.scenario.load import resolve
from viplab.subjects.keepalived import Keepalived
from viplab.subjects.registry import assignment


@pytest.mark.parametrize("name", ["sync-group", "active-active", "dual-stack"])
@pytest.mark.parametrize("subject", ["vipd", pytest.param("keepalived", marks=needs(Keepalived))])
def test_instances_move_as_their_scenario_says(in_namespaces: InNamespaces, name: str, subject: str) -> None:
    ((text, scenario),) = resolve([name])
    record = read_trial(in_namespaces.run(text, assignment(subject)))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert {advert.virtual_router_id for advert in record.adverts if not hasattr(advert, "advskew")} == {51}
    (asked,) = record.all("unanswered") or [None]
    assert (asked is None) == (name == "sync-group"), "the address inside is on a network that the client is not on"
    assert asked is None or asked["addresses"] == []
    assert list(record.info.further) == list(scenario.vrrp.vrrp_instance)
