"""The table of fault kinds is complete, and every part of the bench that speaks of faults reads it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, get_args
from unittest.mock import Mock

import pytest

from support import report_sample
from support import synthetic as s
from support.toy_fault import DOZE
from viplab.analysis.reading import read_trial
from viplab.analysis.summary import FaultSummary
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.errors import InputError
from viplab.experiment.scenario_runner import _STEPS
from viplab.faults import (
    Effect,
    FaultKind,
    Heard,
    InGuest,
    Injection,
    OnGuest,
    Part,
    VirtualRouter,
    known,
    page,
    register,
)
from viplab.inject import ways
from viplab.inject.fault import inject
from viplab.inject.ways import Bench
from viplab.lab.guest import Result, Timing
from viplab.lab.topology import BY_NAME, make_host
from viplab.live.picture import Picture
from viplab.observe.timeline import Timeline
from viplab.report import narrate, outline, overview
from viplab.report.timeline import fault_words
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.scenario.schema import schema_text
from viplab.scenario.step import Step, steps
from viplab.subjects.registry import subject

GIVEN: dict[str, Any] = {
    "bring_back": "A",
    "cut": {"duration_ms": 5},
    "announcements_limited": {"rate": 1},
    "clock_stepped": {"host": "A", "seconds": 5},
}
"""What a step needs, where that is not just the host, or nothing where no host is struck."""

ROUTER = VirtualRouter("192.168.122.50", 51, 2, ["192.168.122.50"])
every_kind = pytest.mark.parametrize("kind", [*known().values(), DOZE], ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def _one_more(doze: FaultKind) -> None:
    """A kind of another package is told of as the others are."""


def host_of(kind: FaultKind) -> str | None:
    return "A" if kind.part is not None else None


def step_of(kind: FaultKind) -> dict[str, Any]:
    return {kind.name: GIVEN.get(kind.name, {"host": "A"} if kind.part is not None else {})}


def scenario_of(kind: FaultKind) -> str:
    head = "scenario: test\ntitle: t\nstory: s\nhosts: {A: {state: MASTER, priority: 102}}\n"
    return f"{head}steps: [{json.dumps(step_of(kind))}]\nexpect: {{owner: A}}\n"


@every_kind
def test_a_kind_has_every_word(kind: FaultKind) -> None:
    assert kind.sentence.endswith(".")
    assert ("{host}" in kind.words) == (kind.part is not None)
    assert (kind.state is not None) == (kind.part is not None)
    assert (kind.healed is not None) == kind.heals
    assert "{" not in kind.said("A") + kind.said_healed("A")
    assert kind.signs


@every_kind
def test_a_kind_is_a_step_that_the_scenario_takes_and_the_schema_offers(kind: FaultKind) -> None:
    (step,) = parse_scenario(scenario_of(kind), "test").steps
    assert isinstance(step, Step)
    assert isinstance(step.argument, kind.target)
    assert str(step).startswith(f"{kind.name}: ")
    schema = json.loads(schema_text())
    offered = {next(iter(one["properties"])): one for one in _alternatives(schema)}
    assert offered[kind.name]["description"] == kind.sentence


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    one = schema["properties"]["steps"]["items"]
    while "oneOf" not in one:
        one = schema["$defs"][one["$ref"].rpartition("/")[2]]
    found: list[dict[str, Any]] = one["oneOf"]
    return found


def test_every_step_is_done_by_the_runner_or_is_a_fault() -> None:
    assert _STEPS.keys() | known().keys() == steps().keys()


class Host:
    """A guest that does as it is told, and remembers it."""

    shutdown_command = "halt"
    running = True

    def __init__(self) -> None:
        self.host = make_host("A")
        self.done: list[str] = []

    def arm(self, command: str, marker: str) -> Any:
        host = self

        class Armed:
            def fire(self) -> Timing:
                host.done.append(command)
                return Timing(1, 2, 0)

        return Armed()

    def run(self, command: str) -> Result:
        return Result(command, 0, "PPid:\t1\n", "")

    def power_cut(self) -> Timing:
        self.done.append("power")
        return Timing(1, 2, 0)

    pause = resume = power_cut

    def set_carrier(self, interface: str, *, present: bool) -> Timing:
        self.done.append(interface)
        return Timing(1, 2, 0)


class Daemon:
    start_command, stop_command = "start", "stop"

    def on(self, host: str) -> Any:
        return self

    def processes(self, guest: Any) -> list[int]:
        return [7]


class Rules:
    """In place of those of nftables."""

    def __init__(self, family: str, match: Mapping[str, str]) -> None:
        assert family and all(match.values())

    def drop(self) -> Timing:
        return Timing(1, 2, 0)

    lift = drop

    def dropped(self) -> int:
        return 3

    def remove(self) -> None:
        pass


class Stranger:
    """In place of one on a bridge."""

    marker = None

    def __init__(self, bridge: str, frames: Sequence[bytes], rate: int) -> None:
        assert bridge and rate and all(len(frame) >= 42 for frame in frames)

    def strike(self) -> Timing:
        return Timing(1, 2, 0)

    def heal(self) -> tuple[Timing, dict[str, Any]]:
        return Timing(2, 3, 0), {"frames": 1}

    def discard(self) -> None:
        pass


class Port:
    """In place of a bridge's: what it is told is what it says."""

    def __init__(self) -> None:
        self.flags: dict[str, bool] = {}

    def run(self, command: Sequence[str]) -> str:
        if "set" in command:
            words = command[command.index("set") + 3 :]
            self.flags = {flag: on == "on" for flag, on in zip(words[::2], words[1::2], strict=True)}
        return json.dumps([self.flags])


