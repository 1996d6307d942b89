"""Whatever the kernel tells, and when: vipd settles to what is so, gives up nothing without cause, and leaves nothing.

The daemon runs on a model of the kernel; three instances: of IPv4, of IPv6, and with a macvlan.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from support.kernel_errors import ERRORS
from support.kernel_model import Happening, Kernel, held
from support.modelled_daemon import ModelledDaemon, Turn
from vipd.config.parser import Parsed, parse
from vipd.protocol.table import State

_CONFIGURATION = """\
vrrp_instance V4 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
        192.0.2.50/24 dev eth1
        198.51.100.50/24
    }}
}}
vrrp_instance V6 {{
    interface eth0
    version 3
    virtual_router_id 52
    virtual_ipaddress {{
        fe80::50/64
        2001:db8::50/64
    }}
}}
vrrp_instance VM {{
    interface {lower}
    virtual_router_id 53
    use_vmac vv
    virtual_ipaddress {{
        203.0.113.50/24
    }}
}}
"""
_VIPS = [("eth1", held("192.0.2.50/24")), ("eth0", held("198.51.100.50/24")), ("eth0", held("2001:db8::50/64"))]
_OTHERS = [("eth1", held("203.0.113.9/24")), ("eth1", held("192.0.2.50/32"))]
_LINKS = st.sampled_from(["eth0", "eth1", "vv"])
_HAPPENINGS = st.one_of(
    st.builds(Happening, st.just("remove"), st.sampled_from(_VIPS)),
    st.builds(Happening, st.sampled_from(["raise_link", "plug", "bridged"]), st.tuples(_LINKS, st.booleans())),
    st.builds(Happening, st.sampled_from(["delete", "make"]), st.tuples(st.sampled_from(["eth0", "eth1"]))),
    st.builds(Happening, st.just("storm"), st.tuples(st.integers(1, 6))),
    st.builds(
        Happening, st.just("add"), st.sampled_from([("eth1", held("203.0.113.9/24")), ("eth1", held("192.0.2.50/32"))])
    ),
    st.just(Happening("catch_up")),
)


def _configured(lower: str) -> Parsed:
    return parse(_CONFIGURATION.format(lower=lower), "keepalived.conf")


class Case(NamedTuple):
    """A kernel, and what happens."""

    capacity: int
    twice: bool
    turns: list[Turn]


_CASES = st.builds(
    Case,
    st.sampled_from([3, 10, 1000]),
    st.booleans(),
    st.lists(
        st.builds(
            Turn,
            st.sampled_from([0, 1, 1000, 4000]),
            st.lists(st.tuples(st.integers(0, 16), _HAPPENINGS), max_size=3),
            st.booleans(),
            st.integers(0, 7).map(lambda drawn: not drawn),
        ),
        max_size=20,
    ),
)


def _wrong(case: Case, configurations: tuple[Parsed, ...] | None = None) -> list[str]:
    """What is not as it should be, once everything has been read and all timers have run."""
    configurations = configurations or (_configured("eth0"), _configured("eth1"))
    kernel = Kernel(case.capacity, case.twice)
    for name, address in (("eth0", "198.51.100.1/24"), ("eth1", "192.0.2.1/24")):
        kernel.make(name)
        kernel.add(name, held(address))
    kernel.catch_up()
    wrong: list[str] = []
    modelled = ModelledDaemon(kernel, [*configurations], case.turns)

    def check(modelled: ModelledDaemon) -> None:
        links = kernel.links()
        there = {(address.ifindex, address.octets, address.prefix_length) for address in kernel.addresses()}
        routers = modelled.daemon._runtime.routers
        known = {one.octets for router in routers.values() for one in router.config.served}
        for name, router in routers.items():
            config = router.config
            lower = links.get(config.interface)
            size = 4 if config.family == 4 else 16
            source = lower is not None and any(
                one.source and one.octets not in known and len(one.octets) == size and one.ifindex == lower.ifindex
                for one in kernel.addresses()
            )
            down = [one for one in router.interfaces if one not in links or not links[one].up]
            if (router.state is State.FAULT) != bool(down or not source):
                wrong.append(f"{name} is in {router.state}; down: {down}, source: {source}")
            if router.state not in (State.FAULT, State.MASTER):
                wrong.append(f"{name} is in {router.state}, alone")
            for address in config.served:
                link = links.get(address.device)
                if router.state is State.MASTER:
                    if link is None or (link.ifindex, address.octets, address.prefix_length) not in there:
                        wrong.append(f"{name} is master without {address.address}")
                elif any(key[1:] == (address.octets, address.prefix_length) for key in there):
                    wrong.append(f"{name} is not master, with {address.address}")
            if (
                config.use_vmac
                and lower is not None
                and (config.vmac_name not in links or links[config.vmac_name].lower != lower.ifindex)
            ):
                wrong.append(f"{name} has no macvlan on {config.interface}")

    modelled.run(check)
    kernel.meanwhile = lambda: None
    left = [name for name in kernel.links() if name not in ("eth0", "eth1")]
    return [*wrong, *modelled.wrong, *(f"{name} is left" for name in left)]


@pytest.mark.hypothesis
@settings(suppress_health_check=list(HealthCheck))
@given(_CASES)
def test_after_the_last_report_states_and_addresses_are_what_the_kernel_says(case: Case) -> None:
    assert not _wrong(case)


def _instances(*addresses: str) -> Parsed:
    """An instance a for the first addresses, b for the second."""
    block = "vrrp_instance {} {{\ninterface eth0\nvirtual_router_id {}\nvirtual_ipaddress {{\n{}\n}}\n}}\n"
    text = "".join(
        block.format(name, 50 + place, there)
        for place, (name, there) in enumerate(zip("ab", addresses, strict=True), 1)
        if there
    )
    return parse(text, "keepalived.conf")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "addresses",
    [
        (("198.51.100.51\n198.51.100.53", "198.51.100.52"), ("198.51.100.51", "198.51.100.52\n198.51.100.53")),
        (("198.51.100.51", "198.51.100.52"), ("198.51.100.52", "198.51.100.51")),
        (("198.51.100.51", "198.51.100.52"), ("198.51.100.51\n198.51.100.52", "")),
        (("198.51.100.51\n198.51.100.52", ""), ("198.51.100.51", "198.51.100.52")),
    ],
    ids=["moved", "swapped", "inherited", "left"],
)
def test_an_address_that_a_reload_gives_to_another_instance_is_there_with_it(
    addresses: tuple[tuple[str, str], tuple[str, str]], turned: bool
) -> None:
    before, after = (_instances(*(one[::-1] if turned else one)) for one in addresses)
    masters = [Turn(4000, [], True, False) for _ in range(4)]
    assert not _wrong(Case(1000, False, [*masters, Turn(0, [], True, True)]), (before, after))


def test_no_router_sends_from_an_address_that_another_router_holds() -> None:
    """keepalived 2.2.7 was measured: with no other address it is in FAULT."""
    both = _instances("198.51.100.51/32", "198.51.100.52/32")
    masters = [Turn(4000, [], True, False) for _ in range(4)]
    taken = Happening("remove", ("eth0", held("198.51.100.1/24")))
    assert not _wrong(Case(1000, False, [*masters, Turn(0, [(0, taken)], True, False)]), (both, both))


@pytest.mark.parametrize(
    "error",
    [
        "everything is read anew before the queue is empty",
        "an address is held when it is reported",
        "an alias is known when it is reported",
    ],
)
def test_the_search_finds_an_error(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*ERRORS[error])
    search = settings(max_examples=300, database=None, phases=[Phase.generate])
    assert _wrong(find(_CASES, lambda case: bool(_wrong(case)), settings=search, random=Random(1)))
