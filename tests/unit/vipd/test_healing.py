"""Two and three routers under any faults: once everything is healed there is exactly one master, and it stays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from support.playbook import Bench
from vipd.protocol.table import State

NAMES = ("A", "B", "C")
FAULTS = st.tuples(
    st.sampled_from(["start", "stop", "kill", "power_cut", "eth0", "eth1", "wait"]),
    st.sampled_from(NAMES),
    st.booleans(),
    st.floats(0.001, 4),
)
# Longest way to one master on a healed network: a down interval of priority 1 and two more advert intervals for 1.2.2,
# after the second of two routers has been started or has left FAULT by timeout.
HEALED_S = 2 * (3 + 1 + 2)


def masters(bench: Bench) -> list[str]:
    return [name for name, node in bench.nodes.items() if node.running and node.router.state is State.MASTER]


def disturbed(profile: str, priorities: list[int], faults: list[tuple[str, str, bool, float]]) -> Bench:
    """A bench on which all this happened, and which then was healed and left alone for long enough."""
    bench = Bench()
    for name, priority in zip(NAMES, priorities):  # noqa: B905 - two routers need two names
        bench.add(name, profile, priority=priority, initial_master=name == "A")
        bench.start(name)
    for what, name, up, wait_s in faults:
        node = bench.nodes.get(name)
        if node is None or what == "wait":
            pass
        elif what in ("eth0", "eth1"):
            bench.link(name, what, up)
        elif what == "start":
            if not node.running:
                bench.start(name)
        elif node.running:
            getattr(bench, what)(name)
        bench.run(wait_s)
    for name, node in bench.nodes.items():
        for interface in node.links:
            bench.link(name, interface, up=True)
        if not node.running:
            bench.start(name)
    bench.run(HEALED_S)
    return bench


def assert_settled(bench: Bench) -> None:
    (master,) = masters(bench)
    before = len([moment for moment in bench.record if moment.what.kind == "becomes"])
    bench.run(10)
    assert masters(bench) == [master]
    assert len([moment for moment in bench.record if moment.what.kind == "becomes"]) == before, "it flaps"


@settings(max_examples=500, deadline=None)
@given(
    profile=st.sampled_from(["keepalived-2", "rfc9568"]),
    priorities=st.lists(st.sampled_from([1, 100, 101, 254]), min_size=2, max_size=3),
    faults=st.lists(FAULTS, max_size=15),
)
def test_a_healed_network_has_one_master_and_only_it_holds_the_address(
    profile: str, priorities: list[int], faults: list[tuple[str, str, bool, float]]
) -> None:
    bench = disturbed(profile, priorities, faults)
    assert_settled(bench)
    assert bench.owners() == masters(bench)


@settings(max_examples=300, deadline=None)
@given(
    priorities=st.lists(st.sampled_from([1, 100, 101, 254]), min_size=2, max_size=3, unique=True),
    faults=st.lists(FAULTS, max_size=15),
)
def test_1_2_2_settles_too_but_a_killed_router_may_still_hold_the_address(
    priorities: list[int], faults: list[tuple[str, str, bool, float]]
) -> None:
    """Different priorities: with equal ones, its tie-break lets two routers in step yield to each other for ever."""
    bench = disturbed("keepalived-1.2.2", priorities, faults)
    assert_settled(bench)
    assert set(masters(bench)) <= set(bench.owners())