@every_kind
def test_a_kind_is_injected_and_healed_as_it_states(
    kind: FaultKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "DropRules", Rules)
    monkeypatch.setattr(ways, "Stranger", Stranger)
    monkeypatch.setattr(ways, "run", Port().run)
    monkeypatch.setattr(ways.time, "time_ns", iter(range(1, 100)).__next__)
    (step,) = parse_scenario(scenario_of(kind), "test").steps
    host: Any = Host()
    daemon: Any = Daemon()
    timeline = Timeline(tmp_path / "timeline.jsonl")
    injected = inject(
        kind,
        step.argument,
        Bench({"A": host}, BY_NAME, daemon, ROUTER, Random(1)),
        timeline,
        "steps",
        0.5,
        lambda: None,
    )
    injected.heal()
    injected.heal()
    struck, *healed = [json.loads(line) for line in (tmp_path / "timeline.jsonl").read_text().splitlines()]
    assert (struck["event"], struck["kind"], struck["host"]) == ("fault_injected", kind.name, host_of(kind))
    assert (struck["before_ns"], struck["after_ns"]) == (1, 2)
    assert [event["event"] for event in healed] == ["fault_healed"] * kind.heals
    if isinstance(kind.injection, InGuest | OnGuest):
        assert len(host.done) == 1 + kind.heals


def test_every_way_of_injection_has_hands() -> None:
    assert ways._WAYS.keys() == set(get_args(Injection))


def trial_with(kind: str, folder: Path, host: str | None = "A", **more: Any) -> TrialView:
    """Case A, with a fault of that kind and its healing in place of the one that was injected."""
    written = TrialFolder(s.CASES["case-a"]("keepalived-2").write(folder, 1))
    events = [json.loads(line) for line in written.timeline.read_text().splitlines()]
    injected = next(event for event in events if event["event"] == "fault_injected")
    injected |= {"kind": kind, "host": host, "marker": None, **more}
    healed = injected["t_ns"] + s.S
    events.append(injected | {"event": "fault_healed", "t_ns": healed, "before_ns": healed, "after_ns": healed})
    events.sort(key=lambda event: int(event["t_ns"]))
    written.timeline.write_text("".join(json.dumps(event) + "\n" for event in events))
    return view_trial(read_trial(written))


@every_kind
def test_analysis_knows_a_kind(kind: FaultKind, tmp_path: Path) -> None:
    view = trial_with(kind.name, tmp_path, host_of(kind))
    if kind.effect is Effect.CLIENT_CUT:
        assert (len(view.faults), len(view.summary.cuts)) == (0, 1)
    else:
        assert [fault.summary.fault.kind for fault in view.faults] == [kind.name]
        assert view.faults[0].summary.event is not None or kind.returns
        predicted = kind.effect is not None and not (kind.ends(Part.LINK) and not view.info.tracked)
        assert (view.faults[0].summary.outage_window_s is not None) == predicted
    assert "not known" not in view.summary.reason


