"""The parts of the daemon, each alone: schedule, scripts, reports."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.routers import config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import Command, Config, Hooks, Script, Track, TrackProcess
from vipd.daemon import dumps
from vipd.daemon import scripts as scripts_module
from vipd.daemon.config_files import commands
from vipd.daemon.latency import Latency
from vipd.daemon.runtime import Runtime
from vipd.daemon.schedule import Schedule
from vipd.daemon.scripts import Check, Scripts
from vipd.daemon.status import instance
from vipd.daemon.trackers import Trackers
from vipd.kernel import accounts, files
from vipd.kernel.accounts import unsafe
from vipd.protocol.router import Router
from vipd.protocol.table import Event, State

KEEPALIVED = PRESETS["keepalived-2"]


class Clockwork:
    def __init__(self, at_ns: int | None) -> None:
        self.at_ns = at_ns

    def deadline(self) -> int | None:
        return self.at_ns

    def handle_deadline(self, now: int) -> None:
        self.at_ns = None


# -- schedule


@given(
    st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(1, 50))), max_size=60), st.integers(1, 50)
)
def test_the_schedule_finds_whoever_is_due_however_deadlines_have_moved(
    moves: list[tuple[int, int | None]], now: int
) -> None:
    things, schedule = [Clockwork(None) for _ in range(6)], Schedule()
    for number, at_ns in moves:
        things[number].at_ns = at_ns
        schedule.update(things[number])
    deadlines = [thing.at_ns for thing in things if thing.at_ns is not None]
    assert schedule.next() == min(deadlines, default=None)
    due = [thing for _, thing in schedule.due(now)]
    assert set(due) == {thing for thing in things if thing.at_ns is not None and thing.at_ns <= now}
    assert schedule.next() == min((at_ns for at_ns in deadlines if at_ns > now), default=None)


def test_a_deadline_that_moves_later_costs_the_schedule_nothing() -> None:
    schedule, thing = Schedule(), Clockwork(10)
    for at_ns in range(10, 1000):
        thing.at_ns = at_ns
        schedule.update(thing)
    assert len(schedule._heap) == 1
    assert schedule.next() == 999


# -- scripts


class Asked:
    """Stands in for the way to the runner."""

    def __init__(self) -> None:
        self.ended: Callable[[int], None] = lambda status: None

    def run(self, command: Command, timeout_ns: int, queue: str, ended: Callable[[int], None]) -> None:
        self.ended = ended


class Silent:
    def line(self, text: str, detail: bool = False) -> None:
        pass


def results(script: Script, statuses: list[int]) -> list[bool]:
    told: list[bool] = []
    asked = Asked()
    check = Check(script, asked, Silent(), told.append)  # type: ignore[arg-type]
    for number, status in enumerate(statuses):
        check.handle_deadline(number * 10 * SECOND_NS)
        asked.ended(status)
    return told


def test_a_script_changes_after_fall_failures_and_rise_successes() -> None:
    script = Script("s", Command(("/x",)), rise=2, fall=3)
    assert results(script, [0, 1, 1]) == [True]
    assert results(script, [0, 1, 1, 1]) == [True, False]
    assert results(script, [0, 1, 1, 1, 0]) == [True, False]
    assert results(script, [0, 1, 1, 1, 0, 0]) == [True, False, True]
    assert results(script, [0, 1, 0, 1, 1]) == [True], "a success starts the count of failures anew"


def test_the_first_result_counts_at_once_unless_the_script_begins_as_failed() -> None:
    assert results(Script("s", Command(("/x",)), fall=5), [1]) == [False]
    assert results(Script("s", Command(("/x",)), rise=2, init_fail=True), [0]) == []
    assert results(Script("s", Command(("/x",)), rise=2, init_fail=True), [0, 0]) == [True]


def test_a_script_whose_settings_a_reload_changes_stays_what_it_was() -> None:
    for statuses, good in (([1], False), ([0], True), ([], True)):
        told: list[bool] = []
        asked = Asked()
        old = Check(Script("s", Command(("/x",))), asked, Silent(), told.append)  # type: ignore[arg-type]
        for number, status in enumerate(statuses):
            old.handle_deadline(number * 10 * SECOND_NS)
            asked.ended(status)
        changed = Script("s", Command(("/y",)), rise=3, fall=3, init_fail=good)
        new = Check(changed, asked, Silent(), told.append)  # type: ignore[arg-type]
        new.resume_from(old)
        assert new.good is good


def test_a_script_is_never_run_twice_at_a_time() -> None:
    check = Check(Script("s", Command(("/x",))), Asked(), Silent(), lambda good: None)  # type: ignore[arg-type]
    check.handle_deadline(0)
    assert check.deadline() is None


class Counting:
    """Stands in for the way to a runner that counts processes."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers: list[tuple[str, tuple[int, int]]] = []

    def ask(self, message: bytes) -> None:
        self.asked = [one[0] for one in marshal.loads(message)[1]]

    def answer(self) -> tuple[str, tuple[int, int]] | None:
        return self.answers.pop() if self.answers else None


def test_a_count_that_was_on_its_way_during_a_reload_is_of_no_other_process() -> None:
    told: list[tuple[str, int]] = []
    channel = Counting()
    scripts = Scripts(channel, Silent(), lambda descriptor: None)  # type: ignore[arg-type]

    def track(*names: str) -> list[int]:
        wanted = [TrackProcess(name, (name,)) for name in names]
        scripts.count([(one, lambda count, one=one: told.append((one.name, count))) for one in wanted])  # type: ignore[misc]
        return channel.asked

    before, after = track("one", "two"), track("two")
    channel.answers = [("counted", (number, 1)) for number in (*before, *after)]
    scripts.read()
    assert told == [("two", 1)]


