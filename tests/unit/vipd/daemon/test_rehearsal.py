"""A takeover is rehearsed shortly before it is due; nothing of that is seen, and it never comes early."""

from __future__ import annotations

import time
from copy import deepcopy

import pytest

from vipd.config.behaviour import PRESETS
from vipd.config.parser import parse
from vipd.daemon.rehearsal import Rehearsal
from vipd.protocol.effects import Effect, SendAdvert
from vipd.protocol.router import Router
from vipd.protocol.table import State

SECOND_NS = 10**9
TIMES = 50  # more than there may be lines of a kind in ten seconds
LINES = (
    "priority 255",
    "state MASTER\npriority 101",
    "nopreempt",
    "preempt_delay 300\npriority 101",
    "version 3\nadvert_int 0.01",
    "authentication {\nauth_type AH\nauth_pass secret\n}",
    "unicast_peer {\n10.0.0.2\n}",
)


class Timer:
    """Takes what the timer is set to."""

    def __init__(self) -> None:
        self.set_ns: list[int | None] = []

    def set(self, at_ns: int | None) -> None:
        self.set_ns.append(at_ns)


def router(said: str = "", profile: str = "keepalived-2") -> Router:
    text = f"vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\n{said}\nvirtual_ipaddress {{\n10.0.0.9\n}}\n}}"
    return Router(parse(text, "f").config.routers[0], PRESETS[profile], primary=1)


def backup_due_at(due_ns: int, said: str = "", profile: str = "keepalived-2") -> Router:
    """A backup that starts so that its deadline is then."""
    made = router(said, profile)
    made.started({"eth0": True}, due_ns - made.timers_ns[2])
    made.drain()
    assert made.state is State.BACKUP
    assert made.deadline() == due_ns
    return made


def no_events(timeout_s: float) -> bool:
    return False


@pytest.mark.parametrize("profile", PRESETS)
@pytest.mark.parametrize("said", LINES)
def test_a_warm_up_ends_whatever_is_configured(profile: str, said: str) -> None:
    made = router(said, profile)
    Rehearsal(lambda *_: None).warm_up(made.config, made.behaviour)


@pytest.mark.parametrize("profile", PRESETS)
@pytest.mark.parametrize("said", [line for line in LINES if "255" not in line and "MASTER" not in line])
def test_what_a_double_does_changes_nothing_of_the_router_and_is_what_the_router_would_do(
    profile: str, said: str
) -> None:
    rehearsed, other = (backup_due_at(60 * SECOND_NS, said, profile) for _ in range(2))
    before = deepcopy(
        (rehearsed.state, rehearsed.deadline(), rehearsed.counters.adverts_sent, rehearsed.counters.became_master)
    )
    done: list[list[Effect]] = []
    for _ in range(TIMES):
        double = rehearsed.double()
        double.handle_deadline(60 * SECOND_NS)
        done.append(double.drain())
    after = (rehearsed.state, rehearsed.deadline(), rehearsed.counters.adverts_sent, rehearsed.counters.became_master)
    assert after == before
    assert not rehearsed.effects
    other.handle_deadline(60 * SECOND_NS)
    rehearsed.handle_deadline(60 * SECOND_NS)
    expected = other.drain()
    assert rehearsed.drain() == expected
    assert done == [expected] * TIMES


def test_the_daemon_wakes_ahead_of_a_backups_deadline_and_of_no_other() -> None:
    rehearsal = Rehearsal(lambda *_: None)
    due_ns = 60 * SECOND_NS
    wake_ns = rehearsal.wake_ns(backup_due_at(due_ns), due_ns)
    assert wake_ns is not None
    assert due_ns - 20_000_000 <= wake_ns < due_ns
    master = backup_due_at(due_ns)
    master.handle_deadline(due_ns)
    assert rehearsal.wake_ns(master, master.deadline()) == master.deadline()
    assert rehearsal.wake_ns(None, None) is None


def test_adverts_that_come_every_10_ms_are_not_waited_for_without_sleep() -> None:
    due_ns = 60 * SECOND_NS
    wake_ns = Rehearsal(lambda *_: None).wake_ns(backup_due_at(due_ns, "version 3\nadvert_int 0.01"), due_ns)
    assert wake_ns is not None
    assert wake_ns > due_ns - 10_000_000


def test_a_takeover_that_is_near_is_rehearsed_and_waited_for_to_its_end() -> None:
    probed: list[Router] = []
    rehearsal = Rehearsal(lambda backup, advert: probed.append(backup))
    due_ns = time.monotonic_ns() + 50_000_000
    backup = backup_due_at(due_ns)
    rehearsal._ahead_ns = 200_000_000
    rehearsal.wake_ns(backup, due_ns)
    rehearsal.wait(Timer(), no_events)
    assert time.monotonic_ns() >= due_ns
    assert set(probed) <= {backup}
    assert backup.state is State.BACKUP
    assert backup.deadline() == due_ns
    assert not backup.effects


def test_what_came_while_the_machine_did_something_else_is_read_before_the_deadline_counts() -> None:
    rehearsal = Rehearsal(lambda *_: None)
    due_ns = time.monotonic_ns() + 20_000_000
    rehearsal._ahead_ns = 200_000_000
    rehearsal.wake_ns(backup_due_at(due_ns), due_ns)
    looked_ns: list[int] = []

    def read(_: float) -> bool:
        looked_ns.append(time.monotonic_ns())
        return False

    rehearsal.wait(Timer(), read)
    assert looked_ns[-1] >= due_ns


def test_a_rehearsal_without_memory_costs_no_takeover(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(router: Router) -> Router:
        raise MemoryError

    monkeypatch.setattr(Router, "double", no_memory)
    rehearsal = Rehearsal(lambda *_: None)
    due_ns = time.monotonic_ns() + 20_000_000
    rehearsal._ahead_ns = 20_000
    rehearsal.wake_ns(backup_due_at(due_ns), due_ns)
    rehearsal._wake_ns = 0
    rehearsal.wait(Timer(), no_events)
    assert time.monotonic_ns() >= due_ns


def test_an_event_ends_the_wait() -> None:
    rehearsal = Rehearsal(lambda *_: None)
    due_ns = time.monotonic_ns() + 3600 * SECOND_NS
    backup = backup_due_at(due_ns)
    rehearsal.wake_ns(backup, due_ns)
    rehearsal._wake_ns = 0
    rehearsal.wait(Timer(), lambda _: True)
    assert time.monotonic_ns() < due_ns


def test_a_backup_that_has_heard_an_advert_is_not_waited_for() -> None:
    rehearsal = Rehearsal(lambda *_: None)
    due_ns = time.monotonic_ns() + 3600 * SECOND_NS
    backup, timer = backup_due_at(due_ns), Timer()
    rehearsal.wake_ns(backup, due_ns)
    rehearsal._wake_ns = 0
    [advert] = [effect for effect in _claim() if isinstance(effect, SendAdvert)]
    backup.advert_received(advert.packet, 2, 255, due_ns - SECOND_NS)
    rehearsal.wait(timer, no_events)
    assert not timer.set_ns


def _claim() -> list[Effect]:
    better = backup_due_at(60 * SECOND_NS, "priority 200")
    better.handle_deadline(60 * SECOND_NS)
    return better.drain()