def test_every_effect_on_a_master_has_a_row_in_each_timing_model() -> None:
    subjects = map(subject, ("vipd", "keepalived", "frr", "ucarp", "pacemaker"))
    for family in (family for each in subjects for family in each.profiles):
        assert family.timing is not None, family.name
        assert set(family.timing.outage) == set(Effect) - {Effect.CLIENT_CUT}, family.name


def test_a_swim_lane_of_a_pair_from_memory_is_on_from_the_beginning(tmp_path: Path) -> None:
    trial = s.case_a(s.FAMILIES[0])
    trial.event(0, "restored", what="restored from memory of a steady pair", hosts=["A", "B"], made_ns=s.START_NS)
    view = view_trial(read_trial(TrialFolder(trial.write(tmp_path, 1))))
    for name in ("A", "B"):
        (lane,) = (lane for lane in view.swim_lanes if lane.name == name)
        assert lane.intervals[0].label != "off"
    assert any("restored from memory of a steady pair" in note for note in view.notes)


def test_a_swim_lane_is_off_from_where_a_daemon_ends_to_where_one_begins(tmp_path: Path) -> None:
    for kind in (kind for kind in known().values() if kind.ends_daemon):
        (lane,) = (lane for lane in trial_with(kind.name, tmp_path / kind.name).swim_lanes if lane.name == "A")
        assert lane.intervals[-1].label == "off"
    (lane,) = (lane for lane in trial_with("doze", tmp_path / "doze").swim_lanes if lane.name == "A")
    assert lane.intervals[-1].label == "silent"


@every_kind
def test_a_report_says_a_kind_in_its_words(kind: FaultKind) -> None:
    trial = report_sample.trial()
    (view,) = trial.faults
    fault = view.summary.fault.model_copy(update={"kind": kind.name, "host": host_of(kind)})
    shown = view.model_copy(update={"summary": FaultSummary(**view.summary.model_dump() | {"fault": fault})})
    assert fault_words(shown) == kind.said(host_of(kind))
    assert kind.said(host_of(kind)) in narrate.tell(trial, shown)[0]


@pytest.mark.parametrize(("name", "deadline"), [("kill", True), ("bring_back", False), ("doze", True)])
def test_a_report_asks_for_a_deadline_where_no_host_returns(name: str, deadline: bool) -> None:
    trial = report_sample.trial()
    (view,) = trial.faults
    summary = view.summary.model_copy(update={"fault": view.summary.fault.model_copy(update={"kind": name})})
    changed = trial.model_copy(update={"faults": [view.model_copy(update={"summary": summary})]})
    chapters = outline.chapters(report_sample.run(changed))
    (block,) = (block for chapter in chapters for case in chapter.cases for block in overview.blocks(case))
    assert [row.deadline for row in block.rows] == [deadline]


@every_kind
def test_the_live_view_says_a_kind_and_what_the_host_is_then(kind: FaultKind) -> None:
    picture = Picture(info=report_sample.trial().info)
    picture.heard({"t_ns": 1, "event": "fault_injected", "kind": kind.name, "host": host_of(kind)})
    assert picture.hosts["A"] == (kind.state or "off")
    picture.heard({"t_ns": 2, "event": "fault_healed", "kind": kind.name, "host": host_of(kind)})
    assert picture.hosts["A"] == "off"
    struck, healed = picture.news
    assert (struck.text, struck.loud) == (f"fault: {kind.said(host_of(kind))}", True)
    assert healed.text == f"healed: {kind.said_healed(host_of(kind))}"
    assert "None" not in struck.text + healed.text


@every_kind
def test_the_documentation_has_a_row_for_a_kind(kind: FaultKind) -> None:
    assert f"| `{kind.name}` | {kind.sentence} |" in page.markdown()


def test_a_kind_that_is_not_known_is_said_and_decides_nothing(tmp_path: Path) -> None:
    reason = "fault kind 'meteor' is not known here; install the package that brings it, or a newer viplab"
    for host in ("A", None):
        summary = trial_with("meteor", tmp_path / str(host), host).summary
        assert (summary.verdict, summary.reason) == ("undecided", reason)
    picture = Picture()
    picture.heard({"t_ns": 1, "event": "fault_injected", "kind": "meteor", "host": "A"})
    assert [(news.text, news.loud) for news in picture.news] == [(reason, True)]