def test_a_tracked_process_is_counted_before_any_priority_is_told() -> None:
    schedule = Schedule()
    scripts = Scripts(Counting(), Silent(), lambda descriptor: None)  # type: ignore[arg-type]
    trackers = Trackers(scripts, schedule, Silent(), lambda kind, name: None, lambda: 0)  # type: ignore[arg-type]
    here = Path("/proc/self/comm").read_text().strip()
    wanted = (TrackProcess("here", (here,)), TrackProcess("nowhere", ("there-is-none",)))
    tracks = tuple(Track("process", one.name, 20) for one in wanted)
    trackers.apply(Config((config(tracks=tracks),), processes=wanted))
    assert trackers.values == {("process", "here"): 1, ("process", "nowhere"): 0}


def test_a_takeover_looks_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str | None] = []

    def account(user: str | None, group: str | None) -> accounts.Account:
        looked_up.append(user)
        return accounts.Account(1, 1, ())

    monkeypatch.setattr(scripts_module, "account", account)
    scripts = Scripts(Counting(), Silent(), lambda descriptor: None)  # type: ignore[arg-type]
    hooks = Hooks((("MASTER", Command(("/x",), "one")), ("", Command(("/y",), "two"))))
    checks = (Script("s", Command(("/z",), "three")),)
    asked = commands(Config((config(hooks=hooks),), scripts=checks))
    scripts.look_up(asked)
    assert sorted(map(str, looked_up)) == ["one", "three", "two"]
    for command in asked:
        scripts._account(command)
    assert len(looked_up) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_script_that_another_than_root_could_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "s"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(accounts, "_parts", lambda path: {path, str(tmp_path)})
    tmp_path.chmod(0o755)
    assert unsafe(str(script)) is None
    script.chmod(0o775)
    assert "can be changed by another than root" in str(unsafe(str(script)))
    script.chmod(0o755)
    tmp_path.chmod(0o777)
    assert "can be changed by another than root" in str(unsafe(str(script)))
    tmp_path.chmod(0o755)
    os.chown(script, 65534, 0)
    assert "can be changed by another than root" in str(unsafe(str(script)))
    assert "No such file" in str(unsafe("/nonexistent/x"))
    assert "cannot be executed" in str(unsafe("/etc/passwd"))


# -- what is shown


def test_status_has_rfc_8347_s_names() -> None:
    buckets = instance(Router(config(), KEEPALIVED), "2026-01-01T00:00:00Z", "not-master", "2026-01-01T00:00:00Z")
    assert {"state", "is-owner", "last-adv-source", "up-datetime", "master-down-interval", "skew-time",
            "last-event", "new-master-reason", "statistics"} <= buckets.keys()  # fmt: skip
    counters = {"master-transitions", "advertisement-rcvd", "advertisement-sent", "interval-errors"}
    counters |= {"discontinuity-datetime", "priority-zero-pkts-rcvd", "priority-zero-pkts-sent", "address-list-errors"}
    assert counters | {"invalid-type-pkts-rcvd", "packet-length-errors"} <= buckets["statistics"].keys()


def test_status_says_what_made_it_master_and_since_when_it_is_up() -> None:
    running = Runtime(Config((config(),)), KEEPALIVED, {}, (0.0, 0.0))
    router = Router(config(), KEEPALIVED)
    name, up = router.config.name, []
    for last_event, heard, state in (
        (Event.STARTED, Event.STARTED, State.BACKUP),
        (Event.TIMER_EXPIRED, Event.HIGHER_RECEIVED, State.MASTER),
        (Event.HIGHER_RECEIVED, Event.HIGHER_RECEIVED, State.BACKUP),
        (Event.TIMER_EXPIRED, Event.LOWER_RECEIVED, State.MASTER),
        (Event.LINKS_LOST, Event.LOWER_RECEIVED, State.FAULT),
    ):
        router.last_event, router.last_advert_event = last_event, heard
        running.record(router, state, float(len(up)))
        reason = running.since[name][1]
        up.append((running.up.get(name), reason, instance(router, None, reason, "")["last-event"]))
    assert up == [
        (0.0, "not-master", "vrrp-event-startup"),
        (0.0, "no-response", "vrrp-event-master-timeout"),
        (0.0, "no-response", "vrrp-event-higher-priority-backup"),
        (0.0, "preempted", "vrrp-event-master-timeout"),
        (None, "preempted", "vrrp-event-interface-down"),
    ]


def test_dumps_have_keepalived_s_names() -> None:
    router = Router(config(), KEEPALIVED)
    (found,) = dumps.as_json([router], {})
    assert (found["data"]["iname"], found["data"]["state"], found["stats"]["advert_sent"]) == ("VI_1", 0, 0)
    assert "  Became master: 0" in dumps.stats([router])
    assert "   State = INIT" in dumps.data([router], KEEPALIVED, {})


def test_a_dump_never_writes_through_a_link(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "dump"
    target.write_text("before")
    path.symlink_to(target)
    files.replace(str(path), "after")
    assert (target.read_text(), path.read_text(), path.is_symlink()) == ("before", "after", False)


def test_latency_is_counted_in_powers_of_two() -> None:
    latency = Latency()
    for late_ns in (0, 1, 1000, 1001, 2000, 2001, 10**12):
        latency.record(late_ns)
    assert latency.buckets()[:3] == [
        {"up-to-us": 1, "count": 3},
        {"up-to-us": 2, "count": 2},
        {"up-to-us": 4, "count": 1},
    ]
    assert latency.worst_ns == 10**12
