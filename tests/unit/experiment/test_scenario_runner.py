"""What the runner says of daemons: that one has ended, and never what a guest could not say."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock, PropertyMock

import pytest

from viplab.errors import DaemonError, LabError
from viplab.experiment import scenario_runner
from viplab.experiment.scenario_runner import ScenarioRunner
from viplab.observe.timeline import Timeline
from viplab.observe.watch import Seen
from viplab.run_folder import TrialFolder
from viplab.scenario.load import resolve


def runner(folder: Path, processes: Exception) -> ScenarioRunner:
    """A host whose daemon is asked for its processes, and a wire on which nothing comes."""
    ((_, scenario),) = resolve(["case-a"])
    subject = Mock()
    subject.processes.side_effect = processes
    subject.holds.return_value = False
    guest = Mock(running=True)
    guest.host.name = "A"
    watch = SimpleNamespace(seen=Seen(), until=Mock(side_effect=LabError("waited 4 s for an advert, in vain")))
    return ScenarioRunner(
        scenario,
        cast("Any", SimpleNamespace(on=lambda host: subject, protocol=lambda scenario: "vrrp2")),
        cast("Any", SimpleNamespace(hosts={"A": guest})),
        TrialFolder(folder),
        Timeline(folder / "timeline.jsonl"),
        cast("Any", watch),
        iter(()),
        iter(()),
    )


@pytest.mark.parametrize(
    ("said", "held"), [(DaemonError("vipd does not run on A"), [False]), (LabError("SSH to A: no answer"), [])]
)
def test_only_a_host_that_says_so_has_no_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Exception, held: list[bool]
) -> None:
    monkeypatch.setattr(scenario_runner.clocks, "record_guest_clock", lambda guest, timeline: None)
    found = runner(tmp_path, said)
    if held:
        found._record_holds()
    else:
        with pytest.raises(LabError, match="no answer"):
            found._record_holds()
    events = [json.loads(line) for line in (tmp_path / "timeline.jsonl").read_text().splitlines()]
    assert [event["daemon"] for event in events if event["event"] == "holds"] == held


def test_a_host_that_shuts_down_is_waited_for_and_asked_nothing_any_more(tmp_path: Path) -> None:
    found = runner(tmp_path, LabError("SSH to A: the connection ended"))
    guest = found._lab.hosts["A"]
    going = iter([True, True, False])
    type(guest).running = PropertyMock(side_effect=lambda: next(going, False))
    found._ended.add("A")
    found._record_holds()
    assert next(going, None) is None
    assert (tmp_path / "timeline.jsonl").read_text() == ""


def test_adverts_that_do_not_come_are_the_daemon_s_matter_where_it_has_ended(tmp_path: Path) -> None:
    found = runner(tmp_path, DaemonError("vipd does not run on A"))
    found._started.add("A")
    found._phase = "steps"
    with pytest.raises(DaemonError, match="does not run on A"):
        found._reach(0.5)