def test_a_fault_of_a_host_that_names_none_decides_nothing(tmp_path: Path) -> None:
    summary = trial_with("kill", tmp_path, None).summary
    assert (summary.verdict, summary.reason) == (
        "undecided",
        "a fault of kind 'kill' does not say which host it struck",
    )


def test_a_scenario_with_a_kind_that_is_not_known_lists_those_that_are() -> None:
    text = scenario_of(DOZE).replace("doze", "meteor")
    with pytest.raises(InputError, match=r"steps\.0: a step is a mapping with one key out of: start,.*kill,.*doze"):
        parse_scenario(text, "test")


def test_what_is_wrong_within_a_step_is_said_with_its_place() -> None:
    text = scenario_of(DOZE).replace('"A"}', '"A", "place": 2}')
    with pytest.raises(InputError, match=r"steps\.0\.doze\.place: Input should be less than 1 \(found 2\)"):
        parse_scenario(text, "test")


def test_a_scenario_that_says_phase_for_place_is_still_read() -> None:
    text = scenario_of(DOZE).replace('"A"}', '"A", "phase": 0.25}')
    (step,) = parse_scenario(text, "test").steps
    assert step.argument.place == 0.25


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="fault kind 'doze' is there twice"):
        register(DOZE)


@pytest.mark.parametrize("seconds", [5, -3600])
def test_a_clock_that_is_stepped_and_healed_keeps_its_fraction_of_a_second(seconds: int) -> None:
    stepped = known()["clock_stepped"]
    assert isinstance(stepped.injection, InGuest)
    assert stepped.injection.heal is not None
    for command, by_s in ((stepped.injection.command, seconds), (stepped.injection.heal, -seconds)):
        setting = command(stepped.target.model_validate({"host": "A", "seconds": seconds}), Mock(), Mock())
        # What would be set is printed instead.
        telling = setting.replace(" -s ", " +%s%N -d ").removesuffix(" >/dev/null")
        before_ns = time.time_ns()
        said = subprocess.run(["sh", "-c", telling], capture_output=True, text=True, check=True).stdout
        assert before_ns <= int(said) - by_s * 10**9 <= time.time_ns()


def test_a_restart_starts_no_daemon_beside_one_that_is_ending() -> None:
    ending = subprocess.Popen(["sleep", "0.3"])
    threading.Thread(target=ending.wait).start()
    daemon = Mock(stop_command="true", start_command=f"[ ! -d /proc/{ending.pid} ]")
    daemon.processes.return_value = [ending.pid]
    restart = known()["restart"]
    assert isinstance(restart.injection, InGuest)
    command = restart.injection.command(restart.target.model_validate({"host": "A"}), daemon, Mock())
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0


def test_a_host_s_firewall_has_protocols_by_number_since_not_every_host_has_their_names() -> None:
    injection = known()["firewall"].injection
    assert isinstance(injection, InGuest)
    command = injection.command(Mock(interface="eth0"), Mock(), Mock())
    assert re.findall(r"l4proto \S+ (\S+)", command) == ["1,"]


@pytest.mark.parametrize(
    ("heard", "a_to_b", "b_to_a", "b_to_c"),
    [
        (Heard.ALL, True, True, True),
        (Heard.NOT_FROM_IT, False, True, True),
        (Heard.NOT_BY_IT, True, False, True),
        (Heard.NONE, False, False, True),
        (Heard.UNKNOWN, False, True, True),
    ],
)
def test_of_a_host_that_is_struck_one_knows_whom_it_hears_and_who_hears_it(
    heard: Heard, a_to_b: bool, b_to_a: bool, b_to_c: bool
) -> None:
    assert (heard.between("A", "A", "B"), heard.between("A", "B", "A"), heard.between("A", "B", "C")) == (
        a_to_b,
        b_to_a,
        b_to_c,
    )
    assert heard.from_it == a_to_b
    assert heard.between(None, "B", "C") is (heard is Heard.ALL)
