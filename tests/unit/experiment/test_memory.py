"""Which trials may begin from the memory of a pair, and what tells one such pair from another."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from viplab.errors import LabError
from viplab.experiment import memory, session, trial
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import read_recipe, write_recipe
from viplab.experiment.scenario_runner import ScenarioRunner
from viplab.experiment.trial import Trial
from viplab.lab.guest import Guest
from viplab.lab.netns.kind import NETNS
from viplab.observe.timeline import Timeline
from viplab.observe.watch import Seen
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario, resolve
from viplab.scenario.model import Scenario
from viplab.subjects.assignment import Assignment
from viplab.subjects.registry import subject
from viplab.subjects.vipd import Vipd


def named(name: str) -> Scenario:
    ((_, scenario),) = resolve([name])
    return scenario


def changed(name: str, old: str, new: str) -> Scenario:
    ((text, _),) = resolve([name])
    assert old in text
    return parse_scenario(text.replace(old, new), name)


class Built(Vipd):
    """vipd as it would be built from other sources."""

    def install(self, guest: Guest) -> None:
        guest.put(b"another build", "/usr/local/sbin/vipd.pyz", 0o755)


class Asking(Vipd):
    """What it does depends on the host."""

    def install(self, guest: Guest) -> None:
        guest.put(guest.get("/etc/machine-id"), "/etc/id")


@pytest.mark.parametrize(
    ("scenario", "restored"),
    [
        *[("case-a", True), ("case-c", True), ("power-cut", True), ("failover", True), ("third-host", True)],
        # Looks at the hosts before the start; injects faults in its set-up; is done once.
        *[("part-1", False), ("case-b", False), ("case-d", False), ("calibration", False)],
    ],
)
def test_a_set_up_that_starts_daemons_and_nothing_else_may_come_from_memory(scenario: str, restored: bool) -> None:
    assert memory.can_be_restored(named(scenario), Assignment(Vipd())) is restored


def test_a_pair_that_does_not_advertise_is_set_up_anew_since_nothing_would_say_who_is_master() -> None:
    assert not memory.can_be_restored(named("case-a"), Assignment(subject("pacemaker")))


def test_a_pair_is_known_by_all_that_led_to_it_and_by_nothing_that_comes_after() -> None:
    base = memory.moment_name(named("case-a"), Assignment(Vipd()))
    assert base is not None
    assert memory.moment_name(changed("case-a", "kill: {host: A}", "stop: {host: A}"), Assignment(Vipd())) == base
    others = [
        memory.moment_name(named("power-cut"), Assignment(Vipd())),
        memory.moment_name(changed("case-a", "priority: 102", "priority: 103"), Assignment(Vipd())),
        memory.moment_name(changed("case-a", "wait: {announced: A}", "wait: {master: A}"), Assignment(Vipd())),
        memory.moment_name(named("case-a"), Assignment(Vipd("keepalived-2"))),
        memory.moment_name(named("case-a"), Assignment(subject("keepalived"))),
        memory.moment_name(named("case-a"), Assignment(Built())),
    ]
    assert len({base, *others}) == 1 + len(others)
    assert None not in others


def runner(tmp_path: Path, heard: str) -> tuple[ScenarioRunner, Path]:
    """A restored pair of which one host is heard to advertise, with nothing to measure."""
    watch = cast("Any", SimpleNamespace(seen=Seen(advertiser=heard, advert_ns=time.time_ns()), until=lambda *_: 0.0))
    folder = TrialFolder(tmp_path)
    found = ScenarioRunner(
        named("case-a"),
        Assignment(Vipd()),
        cast("Any", None),
        folder,
        Timeline(folder.timeline),
        watch,
        iter(()),
        iter(()),
    )
    found._measured = lambda: None  # type: ignore[method-assign]
    return found, folder.timeline


def test_the_steps_begin_at_a_place_of_an_advert_of_the_host_that_was_master(tmp_path: Path) -> None:
    assert memory.master(named("case-a")) == "A"
    found, timeline = runner(tmp_path, "A")
    found.go_on(["A", "B"], "A", 0.001)
    begun, ended = map(json.loads, timeline.read_text().splitlines())
    assert (begun["event"], begun["step"], ended["event"]) == ("step_started", "wait: place 0.001", "step_finished")


def test_a_pair_of_which_another_host_is_master_by_now_is_not_measured(tmp_path: Path) -> None:
    found, _ = runner(tmp_path, "B")
    with pytest.raises(LabError, match="B is master of the restored pair, and A was when it was saved"):
        found.go_on(["A", "B"], "A", 0.001)


def test_a_subject_that_asks_the_host_before_it_is_there_has_no_memory() -> None:
    assert memory.moment_name(named("case-a"), Assignment(Asking())) is None


@pytest.mark.parametrize(
    ("asked", "restores"),
    [({"trials": 2}, True), ({}, False), ({"trials": 2, "cold_start": True}, False)],
)
def test_only_trials_that_are_repeated_begin_from_memory_and_none_on_request(
    asked: dict[str, Any], restores: bool
) -> None:
    plan = Plan(resolve(["case-a"]), [Assignment(Vipd())], NETNS, **asked)
    assert {trial.restores for _, trial in session._trials(plan, 1)} == {restores}


def test_a_recipe_says_whether_the_start_is_cold_and_one_that_does_not_was_made_of_cold_starts(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    for cold in (False, True):
        write_recipe(
            Plan(resolve(["case-a"]), [Assignment(Vipd())], NETNS, trials=2, cold_start=cold), 1, None, None, path
        )
        assert read_recipe(path)[1].cold_start is cold
    path.write_text("".join(line for line in path.open() if not line.startswith("cold_start")))
    assert read_recipe(path)[1].cold_start is True


def test_what_was_recorded_of_the_set_up_is_copied_to_the_trial(tmp_path: Path) -> None:
    moment, kept_in = tmp_path / "moment", TrialFolder(tmp_path / "trial")
    (moment / "A").mkdir(parents=True)
    kept_in.path.mkdir()
    (moment / "A" / "messages.log").write_text("started")
    (moment / "A" / "memory.save").write_text("large")
    timeline = memory.recorder(moment, ())
    timeline.record("daemon_started", host="A", t_ns=41)
    timeline.record("trial_finished", t_ns=42)
    timeline.close()
    assert memory.copy_evidence(moment, ["A"], kept_in) == 42
    kept = {str(path.relative_to(kept_in.memory)) for path in kept_in.memory.rglob("*") if path.is_file()}
    assert kept == {"timeline.jsonl", "A/messages.log"}


@pytest.mark.parametrize("record", [None, "", "[]\n", '{"event": "x"}\n', "{"])
def test_a_moment_whose_record_is_damaged_is_told_thrown_away_and_not_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], record: str | None
) -> None:
    moment, folder = tmp_path / "moment", TrialFolder(tmp_path / "trial")
    moment.mkdir()
    folder.path.mkdir()
    if record is not None:
        (moment / "timeline.jsonl").write_text(record)
    asked = Trial(named("case-a"), "", Assignment(Vipd()), 1, 1, 2, restores=True)
    lab = cast("Any", SimpleNamespace(revert=lambda *_: moment))
    assert not trial._restore(asked, lab, folder, Timeline(folder.timeline), ())
    assert "thrown away (no record of its set-up is kept with it" in capsys.readouterr().err
    assert not moment.exists()
    assert not folder.memory.exists()
    assert asked.unsteady == {memory.moment_name(asked.scenario, asked.assignment)}
