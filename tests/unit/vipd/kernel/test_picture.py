"""Whatever the kernel does and in whatever order it tells of it: after the last report, the picture is the kernel."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from support.kernel_errors import ERRORS
from support.kernel_model import Happening, Kernel, held, opened
from vipd.config.model import VirtualAddress
from vipd.kernel.netlink import Netlink
from vipd.kernel.picture import Picture

MARK = "vipd 1"
VIPS = (
    VirtualAddress("192.0.2.50", 24, "eth1"),
    VirtualAddress("192.0.2.51", 32, "eth1"),
    VirtualAddress("2001:db8::50", 64, "eth1"),
    VirtualAddress("fe80::50", 64, "eth0"),
)
ADDRESSES = [(vip.device, held(f"{vip.address}/{vip.prefix_length}")) for vip in VIPS] + [
    ("eth1", held("192.0.2.9/24")),
    ("eth1", held("192.0.2.50/32")),
    ("eth0", held("198.51.100.9/24")),
    ("eth1", held("2001:db8::9/64")),
]
LINKS = st.sampled_from(["eth0", "eth1"])
HAPPENINGS = st.one_of(
    st.builds(Happening, st.sampled_from(["add", "remove"]), st.sampled_from(ADDRESSES)),
    st.builds(Happening, st.sampled_from(["raise_link", "plug", "bridged"]), st.tuples(LINKS, st.booleans())),
    st.builds(Happening, st.sampled_from(["delete", "make", "refuse"]), st.tuples(LINKS)),
    st.builds(Happening, st.just("rename"), st.sampled_from([("eth1", "eth9"), ("eth9", "eth1"), ("eth0", "eth1")])),
    st.builds(Happening, st.just("storm"), st.tuples(st.integers(1, 6))),
    st.just(Happening("catch_up")),
)


class Step(NamedTuple):
    """What vipd does, and what others do meanwhile: before which of its system calls."""

    vipd: str
    meanwhile: list[tuple[int, Happening]]


class Case(NamedTuple):
    """A kernel, and what is done."""

    capacity: int
    twice: bool
    promotes: bool
    steps: list[Step]


STEPS = st.builds(
    Step,
    st.sampled_from(["read", "claim", "release", "make a macvlan", "remove the macvlan"]),
    st.lists(st.tuples(st.integers(0, 16), HAPPENINGS), max_size=4),
)
CASES = st.builds(Case, st.sampled_from([2, 4, 1000]), st.booleans(), st.booleans(), st.lists(STEPS, max_size=12))


class Modelled(Netlink):
    """Talks to a model."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        super().__init__()

    def open(self, groups: int) -> Any:  # type: ignore[override]
        return opened(self._kernel, groups)


def do(netlink: Netlink, what: str, here: set[VirtualAddress]) -> None:
    """One thing that vipd does; `here` are the addresses that it has set."""
    lower, macvlan = netlink.links.get("eth0"), netlink.links.get("vrrp.1")
    if what == "read":
        netlink.read()
    elif what == "make a macvlan" and lower is not None and macvlan is None:
        netlink.make_macvlan("vrrp.1", lower, b"\0\0\x5e\0\1\1", MARK)
    elif what == "remove the macvlan" and macvlan is not None:
        netlink.remove_link(macvlan)
    elif what == "claim":
        for address in VIPS:
            with suppress(OSError):
                netlink.add(address)
                here.add(address)
    elif what == "release":
        for address in VIPS:
            netlink.remove(address)
            here.discard(address)


def difference(case: Case) -> str | None:
    """What the picture and the kernel disagree on after the last report, if anything."""
    kernel = Kernel(case.capacity, case.twice, case.promotes)
    for name in ("eth0", "eth1"):
        kernel.make(name)
    netlink = Modelled(kernel)
    waiting: deque[tuple[int, Happening]] = deque()
    calls = 0

    def meanwhile() -> None:
        nonlocal calls
        while waiting and waiting[0][0] <= calls:
            kernel.happen(waiting.popleft()[1])
        calls += 1

    kernel.meanwhile = meanwhile
    here: set[VirtualAddress] = set()
    for step in case.steps:
        calls = 0
        waiting.extend(sorted(step.meanwhile, key=lambda one: one[0]))
        with suppress(OSError):
            do(netlink, step.vipd, here)
        for address in here:
            device = kernel.named(address.device)
            renamed = device is None or device.ifindex != netlink.picture.set_on(address)
            if netlink.picture.lost(address) and not renamed and address.octets not in kernel.taken:
                return f"{address} is lost, and nobody took it away"
    while waiting:
        kernel.happen(waiting.popleft()[1])
    kernel.catch_up()
    for _ in range(1000):
        if not kernel.readable():
            return compare(kernel, netlink.picture, here)
        netlink.read()
    return "it reads for ever"


def compare(kernel: Kernel, picture: Picture, here: set[VirtualAddress]) -> str | None:
    links, addresses = kernel.links(), kernel.addresses()
    if picture.links != links:
        return f"links: {picture.links}, but {links}"
    for address in VIPS:
        device = links.get(address.device)
        there = {(one.ifindex, one.octets, one.prefix_length) for one in addresses}
        gone = device is not None and (device.ifindex, address.octets, address.prefix_length) not in there
        if picture.lost(address) != (address in here and gone):
            return f"{address} is {'' if gone else 'not '}lost"
    for octets in {one.octets for _, one in ADDRESSES}:
        if picture.has(octets) != any(one.octets == octets for one in addresses):
            return f"{octets!r} is there: {not picture.has(octets)}"
    for link in links.values():
        for family, size in ((4, 4), (6, 16)):
            wanted = [one.octets for one in addresses if one.ifindex == link.ifindex and one.source]
            sources = sorted(int.from_bytes(one, "big") for one in wanted if len(one) == size)
            if sorted(picture.sources(link.ifindex, family)) != sources:
                return f"sources of {link.name}: {picture.sources(link.ifindex, family)}, but {sources}"
    return None


@pytest.mark.hypothesis
@given(CASES)
def test_after_the_last_report_the_picture_is_the_kernel(case: Case) -> None:
    assert difference(case) is None


@pytest.mark.parametrize("error", ERRORS)
def test_the_search_finds_an_error(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*ERRORS[error])
    search = settings(max_examples=1500, database=None, phases=[Phase.generate])
    case = find(CASES, lambda case: difference(case) is not None, settings=search, random=Random(1))
    assert difference(case)
