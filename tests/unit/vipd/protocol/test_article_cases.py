"""What the article saw, from two routers on a fake link."""

from __future__ import annotations

import pytest

from support.playbook import adds, becomes, garps, log, removes, sends
from support.routers import MS_NS
from support.simulation import DELAY_NS, Simulation
from vipd.config.behaviour import SECOND_NS
from vipd.protocol.table import State

SKEW_101_S = 155 / 256
DOWN_101_S = 3 + SKEW_101_S
TRANSITION = log("VRRP_Instance(VI_1) Transition to MASTER STATE")
ENTERING = log("VRRP_Instance(VI_1) Entering MASTER STATE")


def bench(priority_a: int, profile: str = "keepalived-1.2.2", **changes: object) -> Simulation:
    made = Simulation()
    made.add("A", profile, priority=priority_a, initial_master=True, **changes)
    made.add("B", profile, priority=101, **changes)
    made.start("A")
    made.start("B")
    made.run(12)
    assert made.owners() == ["A"]
    return made


def test_start_a_holds_the_vip_after_two_advert_intervals() -> None:
    made = bench(102)
    assert made.since(0, "A", TRANSITION) == 1
    assert made.since(0, "A", adds()) == 2
    assert made.since(0, "A", garps()) == 2
    assert made.said("B") == ["VRRP_Instance(VI_1) Entering BACKUP STATE"]


@pytest.mark.parametrize("phase_ms", [1, 250, 999])
def test_case_a_kill_is_detected_after_the_master_down_interval_of_the_last_advert(phase_ms: int) -> None:
    made = bench(102)
    made.run(phase_ms / 1000)
    made.kill("A")
    last = made.times("A", sends(102))[-1] + DELAY_NS
    made.run(20)
    assert made.since(last, "B", TRANSITION) == pytest.approx(DOWN_101_S, abs=1e-8)
    assert made.since(last, "B", ENTERING) == pytest.approx(DOWN_101_S + 1, abs=1e-8)
    assert made.owners() == ["A", "B"], "kill -9 leaves the address on A, and B takes it too"
    assert made.said("B")[1:] == [
        "VRRP_Instance(VI_1) Transition to MASTER STATE",
        "VRRP_Instance(VI_1) Entering MASTER STATE",
        "VRRP_Instance(VI_1) setting protocol VIPs.",
        "VRRP_Instance(VI_1) Sending gratuitous ARPs on eth1 for 192.168.122.50",
        "VRRP_Instance(VI_1) Sending gratuitous ARPs on eth1 for 192.168.122.50",
    ]
    bursts = made.times("B", garps())
    assert bursts[1] - bursts[0] == 5 * SECOND_NS


def test_case_b_the_master_that_comes_back_leaves_one_interval_without_an_owner() -> None:
    made = bench(102)
    made.power_cut("A")
    made.run(20)
    back = made.now
    made.start("A")
    made.run(10)
    released = made.since(back, "B", removes())
    claimed = made.since(back, "A", adds())
    assert claimed - released == pytest.approx(1, abs=1e-3)
    assert made.owners() == ["A"]
    assert made.said("B", back) == [
        "VRRP_Instance(VI_1) Received higher prio advert",
        "VRRP_Instance(VI_1) Entering BACKUP STATE",
        "VRRP_Instance(VI_1) removing protocol VIPs.",
    ]


@pytest.mark.parametrize("x_ms", [1, 300, 605, 999])
def test_case_c_link_loss_costs_the_down_interval_and_one_more_less_x(x_ms: int) -> None:
    """x is the time since A's last advert; A looks at its links only when it wakes to advertise."""
    made = bench(101)
    made.run((made.times("A", sends(101))[-1] + SECOND_NS - made.now) / SECOND_NS)  # an advert leaves just now
    assert made.times("A", sends(101))[-1] == made.now
    made.run(x_ms / 1000)
    down = made.now
    made.link("A", "eth1", up=False)
    made.run(20)
    outage_s = made.since(down, "B", adds())
    assert outage_s == pytest.approx(DOWN_101_S + 1 - x_ms / 1000, abs=2 * MS_NS / SECOND_NS)
    assert made.said("A", down) == [
        "Kernel is reporting: interface eth1 DOWN",
        "VRRP_Instance(VI_1) Entering FAULT STATE",
        "VRRP_Instance(VI_1) removing protocol VIPs.",
        "VRRP_Instance(VI_1) Now in FAULT state",
    ]
    assert not [moment for moment in made.record if moment.what == sends(0)], "1.2.2 never sends priority 0"
    assert made.owners() == ["B"]


def fault_and_return(made: Simulation) -> int:
    made.link("A", "eth1", up=False)
    made.run(20)
    returned = made.now
    made.link("A", "eth1", up=True)
    made.run(20)
    return returned


def test_case_d_a_tie_leaves_b_master_and_a_logs_entering_backup_alone() -> None:
    made = bench(101)
    returned = fault_and_return(made)
    assert made.said("A", returned) == ["VRRP_Instance(VI_1) Entering BACKUP STATE"]
    assert made.owners() == ["B"]


def test_case_d_with_102_against_101_a_takes_the_vip_back() -> None:
    made = bench(102)
    returned = fault_and_return(made)
    assert made.owners() == ["A"]
    assert made.since(returned, "A", adds()) - made.since(returned, "B", removes()) == pytest.approx(1, abs=1e-3)


def test_case_d5_a_stop_costs_as_much_as_a_crash() -> None:
    made = bench(101)
    fault_and_return(made)
    last = made.times("B", sends(101))[-1]
    stopped = made.now
    made.stop("B")
    assert made.owners() == []
    made.run(20)
    assert made.since(last, "A", adds()) == pytest.approx(DOWN_101_S + 1, abs=1e-3)
    assert made.since(stopped, "A", becomes(State.MASTER)) > 3.6
    assert made.owners() == ["A"]


def test_equal_priorities_the_master_yields_to_the_one_that_starts_whichever_address_is_larger() -> None:
    """The byte-order bug: the sender's first octet is compared with the own last one."""
    made = Simulation()
    made.add("A", "keepalived-1.2.2", initial_master=True)
    made.add("B", "keepalived-1.2.2")
    made.start("B")
    made.run(10)
    assert made.owners() == ["B"]
    made.start("A")  # its address is the smaller one
    made.run(10)
    assert made.owners() == ["A"]


def test_keepalived_2_link_loss_costs_the_skew_time() -> None:
    made = Simulation()
    made.add("A", "keepalived-2", priority=102)
    made.add("B", "keepalived-2", priority=101)
    made.start("A")
    made.start("B")
    made.run(12)
    assert made.since(0, "A", adds()) == pytest.approx(3 + 154 / 256, abs=1e-8)
    down = made.now
    made.link("A", "eth1", up=False)
    made.run(10)
    assert made.since(down, "B", adds()) == pytest.approx(SKEW_101_S, abs=1e-3)
    zeros = [moment for moment in made.record if moment.what == sends(0)]
    assert len(zeros) == 2
    returned = made.now
    made.link("A", "eth1", up=True)
    made.run(10)
    gap_s = made.since(returned, "A", adds()) - made.since(returned, "B", removes())
    assert gap_s <= 0, "B serves until A's advert arrives, and A has the address by then"
    assert made.owners() == ["A"]


def test_keepalived_2_stop_costs_the_skew_time() -> None:
    made = bench(102, "keepalived-2")
    stopped = made.now
    made.stop("A")
    made.run(10)
    assert made.since(stopped, "B", adds()) == pytest.approx(SKEW_101_S, abs=1e-3)
