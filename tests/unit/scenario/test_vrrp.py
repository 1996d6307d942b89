"""A scenario's `vrrp:`: each keyword is checked, written as keepalived reads it, and asked only of who knows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipd.config.model import RouterConfig
from vipd.config.parser import parse
from viplab.address_family import IPV6
from viplab.errors import InputError
from viplab.experiment.support import not_supported
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import parse_scenario
from viplab.scenario.model import Scenario
from viplab.subjects.keepalived_conf import keepalived_conf
from viplab.subjects.registry import assignment

HEAD = """\
scenario: mine
title: t
story: s
hosts:
  A: {state: BACKUP, priority: 102}
  B: {state: BACKUP, priority: 101}
steps: [{kill: {host: A}}]
expect: {owner: B}
"""
OVER_IPV6 = "{version: 3, virtual_ipaddress: [fe80::50/64 dev eth1, 'fd00:122::50/64 dev eth1']}"


def asking(vrrp: str) -> Scenario:
    return parse_scenario(f"{HEAD}vrrp: {vrrp}\n", "mine.yaml")


def router(vrrp: str, host: str = "A") -> RouterConfig:
    """What a daemon that reads keepalived.conf is told by it."""
    (read,) = parse(keepalived_conf(asking(vrrp), host), "keepalived.conf").config.routers
    return read


@given(st.integers(1, 4095))
def test_version_3_takes_every_centisecond_that_an_advert_can_say(centiseconds: int) -> None:
    asked = router(f"{{version: 3, advert_int: {centiseconds / 100}}}")
    assert (asked.version, asked.advert_int_ns) == (3, centiseconds * 10_000_000)


@pytest.mark.parametrize(
    ("vrrp", "said"),
    [
        (
            "{virtual_ipaddress: [192.168.122.50-52, 192.168.122.51]}",
            ".51 is there more than once; leave one out",
        ),
        ("{advert_int: 0.1}", "version 2 has whole seconds, not 0.1; add `version: 3`"),
        ("{version: 3, advert_int: 0.005}", "greater than or equal to 0.01"),
        ("{version: 3, advert_int: 0.015}", "steps of 0.01 s, and 0.015 is none"),
        ("{version: 3, advert_int: 41}", "40.95 s at most, not 41"),
        ("{virtual_ipaddress: []}", "at least 1 item"),
        ("{virtual_ipaddress: 192.168.122.60-50/24}", "the range goes from 60 to 50; it has to go up, to 254 at most"),
        ("{virtual_ipaddress: 192.168.122.50-255/24}", "the range goes from 50 to 255"),
        ("{virtual_ipaddress: [192.168.122.0-200/24, 192.168.123.0-200/24]}", "at most 255 items"),
        ("{virtual_ipaddress: nothing}", "'nothing' does not appear to be an IPv4 or IPv6 interface"),
        ("{virtual_ipaddress: ''}", "'' does not appear to be an IPv4 or IPv6 interface"),
        ("{virtual_ipaddress: 'fd00:122::50/64'}", "version 2 knows IPv4 only; add `version: 3`"),
        (
            "{version: 3, virtual_ipaddress: ['fd00:122::50', 192.168.122.50]}",
            "fd00:122::50 and 192.168.122.50: an instance has addresses of one family; leave one out",
        ),
        (
            "{version: 3, virtual_ipaddress: 'fe80::50/64 dev eth1'}",
            "one to ask that is not link-local; add `fd00",
        ),
        ("{version: 3, virtual_ipaddress: 'fe80::50%eth1'}", "fe80::50%eth1: the interface stands behind `dev`"),
        ("{version: 3, unicast: true, virtual_ipaddress: 'fd00:122::50'}", "unicast: there are addresses of IPv4 only"),
        ("{virtual_ipaddress: [1]}", "Input should be a valid string"),
        ("{authentication: {auth_pass: x}, version: 3}", "authentication: version 3 has none; leave it out"),
        ("{track_script: [x]}", "track_script: 'x' is not defined; there are: none"),
        ("{vrrp_track_file: {y: {file: /run/y}}, track_file: [x weight 2]}", "'x' is not defined; there are: y"),
        ("{vrrp_script: {x: {script: 'a \"b'}}}", "String should match pattern"),
        ("{interface: eth9}", "Input should be 'eth0', 'eth1' or 'eth2'"),
        ("{version: 4}", "vrrp.version: Input should be 2 or 3"),
        ("{no_such_keyword: 1}", "vrrp.no_such_keyword: Extra inputs are not permitted"),
    ],
)
def test_what_keepalived_would_refuse_is_refused_in_one_line_with_its_place(vrrp: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        asking(vrrp)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("mine.yaml: vrrp")
    assert said in line


@pytest.mark.parametrize(
    ("vrrp", "subject", "why"),
    [
        ("{version: 3, advert_int: 0.01}", "vipd", None),
        ("{version: 3, advert_int: 0.01}", "keepalived", None),
        ("{version: 3, advert_int: 0.01}", "frr", None),
        ("{version: 3}", "ucarp", "ucarp has no version"),
        ("{nopreempt: true}", "frr", None),
        ("{nopreempt: true, unicast: true}", "ucarp", "ucarp has no nopreempt, unicast"),
        ("{use_vmac: true, preempt_delay: 3}", "frr", "frr has no preempt_delay, use_vmac"),
        ("{virtual_ipaddress: 192.168.122.50-51/24 dev eth1}", "frr", None),
        ("{virtual_ipaddress: 192.168.122.50-51/24}", "ucarp", "ucarp cannot do mine: it has one address, not 2"),
        ("{nopreempt: true, unicast: true, track_interface: [eth1]}", "pacemaker", None),
        ("{advert_int: 2}", "pacemaker", "pacemaker has no advert_int"),
        ("{virtual_ipaddress_excluded: 192.168.122.60/24}", "frr", "frr has no virtual_ipaddress_excluded"),
        (OVER_IPV6, "keepalived", None),
        (OVER_IPV6, "ucarp", "ucarp has no version"),
        (OVER_IPV6, "frr", None),
    ],
)
def test_a_keyword_that_a_daemon_does_not_have_is_not_supported(vrrp: str, subject: str, why: str | None) -> None:
    assert not_supported(asking(vrrp), assignment(subject), NETNS) == why


@pytest.mark.parametrize(
    ("fault", "ipv4", "ipv6"),
    [
        ("announcements_lost: {}", None, None),
        ("announcements_limited: {rate: 1}", None, None),
        ("foreign_adverts: {priority: 1}", None, None),
        ("foreign_carp: {priority: 1}", None, "IPv4"),
        ("arp_spoofed: {rate: 1}", None, "IPv4"),
        ("nd_spoofed: {rate: 1}", "IPv6", None),
    ],
)
def test_what_is_done_by_one_family_alone_is_not_supported_over_the_other(
    fault: str, ipv4: str | None, ipv6: str | None
) -> None:
    text = HEAD.replace("kill: {host: A}", fault)
    for vrrp, needed in (("{}", ipv4), (OVER_IPV6, ipv6)):
        scenario = parse_scenario(text + f"vrrp: {vrrp}\n", "mine.yaml")
        why = not_supported(scenario, assignment("keepalived"), NETNS)
        assert why == (needed and f"{fault.partition(':')[0]} needs a virtual address of {needed}, and mine has none")


@given(st.integers(1, 254), st.integers(0, 253))
def test_a_range_is_a_line_for_each_of_its_addresses(first: int, more: int) -> None:
    last = min(254, first + more)
    written = f"192.168.122.{first}-{last}/24 dev eth1"
    asked = asking(f"{{virtual_ipaddress: {written}, virtual_ipaddress_excluded: [10.0.0.1/32 dev eth0]}}")
    addresses = [f"192.168.122.{octet}" for octet in range(first, last + 1)]
    assert asked.vrrp.vips == [*addresses, "10.0.0.1"]
    (read,) = parse(keepalived_conf(asked, "A"), "keepalived.conf").config.routers
    assert [one.address for one in read.addresses] == addresses
    assert [one.address for one in read.excluded] == ["10.0.0.1"]


def test_each_host_names_its_own_address_and_those_of_the_others_as_peers() -> None:
    one, other = (router("{unicast: true}", host) for host in "AB")
    assert (one.source, one.unicast_peers) == ("10.10.10.11", ("10.10.10.12",))
    assert (other.source, other.unicast_peers) == ("10.10.10.12", ("10.10.10.11",))


@pytest.mark.parametrize(
    ("vrrp", "field", "value"),
    [
        ("{nopreempt: true}", "preempt", False),
        ("{preempt_delay: 2.5}", "preempt_delay_ns", 2_500_000_000),
        ("{garp_master_delay: 0}", "garp_delay_ns", 0),
        ("{garp_master_repeat: 2}", "garp_repeat", 2),
        ("{garp_master_refresh: 3}", "garp_refresh_ns", 3_000_000_000),
        ("{garp_master_refresh_repeat: 4}", "garp_refresh_repeat", 4),
        ("{authentication: {auth_pass: secret12}}", "auth_pass", b"secret12"),
        ("{interface: eth1, use_vmac: true}", "use_vmac", True),
        ("{track_interface: [eth1]}", "tracked", ("eth1",)),
    ],
)
def test_a_daemon_reads_each_keyword_as_the_scenario_means_it(vrrp: str, field: str, value: object) -> None:
    assert getattr(router(vrrp), field) == value
    assert getattr(router("{}"), field) != value


def test_scripts_and_files_are_defined_before_the_instance_that_tracks_them() -> None:
    asked = asking(
        "{vrrp_script: {s: {script: /bin/test -e /run/x, weight: -10, fall: 2}}, track_script: [s weight -20],"
        " vrrp_track_file: {f: {file: /run/f, weight: 2}}, track_file: [f]}"
    )
    config = parse(keepalived_conf(asked, "A"), "keepalived.conf").config
    (script,) = config.scripts
    assert (script.command.argv, script.interval_ns, script.fall) == (("/bin/test", "-e", "/run/x"), 1_000_000_000, 2)
    tracks = {(one.kind, one.name, one.weight) for one in config.routers[0].tracks}
    assert tracks == {("script", "s", -20), ("file", "f", 2)}


@pytest.mark.parametrize(("state", "preempts", "delay_s"), [("BACKUP", False, 5), ("MASTER", True, 0)])
def test_state_master_takes_the_effect_from_nopreempt_and_preempt_delay(
    state: str, preempts: bool, delay_s: float
) -> None:
    text = HEAD.replace("A: {state: BACKUP", f"A: {{state: {state}") + "vrrp: {nopreempt: true, preempt_delay: 5}\n"
    asked = parse_scenario(text, "mine.yaml")
    assert (asked.preempts("A"), asked.preempt_delay_s("A")) == (preempts, delay_s)


@pytest.mark.parametrize(
    ("vrrp", "mac"),
    [
        ("{interface: eth1, virtual_ipaddress: 192.168.122.50/24, use_vmac: true}", "00:00:5e:00:01:33"),
        ("{use_vmac: true}", None),
        ("{interface: eth1}", None),
        ("{version: 3, interface: eth1, virtual_ipaddress: 'fd00:122::50/64', use_vmac: true}", "00:00:5e:00:02:33"),
    ],
)
def test_the_virtual_mac_is_for_addresses_of_the_adverts_own_interface(vrrp: str, mac: str | None) -> None:
    assert {assignment(name).virtual_mac(asking(vrrp)) for name in ("vipd", "keepalived")} == {mac}


def test_of_ipv6_the_client_asks_the_first_address_that_is_not_link_local() -> None:
    vrrp = asking("{version: 3, virtual_ipaddress: [fe80::50/64, 'FD00:122:0::50/64 dev eth1']}").vrrp
    assert (vrrp.vip, vrrp.vip_interface, vrrp.vips) == ("fd00:122::50", "eth1", ["fe80::50", "fd00:122::50"])
    assert vrrp.family is IPV6
