"""A cluster that does not advertise, for real: its announcements say who is master."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.scenarios import InNamespaces, passed, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.subjects.pacemaker import Pacemaker

pytestmark = pytest.mark.skipif(
    not all(Path(path).exists() for path in Pacemaker.present), reason=f"needs {', '.join(Pacemaker.packages)}"
)


def test_a_cluster_whose_master_is_killed_is_followed_by_its_announcements(in_namespaces: InNamespaces) -> None:
    text = scenario("kill: {host: A}", "wait: {master: B, within: 60}", "observe: 1.5", owner="B")
    record = read_trial(in_namespaces.run(text, Pacemaker()))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert (view.faults[0].old_master, view.faults[0].new_master) == ("A", "B")
    assert view.summary.failover_s is not None
    assert view.summary.failover_s > 6, "corosync's token and consensus"
    assert (view.summary.deadline_excess_s, view.summary.x_s, view.adverts) == (None, None, [])
