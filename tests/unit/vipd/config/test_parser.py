"""keepalived.conf, right and wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.keepalived_conf import PART_1, PART_3, instance, problems, router
from vipd.config.behaviour import SECOND_NS
from vipd.config.model import RouterConfig, VirtualAddress
from vipd.config.parser import ConfigError, parse

VIP = VirtualAddress("192.168.122.50", 24, "eth1", "192.168.122.255", "eth1:0")


def test_the_article_s_part_1_configuration() -> None:
    assert router(PART_1) == RouterConfig("VI_1", "eth0", 51, (VIP,), priority=102, initial_master=True)


def test_the_article_s_part_3_configuration() -> None:
    assert router(PART_3) == RouterConfig("VI_1", "eth0", 51, (VIP,), priority=101, tracked=("eth1",))


def test_what_is_left_out_has_keepalived_s_default() -> None:
    found = router(instance(""))
    assert (found.priority, found.advert_int_ns, found.preempt, found.preempt_delay_ns) == (100, SECOND_NS, True, 0)
    assert found.addresses == (VirtualAddress("10.1.1.1", 32, "eth0"),)
    assert (found.garp_repeat, found.garp_delay_ns) == (None, None), "the profile decides"


def test_state_master_without_a_priority_is_an_owner_s_as_with_keepalived() -> None:
    assert router(instance("state MASTER")).priority == 255
    assert router(instance("state MASTER\npriority 90")).priority == 90
    assert router(instance("state BACKUP")).priority == 100


def test_every_keyword_of_an_instance() -> None:
    found = router(
        instance(
            "preempt_delay 2.5\ngarp_master_delay 0\ngarp_master_repeat 3\nadvert_int 4\npriority 255\n"
            "state BACKUP\ntrack_interface {\neth1\neth2\n}"
        )
    )
    assert found.preempt_delay_ns == 2_500_000_000
    assert (found.garp_delay_ns, found.garp_repeat, found.advert_int_ns, found.priority) == (0, 3, 4 * SECOND_NS, 255)
    assert found.interfaces == ("eth0", "eth1", "eth2")
    assert found.master_down_ns == 12 * SECOND_NS + SECOND_NS // 256


def test_skew_is_not_rounded_to_more_than_a_nanosecond() -> None:
    assert router(instance("priority 101")).skew_ns == 605_468_750


def test_comments_quotes_and_braces_stand_where_keepalived_allows_them() -> None:
    found = parse(
        '! a comment\n# another\nglobal_defs { router_id "a # b" ! here, too\n}\n'
        "vrrp_instance 'V 1'\n{\n interface eth0 # the interconnect\n virtual_router_id 1\n"
        "virtual_ipaddress\n {\n 10.0.0.1 dev eth1 ; \n}\n}\n".replace(" ; ", " "),
        "f",
    ).config
    assert found.globals.router_id == "a # b"
    assert found.routers[0].name == "V 1"
    assert found.routers[0].addresses == (VirtualAddress("10.0.0.1", 32, "eth1"),)


def test_address_options_in_any_order_and_scope_by_name_or_number() -> None:
    lines = "virtual_ipaddress {\n10.2.0.1/8 label l scope link dev d broadcast 10.255.255.255\n10.2.0.2 scope 7\n}"
    assert router(instance(lines)).addresses == (
        VirtualAddress("10.2.0.1", 8, "d", "10.255.255.255", "l", 253),
        VirtualAddress("10.2.0.2", 32, "eth0", None, None, 7),
        VirtualAddress("10.1.1.1", 32, "eth0"),
    )


def test_an_unknown_keyword_is_an_error_with_file_line_and_advice() -> None:
    assert problems(instance("prioriti 3")) == [
        "f:2: prioriti: is not a keyword of vrrp_instance; did you mean 'priority'?"
    ]


def test_lvs_is_refused_in_one_line_that_says_so() -> None:
    assert problems("virtual_server 10.0.0.1 80 {\ndelay_loop 6\nreal_server 10.0.0.2 80 {\n}\n}\n" + PART_1) == [
        "f:1: virtual_server: is LVS, which vipd does not do; run `keepalived -C` for it and remove it here"
    ]


def test_all_errors_are_listed_not_only_the_first() -> None:
    found = problems(
        instance("priority 0\nadvert_int 0\nstate LEADER\nvirtual_ipaddress {\n10.1.1.300\n10.0.0.1/33\n}")
    )
    assert [line.split(":")[1] for line in found] == ["2", "3", "4", "6", "7"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("priority 256", "f:2: priority: '256' is not a whole number from 1 to 255"),
        ("priority", "f:2: priority: takes one value, not 0; write: priority 1-255"),
        ("priority {\n}", "f:2: priority: takes one value, not a block; write: priority 1-255"),
        (
            "advert_int 0.5",
            "f:2: advert_int: 0.5: version 2 has whole seconds from 1 to 255; round it, or add: version 3",
        ),
        ("version 3\nadvert_int 41", "f:3: advert_int: 41: version 3 has 0.01 to 40.95 seconds in steps of 0.01"),
        ("version 3\nadvert_int 0.015", "f:3: advert_int: 0.015: version 3 has 0.01 to 40.95 seconds in steps of 0.01"),
        ("preempt_delay -1", "f:2: preempt_delay: '-1' is not a number of seconds from 0 to 1000"),
        ("preempt_delay 1001", "f:2: preempt_delay: '1001' is not a number of seconds from 0 to 1000"),
        ("state LEADER", "f:2: state: 'LEADER' is not one of MASTER, BACKUP"),
        ("nopreempt {\n}", "f:2: nopreempt: stands alone; remove what follows it"),
        ("mcast_dst_ip ff02::18", "f:2: mcast_dst_ip: ff02::18 is not of the family of the instance's addresses"),
        (
            "mcast_dst_ip 10.0.0.1",
            "f:2: mcast_dst_ip: 10.0.0.1 is not a multicast address; "
            "IPv4 has 224.0.0.0 to 239.255.255.255, IPv6 ff00::/8",
        ),
        ("use_vmac foo bar", "f:2: use_vmac: 'bar' is one too many; it takes a name and a MAC address at most"),
        (
            "track_script {\nx\n}\ntrack_interface {\neth1\n}",
            "f:3: track_script: 'x' is not defined; none is; define it",
        ),
        (
            "virtual_ipaddress {\n10.1.1.2 track_group G\n}",
            "f:3: virtual_ipaddress: 10.1.1.2: "
            "'track_group' is for static addresses, routes and rules alone; remove it",
        ),
        ("track_interface eth1", "f:2: track_interface: takes a block: track_interface { ... }"),
        (
            "track_interface {\neth1 weight 500\n}",
            "f:3: track_interface: eth1: '500' is not a whole number from -253 to 253",
        ),
        (
            "track_interface {\nan-interface-name-of-24\n}",
            "f:3: track_interface: an-interface-name-of-24: "
            "'an-interface-name-of-24' cannot be the name of an interface: 1 to 15 characters, none of them '/'",
        ),
        ("virtual_ipaddress {\n10.1.1\n}", "f:3: virtual_ipaddress: 10.1.1: '10.1.1' is not an IPv4 address"),
        (
            "virtual_ipaddress {\n10.1.1.1/33\n}",
            "f:3: virtual_ipaddress: 10.1.1.1/33: the mask '33' is not a number from 0 to 32",
        ),
        (
            "virtual_ipaddress {\n10.1.1.1 dev\n}",
            "f:3: virtual_ipaddress: 10.1.1.1: 'dev' of 10.1.1.1 has no value",
        ),
        (
            "virtual_ipaddress {\n10.1.1.1 devv x\n}",
            "f:3: virtual_ipaddress: 10.1.1.1: 'devv' is not known here; did you mean 'dev'?",
        ),
        (
            "virtual_ipaddress {\n10.1.1.1 scope wide\n}",
            "f:3: virtual_ipaddress: 10.1.1.1: 'wide' is no scope: "
            "neither a number up to 255 nor a name in /etc/iproute2/rt_scopes",
        ),
    ],
)
def test_a_wrong_value_says_what_would_be_right(lines: str, message: str) -> None:
    assert problems(instance(lines)) == [message]


@pytest.mark.parametrize(
    ("lines", "message", "repaired"),
    [
        ("priority 1 2", "priority: '2' is read over, as keepalived reads over it; remove it", 0),
        ("nopreempt yes", "nopreempt: 'yes' is read over, as keepalived reads over it; remove it", 0),
        ("notify /bin/x a b c d", "notify: 'c d' is read over, as keepalived reads over it; remove it", 0),
        ("vmac_xmit_base", "vmac_xmit_base: has its effect only with use_vmac", 1),
        ("unicast_peer {\n}", "unicast_peer: there is no unicast peer, so adverts go to the group;", 1),
        ("unicast_ttl 3", "unicast_ttl: there is no unicast peer, so adverts go to the group;", 1),
        ("virtual_rules {\nfrom 10.0.0.0/8 table 5\n}", "virtual_rules: a rule without preference gets one", 1),
    ],
)
def test_what_keepalived_reads_over_or_mends_is_a_warning_and_no_error(lines: str, message: str, repaired: int) -> None:
    found = parse(instance(lines), "f")
    (warning,) = found.diagnostics.warnings
    assert warning.startswith(f"f:2: {message}")
    assert found.diagnostics.repaired == repaired


def test_a_global_that_is_wrong_is_one_error_and_no_more() -> None:
    text = "global_defs {\nvmac_prefix\ndefault_interface\nvrrp_version 9\n}\n" + instance("use_vmac")
    assert [line.split(": ")[1] for line in problems(text)] == ["vmac_prefix", "default_interface", "vrrp_version"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("vrrp_mcast_group4 ff02::12", "f:2: vrrp_mcast_group4: ff02::12 is of IPv6; write one of IPv4"),
        ("vrrp_mcast_group6 224.0.0.1", "f:2: vrrp_mcast_group6: 224.0.0.1 is of IPv4; write one of IPv6"),
        ("vrrp_mcast_group4 10.0.0.1", "f:2: vrrp_mcast_group4: 10.0.0.1 is not a multicast address; IPv4 has"),
    ],
)
def test_a_group_is_a_multicast_address_of_its_family(line: str, message: str) -> None:
    (found,) = problems(f"global_defs {{\n{line}\n}}\n" + instance(""))
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vrrp_instance V {\n", "f:1: vrrp_instance: its block is not closed; add a '}'"),
        ("}\n", "f:1: '}': closes nothing; remove it, or look for a '{' missing above"),
        ("{\n}\n", "f:1: '{': follows no keyword; write the keyword before it"),
        ('router_id "x\n', 'f:1: ": this quote is not closed on its line; close it'),
        ("vrrp_instance {\n}\n", "f:1: vrrp_instance: has one name: vrrp_instance NAME { ... }"),
        ("vrrp_instance V\n", "f:1: vrrp_instance: takes a block: vrrp_instance ... { ... }"),
        (instance("") + instance(""), "f:7: vrrp_instance: there is a 'V' already; give this one another name"),
        (
            instance("") + instance("").replace(" V ", " W "),
            "f:10: virtual_router_id: 7 on eth0 belongs to 'V'; take another",
        ),
    ],
)
def test_a_wrong_file_says_what_would_be_right(text: str, message: str) -> None:
    assert problems(text) == [message]


def test_a_number_is_taken_by_what_hears_the_same_adverts_as_keepalived_has_it() -> None:
    peer, source = "unicast_peer {\n10.0.0.9\n}", "unicast_src_ip 10.0.0.{}"
    for one, other, taken in (
        (peer, peer, True),
        (peer, peer.replace("9", "9\n10.0.0.8"), True),
        (peer, peer.replace("9", "8"), False),
        (peer, "", False),
        (peer, f"{peer}\n{source.format(3)}", False),
        (f"{peer}\n{source.format(2)}", f"{peer}\n{source.format(3)}", False),
        (f"{peer}\n{source.format(2)}", f"{peer}\n{source.format(2)}", True),
        ("mcast_src_ip 10.0.0.2", "mcast_src_ip 10.0.0.3", True),
        ("", "mcast_dst_ip 224.0.0.99", False),
    ):
        text = instance(one) + instance(other).replace(" V ", " W ")
        said = problems(text) if taken else []
        assert len(said) == taken and all("belongs to 'V'" in line for line in said)
        assert taken or len(parse(text, "f").config.routers) == 2


def test_what_is_missing_is_named() -> None:
    assert problems("vrrp_instance V {\n}\n") == [
        "f:1: vrrp_instance: 'V' has no interface, no virtual_router_id, no virtual_ipaddress; add it",
    ]


def test_mail_settings_are_accepted_with_a_warning() -> None:
    found = parse("global_defs {\nnotification_email {\na@b\n}\nsmtp_server 10.0.0.1\n}\n" + PART_1, "f")
    assert found.diagnostics.warnings == (
        "f:2: notification_email: has no effect: vipd sends no mail",
        "f:5: smtp_server: has no effect: vipd sends no mail",
    )


def test_nopreempt_with_state_master_is_warned_of() -> None:
    assert parse(instance("state MASTER\npriority 90\nnopreempt"), "f").diagnostics.warnings == (
        "f:4: nopreempt: has its effect only with state BACKUP",
    )


@given(st.text(alphabet="{}#!\"'\n .:/abc019é", max_size=120))
def test_any_text_is_read_or_refused_with_file_and_line(text: str) -> None:
    try:
        parse(text, "f")
    except ConfigError as error:
        assert error.problems
        assert all(problem.startswith("f:") for problem in error.problems)


@given(st.lists(st.sampled_from([*PART_3.split(), "{", "}", "\n", "priority", "256"]), max_size=40))
def test_any_shuffle_of_keywords_is_read_or_refused(words: list[str]) -> None:
    try:
        parse(" ".join(words), "f")
    except ConfigError as error:
        assert error.problems


def test_what_carries_something_of_a_router_has_to_be_up_unless_no_track_says_otherwise() -> None:
    text = """
vrrp_instance V {
    interface eth0
    virtual_router_id 7
    %s
    virtual_ipaddress {
        10.1.1.1
        10.1.1.2 dev a
        10.1.1.3 dev b no_track
    }
    virtual_ipaddress_excluded {
        10.1.1.4 dev c
        fd00::4 dev d no_track
    }
    virtual_routes {
        10.2.0.0/16 via 10.1.1.9 dev e
        10.3.0.0/16 dev f no_track
        10.4.0.0/16 nexthop via 10.1.1.9 dev g nexthop via 10.1.2.9 dev h
        10.5.0.0/16 via 10.1.1.9
    }
    virtual_rules {
        from 10.2.0.0/16 iif i table 1 preference 1
        from 10.2.0.0/16 oif j table 1 preference 2
        from 10.2.0.0/16 iif k table 1 preference 3 no_track
    }
}
"""
    assert router(text % "").carriers == ("eth0", *"aceij")
    assert router(text % "dont_track_primary").carriers == tuple("aceij")
    assert router(text % "use_vmac").carriers == tuple("aceij"), "its macvlan is down while another is master"
    own = (text % "dont_track_primary").replace("dev e", "dev eth0")
    assert "eth0" in router(own).carriers, "a route goes with its interface, as keepalived has it"
