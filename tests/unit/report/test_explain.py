"""What `viplab explain` foretells: the timing model's windows, and nothing that no model says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from viplab.cli import app
from viplab.report.explain import explanation
from viplab.scenario.load import load_scenario, parse_scenario, scenario_files
from viplab.subjects.registry import chosen

PAIR = """\
scenario: mine
title: t
story: s
vrrp: {{track_interface: [{tracked}], advert_int: {interval}}}
hosts:
  A: {{state: MASTER, priority: {first}}}
  B: {{state: BACKUP, priority: {second}}}
setup: [{{start: A}}, {{start: B}}, {{wait: {{announced: A}}}}]
steps: [{step}]
expect: {{owner: B}}
"""


def lines(
    step: str, daemon: str = "keepalived", *, tracked: str = "", interval: int = 1, pair: tuple[int, int] = (102, 101)
) -> list[str]:
    """What is told of one step."""
    text = PAIR.format(step=step, tracked=tracked, interval=interval, first=pair[0], second=pair[1])
    told = explanation(parse_scenario(text, "mine"), *chosen([daemon], None))
    return [line.strip() for line in told[told.index("What is measured") + 2 : -2]]


@pytest.mark.parametrize("daemon", ["vipd", "keepalived", "frr"])
@pytest.mark.parametrize("path", scenario_files().values(), ids=lambda path: path.stem)
def test_every_scenario_is_told_with_every_subject(path: Path, daemon: str) -> None:
    scenario = load_scenario(path)
    told = explanation(scenario, *chosen([daemon], None))
    assert told[0] == f"{scenario.scenario}: {scenario.title}"
    assert sum(line.lstrip()[:1].isdigit() for line in told) >= len(scenario.setup) + len(scenario.steps)


@pytest.mark.parametrize(
    ("step", "daemon", "master", "missed"),
    [
        ("kill: {host: A}", "keepalived", "2.605 to 3.605 s", "nothing"),
        ("power_cut: {host: A}", "keepalived", "2.605 to 3.605 s", "2.605 to 3.605 s"),
        ("power_cut: {host: A, place: 0.25}", "keepalived", "3.355 s", "3.355 s"),
        ("stop: {host: A}", "keepalived", "0.605 s", "0.605 s"),
        # It sends no advert of priority 0, and takes the address an interval after its first advert.
        ("stop: {host: A}", "vipd", "2.605 to 3.605 s", "3.605 to 4.605 s"),
        ("power_cut: {host: A, place: 0.0}", "vipd", "3.605 s", "4.605 s"),
        # Who leaves decides whether it says so, who takes over how it does that.
        ("stop: {host: A}", "A=vipd,B=keepalived", "2.605 to 3.605 s", "2.605 to 3.605 s"),
    ],
)
def test_a_takeover_has_the_window_of_the_timing_model(step: str, daemon: str, master: str, missed: str) -> None:
    told = lines(f"{{{step}}}", daemon)
    assert f"B is master {master} after the fault." in told
    assert any(line.startswith(f"The client misses {missed}") for line in told)


@pytest.mark.parametrize(
    ("daemon", "master", "answered"),
    # With vipd as keepalived 1.2.2 first adverts came after 3.95 and 4.55 s, answers after 4.95 and 5.57 s (n = 2).
    [("vipd", "3.605 to 4.605 s", "4.605 to 5.605 s"), ("keepalived", "2.605 to 3.605 s", "2.605 to 3.605 s")],
)
def test_a_sync_group_moves_when_its_lost_member_can(daemon: str, master: str, answered: str) -> None:
    told = "\n".join(explanation(load_scenario(scenario_files()["sync-group"]), *chosen([daemon], None)))
    assert f"B is master {master} after the fault." in told
    assert f"The client is answered again {answered} after the fault." in told


def test_of_a_client_that_is_not_told_nothing_is_said_but_where_its_entry_stays_right() -> None:
    not_told = "The client is not told, and its own neighbour entry decides how long it waits"
    steps = "{announcements_lost: {}}, {power_cut: {host: A}}"
    assert any(not_told in line for line in lines(steps, "keepalived"))
    assert not any(not_told in line for line in lines(steps, "frr"))
    assert not any(not_told in line for line in lines("{announcements_lost: {}}, {kill: {host: A}}", "keepalived"))


def test_of_daemons_that_do_not_advertise_no_timer_of_adverts_is_told() -> None:
    said = " ".join(lines("power_cut: {host: A}", "pacemaker"))
    assert "B takes over. The client misses 6.039 to 7.600 s" in said
    assert "Master_Down_Interval" not in said
    assert "advert" not in " ".join(lines("partition: {duration_ms: 2000}", "pacemaker"))


def test_a_host_returns_only_with_a_priority_that_is_greater() -> None:
    steps = "{kill: {host: A}}, {wait: {master: B}}, {bring_back: A}"
    assert any(line.startswith("A outranks B: master after 3.602 s") for line in lines(steps))
    tied = lines(steps, pair=(101, 101))
    assert "A starts with a priority that is not greater than that of B, which stays master." in tied


def test_a_tie_with_state_master_is_left_open_where_the_daemon_calls_for_an_election() -> None:
    steps = "{kill: {host: A}}, {wait: {master: B}}, {bring_back: A}"
    told = lines(steps, "vipd", pair=(101, 101))
    assert any("calls for an election against B at a tie" in line for line in told)


def test_a_link_that_is_not_tracked_is_not_predicted_and_one_that_is_gives_up() -> None:
    step = "{link_down: {host: A, interface: eth1}}"
    assert any("not predicted" in line for line in lines(step))
    assert "B is master 0.605 s after the fault." in lines(step, tracked="eth1")


def test_the_loss_of_a_backup_costs_the_client_nothing() -> None:
    assert "A is master and goes on; the client misses nothing." in lines("{power_cut: {host: B}}")


@pytest.mark.parametrize(
    ("duration_ms", "told"),
    [
        (1900, "nobody takes over"),
        (2000, "nobody takes over"),
        (2001, "A race: B claims if it begins more than 0.999 s after an advert"),
        (2900, "A race: B claims if it begins more than 0.100 s after an advert"),
        # However early it begins, the third advert falls into it.
        (3001, "two owners until it ends after 3.001 s"),
        (3605, "two owners until it ends after 3.605 s"),
        (10_000, "two owners until it ends after 10 s"),
    ],
)
def test_a_cut_is_held_against_the_timer_of_the_backup(duration_ms: int, told: str) -> None:
    (line,) = [line for line in lines(f"{{partition: {{duration_ms: {duration_ms}}}}}") if told in line]
    assert ("2.605 to 3.605 s" if "two owners" in line else "within 3.605 s") in line


@given(
    place=st.floats(0, 0.999),
    duration_ms=st.integers(1, 6000),
    interval=st.integers(1, 3),
    priority=st.integers(1, 100),
)
def test_a_host_that_nobody_hears_is_taken_for_lost_where_no_advert_comes_in_time(
    place: float, duration_ms: int, interval: int, priority: int
) -> None:
    step = f"{{one_way: {{host: A, place: {place}, duration_ms: {duration_ms}}}}}"
    told = lines(step, interval=interval, pair=(102, priority))
    x_ns, down_ns = round(place * interval * 10**9), (3 * interval * 256 + 256 - priority) * 10**9 // 256
    heard_ns = next(n for n in range(0, 99 * 10**9, interval * 10**9) if n >= x_ns + duration_ms * 10**6 and n)
    assert any("two owners" in line for line in told) == (heard_ns >= down_ns)


def test_a_backup_that_nobody_hears_misses_nothing() -> None:
    assert lines("{one_way: {host: B, duration_ms: 9000}}")[-1] == (
        "B is not master and sends no adverts: nobody misses any."
    )


DEAF = pytest.mark.parametrize("kind", ["firewall", "multicast_withheld"])


@DEAF
@pytest.mark.parametrize(
    ("lasts", "told"),
    [
        ("", "B hears no advert of A, and claims 2.605 to 3.605 s after; A goes on: two owners until it is healed."),
        (", duration_ms: 2000", "That is short enough for B to hear an advert within 3.605 s: nobody takes over."),
    ],
)
def test_a_backup_that_hears_nobody_claims_the_address_beside_a_master_that_hears_it(
    kind: str, lasts: str, told: str
) -> None:
    assert lines(f"{{{kind}: {{host: B, interface: eth0{lasts}}}}}")[-1] == told


@DEAF
def test_a_master_that_hears_nobody_goes_on_and_misses_no_advert(kind: str) -> None:
    told = "A is master, and no other sends adverts: it misses none."
    assert lines(f"{{{kind}: {{host: A, interface: eth0}}}}")[-1] == told


def test_a_backup_that_is_cut_off_in_both_directions_claims_the_address() -> None:
    assert "two owners until it is healed" in lines("{port_silent: {host: B, interface: eth0}}")[-1]


@DEAF
def test_what_is_healed_on_two_hosts_is_told_of_both(kind: str) -> None:
    each = ", ".join(f"{{{kind}: {{host: {host}, interface: eth0}}}}" for host in "AB")
    told = lines(f"{each}, {{heal: {kind}}}")
    assert all(f" {host} " in f"{line[:-1]} " for host, line in zip("AB", told[-2:], strict=True))


@DEAF
def test_adverts_to_a_unicast_peer_are_not_foretold_to_be_withheld(kind: str) -> None:
    text = PAIR.format(step=f"{{{kind}: {{host: B, interface: eth0}}}}", tracked="", interval=1, first=102, second=101)
    told = explanation(parse_scenario(text.replace("{track", "{unicast: true, track"), "mine"), *chosen(["vipd"], None))
    assert any("measured, and not predicted" in line for line in told)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("{firewall: {host: B, interface: eth0}}", "A hears that, is outranked and gives the address up."),
        ("{one_way: {host: A}}", "A hears that, is outranked and gives the address up."),
        ("{firewall: {host: A, interface: eth0}}, {one_way: {host: A}}", "A goes on: two owners until it is healed."),
        ("{port_silent: {host: B, interface: eth0}}", "A goes on: two owners until it is healed."),
        ("{partition: {}}", "A goes on: two owners until it is healed."),
    ],
)
def test_a_master_gives_way_to_a_claim_that_outranks_it_only_where_it_hears_it(steps: str, told: str) -> None:
    """With `nopreempt` the backup may be the one of greater priority."""
    text = PAIR.format(step=steps, tracked="", interval=1, first=101, second=102)
    text = text.replace("{track", "{nopreempt: true, track").replace("MASTER", "BACKUP")
    said = explanation(parse_scenario(text, "mine"), *chosen(["keepalived"], None))
    assert said[-3].endswith(told)


def test_a_cut_of_the_other_network_is_not_taken_for_silence() -> None:
    assert not any("two owners" in line for line in lines("{partition: {network: public, duration_ms: 9000}}"))


@given(st.integers(1, 255), st.integers(1, 253))
def test_the_longest_wait_is_three_intervals_and_the_skew_time(interval: int, priority: int) -> None:
    wait_ns = 3 * interval * 10**9 + (256 - priority) * 10**9 // 256
    told = lines("{power_cut: {host: A, place: 0.0}}", interval=interval, pair=(254, priority))
    assert f"B is master {wait_ns / 10**9:.3f} s after the fault." in told


def test_the_command_tells_a_scenario_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["explain", "case-a"], catch_exceptions=False)
    assert "B is master 2.605 to 3.605 s after the fault." in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("vrrp", "daemon", "said"),
    [
        ("{nopreempt: true}", "keepalived", "A starts, and B stays master: nopreempt."),
        (
            "{preempt_delay: 10}",
            "keepalived",
            "A outranks B: master after 12.602 to 14.602 s, of which preempt_delay is 10 s.",
        ),
        ("{preempt_delay: 10}", "vipd", "The client misses 2.000 s"),
    ],
)
def test_a_backup_that_returns_preempts_as_its_keywords_say(vrrp: str, daemon: str, said: str) -> None:
    text = PAIR.format(
        step="{kill: {host: A}}, {wait: {master: B}}, {bring_back: A}", tracked="", interval=1, first=102, second=101
    )
    text = text.replace("{track_interface: [], advert_int: 1}", vrrp).replace("MASTER", "BACKUP")
    told = explanation(parse_scenario(text, "mine"), *chosen([daemon], None))
    assert said in [line.strip() for line in told]


@pytest.mark.parametrize(("interval", "down"), [(1, "3.605"), (0.1, "0.361"), (0.01, "0.036")])
def test_in_version_3_all_timers_are_shares_of_the_interval(interval: float, down: str) -> None:
    text = PAIR.format(step="{power_cut: {host: A}}", tracked="", interval=interval, first=102, second=101)
    told = explanation(
        parse_scenario(text.replace("vrrp: {", "vrrp: {version: 3, "), "mine"), *chosen(["keepalived"], None)
    )
    assert any("B is master" in line and f"to {down} s after the fault" in line for line in told)


@pytest.mark.parametrize(
    ("vrrp", "said"),
    [
        (
            "{vrrp_script: {s: {script: test ! -e /run/x, weight: -10}}, track_script: [s]}",
            "s looks at it each 1 s; A has priority 92 while it fails and 102 while not; B has 101.",
        ),
        (
            "{vrrp_script: {s: {script: test -e /run/x, interval: 2}}, track_script: [s weight 5]}",
            "s looks at it each 2 s; A has priority 102 while it fails and 107 while not; B has 101.",
        ),
        (
            "{vrrp_script: {s: {script: test -e /run/x}}, track_script: [s]}",
            "s looks at it each 1 s; A is in FAULT while it fails; B has 101.",
        ),
        (
            "{vrrp_track_file: {f: {file: /run/x, weight: 3}}, track_file: [f]}",
            "f gives A priority 72; B has 101.",
        ),
        (
            "{vrrp_track_file: {f: {file: /run/x}}, track_file: [f weight -100]}",
            "f gives A priority 254; B has 101.",
        ),
    ],
)
def test_a_file_that_is_tracked_gives_its_host_a_priority(vrrp: str, said: str) -> None:
    step = '{file_written: {host: A, path: /run/x, text: "-10"}}'
    text = PAIR.format(step=step, tracked="", interval=1, first=102, second=101)
    text = text.replace("{track_interface: [], advert_int: 1}", vrrp)
    told = explanation(parse_scenario(text, "mine"), *chosen(["keepalived"], None))
    assert said in [line.strip() for line in told]
