"""Properties of the table, and scripts for what the article's cases do not touch."""

from __future__ import annotations

import itertools

import pytest

from support.playbook import (
    Playbook,
    Seen,
    adds,
    advert,
    backup,
    becomes,
    garps,
    link,
    log,
    master,
    removes,
    seconds,
    sends,
    started,
    stopped,
    timeout,
)
from support.routers import HIGHER_ADDRESS, LOWER_ADDRESS, OWN, VIP6, config
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.protocol.compile import settled_guards
from vipd.protocol.effects import SendAdvert
from vipd.protocol.log_messages import LOG_MESSAGES, LogEvent
from vipd.protocol.router import Router
from vipd.protocol.table import ASKED_EACH_TIME, TABLE, Action, Event, Guard, State, resolve

DOWN_101_S = 3 + 155 / 256
SKEW_101_S = 155 / 256


# -- the table itself


def test_every_condition_step_and_line_of_the_table_is_used() -> None:
    assert {condition for row in TABLE for condition in row.guards} == set(Guard)
    steps = {step for row in TABLE for step in row.steps}
    assert {step for step in steps if isinstance(step, Action)} == set(Action)
    for voice in LOG_MESSAGES.values():
        assert set(voice) <= set(LogEvent)


def test_no_row_is_hidden_by_one_above_it_in_every_profile() -> None:
    reached = set()
    for preset, preempt, initial_master, delay, priority, changes in itertools.product(
        PRESETS.values(),
        (True, False),
        (True, False),
        (0, 1),
        (100, 255),
        ({}, {"version": 3}, {"lower_prio_no_advert": True}, {"higher_prio_send_advert": True}),
    ):
        changed = config(
            preempt=preempt,
            initial_master=initial_master,
            preempt_delay_ns=delay * SECOND_NS,
            priority=priority,
            **changes,
        )
        for rows in resolve(settled_guards(changed, preset)).values():
            reached |= {(row.state, row.event, row.steps, row.target) for row in rows}
    assert reached == {(row.state, row.event, row.steps, row.target) for row in TABLE}


@pytest.mark.parametrize("profile", PRESETS)
def test_conditions_left_to_ask_are_those_that_change(profile: str) -> None:
    for rows in resolve(settled_guards(config(), PRESETS[profile])).values():
        assert all(condition in ASKED_EACH_TIME for row in rows for condition in row.guards)
        assert all(row.guards for row in rows[:-1]), "a row without conditions hides those after it"


@pytest.mark.parametrize("profile", PRESETS)
def test_every_state_can_be_shut_down(profile: str) -> None:
    rows = resolve(settled_guards(config(), PRESETS[profile]))
    for state in State:
        assert state is State.INITIALIZE or (state, Event.SHUT_DOWN) in rows


# -- scripts


@pytest.mark.parametrize("profile", ["keepalived-2", "rfc9568"])
def test_a_takeover_sends_its_advert_before_the_slower_work(profile: str) -> None:
    repeat = PRESETS[profile].garp_repeat
    play = Playbook(profile)
    play >> started() << removes() << becomes(State.BACKUP)
    play >> timeout(DOWN_101_S) << sends(101) << adds() << garps(repeat) << becomes(State.MASTER)
    play >> timeout(1) << sends(101)
    play >> timeout(1) << sends(101)


def test_keepalived_2_announces_again_after_garp_master_delay() -> None:
    play = master("keepalived-2")
    for _ in range(4):
        play >> timeout(1) << sends(101)
    play >> timeout(1) << sends(101) << garps()
    play >> timeout(1) << sends(101)


