"""What a flood of packets may ask of a router: answers, log lines, changes of state; and what it may not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.playbook import (
    advert,
    backup,
    master,
    seconds,
)
from support.routers import HIGHER_ADDRESS, MS_NS, packet
from vipd.protocol.effects import Log, Notify, SendAdvert, SendGratuitousArp
from vipd.protocol.table import State
from vipd.protocol.validation import Discard


@given(payload=st.binary(max_size=60), ttl=st.integers(0, 255), source=st.integers(0, 2**32 - 1))
def test_hostile_octets_are_counted_and_change_nothing(payload: bytes, ttl: int, source: int) -> None:
    play = master("keepalived-2")
    before = (play.router.state, play.router.deadline())
    reason = play.router.advert_received(payload, source, ttl, play.now)
    assert isinstance(reason, Discard)
    assert play.router.discards[reason] == 1
    assert (play.router.state, play.router.deadline()) == before


def test_a_flood_of_discards_logs_once_in_ten_seconds() -> None:
    play = master("keepalived-2")
    lines = 0
    for _ in range(1_000):
        play.router.advert_received(b"", HIGHER_ADDRESS, 255, play.now)
        lines += len(play.router.drain())
        play.now += 20_000_000
    assert lines == 2
    assert play.router.discards[Discard.TOO_SHORT] == 1_000


def test_a_flood_of_lower_adverts_is_answered_at_once_and_then_ten_times_an_interval() -> None:
    for profile in ("keepalived-2", "keepalived-1.2.2"):
        play = master(profile)
        answers, lines, due = [], 0, play.router.deadline() or 0
        for _ in range(12_000):  # one a millisecond
            play.now += MS_NS
            play.router.advert_received(packet(50), HIGHER_ADDRESS, 255, play.now)
            if (play.router.deadline() or 0) <= play.now:
                play.router.handle_deadline(play.now)
            effects = play.router.drain()
            answers += [play.now for effect in effects if isinstance(effect, SendAdvert)]
            lines += sum(isinstance(effect, Log) and not effect.detail for effect in effects)
        assert answers[0] < due - 900 * MS_NS, "the first one at once"
        assert len(answers) <= 10 + 12 * 10 + 12
        assert max(later - earlier for earlier, later in pairwise(answers)) <= 1_001 * MS_NS, "its own go on"
        assert lines <= 20


@pytest.mark.parametrize("profile", ["keepalived-2", "keepalived-1.2.2"])
def test_adverts_that_waited_together_get_one_answer_and_the_next_one_gets_its_own(profile: str) -> None:
    play = master(profile)

    def answers(queued_ns: int) -> int:
        play.router.queued_ns = queued_ns
        for _ in range(5):
            play.now += 20_000  # each is read a little later than the one before
            play.router.advert_received(packet(50), HIGHER_ADDRESS, 255, play.now)
        return sum(isinstance(effect, SendAdvert) for effect in play.router.drain())

    assert answers(play.now + 1) == 1
    assert answers(play.now + 1) == 1


def test_a_flood_that_moves_profile_1_2_2_to_and_fro_fills_no_log() -> None:
    play = backup("keepalived-1.2.2")
    changes = lines = 0
    for number in range(12_000):
        play.now += MS_NS
        play.router.advert_received(packet(200 if number % 4 == 3 else 50), HIGHER_ADDRESS, 255, play.now)
        effects = play.router.drain()
        changes += sum(isinstance(effect, Notify) for effect in effects)
        lines += sum(isinstance(effect, Log) for effect in effects)
    assert changes > 3_000, "as 1.2.2 does, with a claim on each lower advert"
    assert lines <= 2 * 20 * 6


@pytest.mark.parametrize("quiet", [False, True])
def test_a_master_answers_what_was_read_at_one_time_once(quiet: bool) -> None:
    play = master("keepalived-2", lower_prio_no_advert=quiet)
    play >> seconds(0.5)
    for _ in range(12):
        advert(100).happen(play)
    done = play.router.drain()
    assert sum(isinstance(effect, SendAdvert) for effect in done) == (0 if quiet else 1)
    assert sum(isinstance(effect, SendGratuitousArp) for effect in done) == 1
    assert play.router.counters.adverts_received == 12
    play >> seconds(0.1)
    advert(100).happen(play)
    assert any(isinstance(effect, SendGratuitousArp) for effect in play.router.drain()), "later is another time"
    advert(102).happen(play)
    assert play.router.state is State.BACKUP, "who is better is heard all the same"