def test_a_configured_burst_replaces_the_profile_s() -> None:
    play = Playbook("keepalived-2", garp_repeat=2, garp_delay_ns=SECOND_NS // 2)
    play >> started() << removes() << becomes(State.BACKUP)
    play >> timeout(DOWN_101_S) << sends(101) << adds() << garps(2) << becomes(State.MASTER)
    play >> timeout(0.5) << garps(2)
    play >> timeout(0.5) << sends(101)


def test_a_garp_delay_of_zero_means_no_second_burst() -> None:
    play = master("keepalived-2", garp_delay_ns=0)
    for _ in range(10):
        play >> timeout(1) << sends(101)


def test_keepalived_2_link_loss_in_backup_is_a_fault_at_once_and_ends_in_backup() -> None:
    play = backup("keepalived-2")
    play >> link("eth1", False) << becomes(State.FAULT)
    assert play.waits_s is None
    play >> advert(100)
    play >> link("eth1", True) << becomes(State.BACKUP)
    play >> timeout(DOWN_101_S) << sends(101) << adds() << garps() << becomes(State.MASTER)


def test_keepalived_2_link_loss_in_master_says_priority_zero_twice_before_it_removes() -> None:
    play = master("keepalived-2")
    play >> link("eth0", False) << sends(0) << sends(0) << removes() << becomes(State.FAULT)
    play >> link("eth1", False)
    play >> link("eth0", True)
    play >> link("eth1", True) << becomes(State.BACKUP)


def test_keepalived_2_starts_in_fault_when_its_link_is_down() -> None:
    play = Playbook("keepalived-2")
    play >> started(eth1=False) << removes() << becomes(State.FAULT)
    assert play.waits_s is None


def test_keepalived_2_stop_says_priority_zero_before_it_removes() -> None:
    play = master("keepalived-2")
    play >> stopped() << sends(0) << removes() << becomes(State.INITIALIZE)
    assert play.waits_s is None


def test_keepalived_2_master_answers_a_lower_advert_and_announces() -> None:
    play = master("keepalived-2")
    for priority, source in ((100, HIGHER_ADDRESS), (101, LOWER_ADDRESS)):
        play >> seconds(0.6)
        play >> advert(priority, source) << sends(101) << garps()
        assert play.waits_s == 1, "as measured with 2.2.7: the interval counts from the answer"


def test_keepalived_2_master_answers_priority_zero_without_announcing() -> None:
    play = master("keepalived-2")
    play >> seconds(0.6)
    play >> advert(0) << sends(101)
    assert play.waits_s == 1


def test_1_2_2_master_answers_lower_and_zero_alike_and_rearms_for_a_tie_it_wins() -> None:
    play = master("keepalived-1.2.2")
    for priority in (100, 0):
        play >> seconds(0.6)
        play >> advert(priority) << sends(101) << garps()
        assert play.waits_s == 1
    play >> seconds(0.6)
    play >> advert(101, 0x01000000)
    assert play.waits_s == 1


def test_rfc_master_discards_a_lower_advert_silently() -> None:
    play = master("rfc9568")
    play >> seconds(0.5)
    play >> advert(100)
    play >> advert(101, LOWER_ADDRESS)
    play >> timeout(0.5) << sends(101)


def test_keepalived_2_preempt_delay_counts_from_the_first_lower_advert() -> None:
    play = backup("keepalived-2", preempt_delay_ns=5 * SECOND_NS)
    for _ in range(6):
        play >> seconds(1)
        play >> advert(100)
    assert play.waits_s == pytest.approx(DOWN_101_S - 1), "the advert after five seconds no longer holds it back"
    play >> advert(102)
    play >> seconds(1)
    play >> advert(100)
    assert play.waits_s == pytest.approx(DOWN_101_S), "a higher advert cancelled the delay, so it runs anew"


def test_1_2_2_preempt_delay_counts_from_the_start() -> None:
    play = backup("keepalived-1.2.2", preempt_delay_ns=2 * SECOND_NS)
    play >> seconds(1)
    play >> advert(100)
    play >> seconds(1)
    play >> advert(100) << sends(101) << becomes(State.GOTO_MASTER)


def test_1_2_2_lower_advert_in_backup_forces_an_election_in_three_steps() -> None:
    play = backup("keepalived-1.2.2")
    play >> advert(100) << sends(101) << becomes(State.GOTO_MASTER)
    play >> timeout(1) << sends(101) << becomes(State.TRANSITION)
    play >> timeout(1) << adds() << garps() << sends(101) << becomes(State.MASTER)


@pytest.mark.parametrize("priority", [0, 1, 101, 102, 255])
def test_1_2_2_goto_master_ends_at_any_advert_whatever_its_priority(priority: int) -> None:
    play = Playbook("keepalived-1.2.2", initial_master=True)
    play >> started() << becomes(State.GOTO_MASTER)
    play >> seconds(0.05)
    play >> advert(priority) << sends(101) << becomes(State.TRANSITION)
    assert play.waits_s == 1


def test_1_2_2_transition_yields_to_a_higher_advert_without_having_set_the_address() -> None:
    play = Playbook("keepalived-1.2.2", initial_master=True)
    play >> started() << becomes(State.GOTO_MASTER)
    play >> timeout(1) << sends(101) << becomes(State.TRANSITION)
    play >> seconds(0.5)
    play >> advert(102) << becomes(State.BACKUP)


def test_1_2_2_transition_answers_a_lower_advert_and_waits_anew() -> None:
    play = Playbook("keepalived-1.2.2", initial_master=True)
    play >> started() << becomes(State.GOTO_MASTER)
    play >> timeout(1) << sends(101) << becomes(State.TRANSITION)
    play >> seconds(0.5)
    play >> advert(100) << sends(101)
    assert play.waits_s == 1


def test_1_2_2_backup_notices_its_own_link_only_when_it_would_take_over() -> None:
    play = backup("keepalived-1.2.2")
    play >> link("eth1", False)
    play >> advert(102)
    play >> timeout(DOWN_101_S) << becomes(State.FAULT)
    play >> timeout(DOWN_101_S)
    play >> link("eth1", True)
    play >> timeout(DOWN_101_S) << becomes(State.BACKUP)


def test_1_2_2_fault_timeout_with_state_master_claims() -> None:
    play = Playbook("keepalived-1.2.2", initial_master=True)
    play >> started(eth1=False) << becomes(State.GOTO_MASTER)
    play >> timeout(1) << becomes(State.FAULT)
    play >> link("eth1", True)
    play >> timeout(DOWN_101_S) << sends(101) << becomes(State.TRANSITION)


def test_1_2_2_master_looks_at_its_links_when_an_advert_is_read() -> None:
    play = master("keepalived-1.2.2")
    play >> link("eth1", False)
    play >> seconds(0.1)
    play >> advert(100) << removes() << becomes(State.FAULT)


def test_1_2_2_nopreempt_after_fault_goes_to_backup() -> None:
    play = master("keepalived-1.2.2", preempt=False, priority=200)
    play >> link("eth1", False)
    play >> timeout(1) << removes() << becomes(State.FAULT)
    play >> link("eth1", True)
    play >> advert(100) << becomes(State.BACKUP)


def test_1_2_2_stop_removes_without_priority_zero() -> None:
    play = master("keepalived-1.2.2")
    play >> stopped() << removes() << becomes(State.INITIALIZE)


def test_adverts_keep_their_schedule_when_a_wake_up_is_late() -> None:
    router = Router(config(), PRESETS["keepalived-2"], OWN)
    router.started({"eth0": True, "eth1": True}, 0)
    deadline = router.deadline()
    assert deadline is not None
    router.handle_deadline(deadline + 3_000_000)
    assert router.deadline() == deadline + SECOND_NS


def test_1_2_2_schedule_drifts_by_what_a_wake_up_is_late() -> None:
    router = Router(config(), PRESETS["keepalived-1.2.2"], OWN)
    router.started({"eth0": True, "eth1": True}, 0)
    deadline = router.deadline()
    assert deadline is not None
    router.handle_deadline(deadline + 3_000_000)
    assert router.deadline() == deadline + SECOND_NS + 3_000_000


def test_a_master_that_slept_sends_one_advert_not_a_volley() -> None:
    play = master("keepalived-2", garp_delay_ns=0)
    play.now += 60 * SECOND_NS
    play.router.handle_deadline(play.now)
    assert [type(effect) for effect in play.router.drain()] == [SendAdvert]
    assert play.waits_s == 1


def test_a_deadline_handled_too_early_changes_nothing() -> None:
    play = backup("keepalived-2")
    before = play.router.deadline()
    assert before is not None
    play.router.handle_deadline(before - 1)
    assert (play.router.deadline(), play.router.drain(), play.router.state) == (before, [], State.BACKUP)


def test_an_interface_that_is_not_watched_means_nothing() -> None:
    play = master("keepalived-2")
    play >> link("eth7", False)


@pytest.mark.parametrize("priority", [100, 255])
def test_unicast_peers_are_looked_up_before_a_claim_at_the_start_and_on_leaving_fault(priority: int) -> None:
    play = Playbook("keepalived-2", unicast_peers=("10.0.0.3",), priority=priority)
    for event in (started(), link("eth0", up=True)):
        if event.text.startswith("link"):
            play >> link("eth0", up=False) << ...
        play >> event << ...
        kinds = [effect.kind for effect in play.did]
        assert "resolves" in kinds and "sends" not in kinds[: kinds.index("resolves")]


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("keepalived-1.2.2", "VRRP_Instance(VI_1) Sending Unsolicited Neighbour Adverts on eth0 for 2001:db8::50"),
        ("keepalived-2", "(VI_1) Sending/queueing Unsolicited Neighbour Adverts on eth0 for 2001:db8::50"),
    ],
)
def test_over_ipv6_it_is_neighbour_adverts_that_are_logged(profile: str, said: str) -> None:
    play = backup(profile, logs=True, version=3, addresses=VIP6, native_ipv6=True)
    logged: list[Seen] = []
    while play.router.state is not State.MASTER or log(said) not in logged:
        play >> timeout(play.waits_s or 0) << ...
        logged += play.did
        assert len(logged) < 20, "it is said as it becomes master"
