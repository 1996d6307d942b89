"""Every VRRP keyword of keepalived is known, and does what it says or says that it does nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from support.keepalived_conf import instance, problems, router
from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.keywords import BLOCKS, KEYWORDS, REFUSED, Keyword
from vipd.config.model import Command, Globals, Hooks, Hop, Route, RouterConfig, Rule, Track
from vipd.config.parser import ConfigError, parse
from vipd.config.writer import explain

LISTED = [
    (block, name)
    for line in (Path(__file__).parent / "keepalived_keywords.tsv").read_text(encoding="utf-8").splitlines()
    for block, names in [line.split("\t")]
    for name in names.split()
]
NOT_FIELDS = {"block", "*", "no_addresses", "priority_changes", "group4", "group6", "members", "tracking_weight",
              "min_garp", "dynamic_interfaces", "default_interface", "instance", "user", "interfaces"}  # fmt: skip


@pytest.mark.parametrize(("block", "name"), LISTED)
def test_every_vrrp_keyword_of_keepalived_is_in_the_table(block: str, name: str) -> None:
    assert name in BLOCKS[block] or (block, name) in REFUSED


@pytest.mark.parametrize("keyword", [keyword for keyword in KEYWORDS if not keyword.to], ids=lambda k: k.name)
def test_a_keyword_without_effect_says_why(keyword: Keyword) -> None:
    line = f"{keyword.name} something {{\nwhatever it is\n}}\n"
    text = {"": line + instance(""), "global_defs": f"global_defs {{\n{line}}}\n" + instance("")}
    text["vrrp_instance"] = instance(line)
    text["vrrp_sync_group"] = instance("") + f"vrrp_sync_group G {{\ngroup {{\nV\n}}\n{line}}}\n"
    warnings = parse(text[keyword.block], "f").diagnostics.warnings
    found = [warning for warning in warnings if f" {keyword.name}: " in warning]
    assert found[0].endswith(f"{keyword.name}: has no effect: {keyword.note}")


WORDS = ("", "''", "'' ''", "x ''", "'' x", "\0", "-", ":", "/", ".", "{", "via ''", "from")


@pytest.mark.parametrize("keyword", KEYWORDS, ids=lambda keyword: f"{keyword.block}-{keyword.name}")
def test_a_keyword_takes_or_refuses_any_words_and_any_lines(keyword: Keyword) -> None:
    for words in WORDS:
        for line in (f"{keyword.name} {words}\n", f"{keyword.name} {{\n{words}\n}}\n"):
            block = f"{keyword.block} n {{\n{line}}}\n" if keyword.block else line
            with suppress(ConfigError):
                parse(instance(line) if keyword.block == "vrrp_instance" else instance("") + block, "f")


def test_each_keyword_fills_a_field_that_there_is() -> None:
    makes: dict[str, type[NamedTuple]] = {"vrrp_instance": RouterConfig, "global_defs": Globals}  # type: ignore[dict-item]
    for keyword in KEYWORDS:
        scope, _, field = keyword.to.rpartition(".")
        if keyword.block in makes and field not in NOT_FIELDS and scope != "hook" and keyword.to:
            assert field in (RouterConfig if scope == "router" else makes[keyword.block])._fields, keyword


def test_global_defaults_reach_every_instance_and_give_way_to_its_own() -> None:
    text = (
        "global_defs {\nvrrp_version 3\nvrrp_garp_master_repeat 2\nvrrp_garp_master_delay 1\n"
        "vrrp_mcast_group4 224.0.0.77\nvrrp_down_timer_adverts 4\nvrrp_check_unicast_src\n}\n"
    )
    found = router(text + instance("garp_master_repeat 3"))
    assert (found.version, found.garp_repeat, found.garp_delay_ns, found.group) == (3, 3, SECOND_NS, "224.0.0.77")
    assert (found.down_timer_adverts, found.check_unicast_src) == (4, True)
    assert (found.garp_lower_prio_repeat, found.garp_lower_prio_delay_ns) == (2, SECOND_NS), "those of global_defs"
    strict = router("global_defs {\nvrrp_strict\nvrrp_garp_master_repeat 2\n}\n" + instance("garp_master_repeat 3"))
    assert (strict.garp_lower_prio_repeat, strict.garp_lower_prio_delay_ns) == (0, 0)
    quiet = router("global_defs {\nvrrp_min_garp\n}\n" + instance(""))
    assert (quiet.garp_repeat, quiet.garp_delay_ns) == (1, 0)


def test_tracking_takes_its_weight_from_the_line_or_from_what_is_tracked() -> None:
    text = (
        "vrrp_script s {\nscript /bin/true\nweight -20 reverse\n}\ntrack_file t {\nfile /f\n}\n"
        "vrrp_track_process p {\nprocess nginx -g\nquorum 2\ndelay 1.5\n}\n"
        + instance(
            "track_interface {\neth1\neth2 weight 10 reverse\neth3 weight 0\n}\ntrack_script {\ns\n}\n"
            "track_file {\nt weight 3\n}\ntrack_process {\np\n}"
        )
    )
    found = parse(text, "f").config
    assert found.routers[0].tracked == ("eth1", "eth3")
    assert found.routers[0].tracks == (
        Track("interface", "eth2", 10, True),
        Track("script", "s", -20, True),
        Track("file", "t", 3),
        Track("process", "p", 1),
    )
    assert found.scripts[0].command == Command(("/bin/true",))
    (process,) = found.processes
    assert (process.words, process.quorum, process.terminate_delay_ns) == (("nginx", "-g"), 2, 3 * SECOND_NS // 2)


def test_what_is_tracked_must_be_defined() -> None:
    assert problems("vrrp_script check {\nscript /bin/true\n}\n" + instance("track_script {\nchekc\n}")) == [
        "f:6: track_script: 'chekc' is not defined; did you mean 'check'?"
    ]


def test_members_of_a_sync_group_track_without_weights_unless_it_says_otherwise() -> None:
    script = "vrrp_script s {\nscript /bin/true\nweight 5\n}\n"
    member = instance("track_script {\ns\n}")
    group = "vrrp_sync_group G {\ngroup {\nV\n}\n%s\n}\n"
    assert router(script + member + group % "").tracks == ()
    assert router(script + member + group % "sync_group_tracking_weight").tracks == (Track("script", "s", 5),)


def test_a_sync_group_tracks_for_its_members() -> None:
    text = instance("") + "vrrp_sync_group G {\ngroup {\nV\n}\ntrack_interface {\neth5\n}\n}\n"
    assert router(text).interfaces == ("eth0", "eth5")


def test_groups_name_instances_that_exist_and_share_none() -> None:
    text = instance("") + "vrrp_sync_group G {\ngroup {\nX\nV\n}\n}\nvrrp_sync_group H {\ngroup {\nV\n}\n}\n"
    assert problems(text) == [
        "f:7: vrrp_sync_group: there is no vrrp_instance 'X'; known are V",
        "f:13: vrrp_sync_group: 'V' is in 'G'; an instance has one group",
    ]


def test_hooks_are_words_without_a_shell() -> None:
    found = router(instance("notify_master \"/bin/tell 'two words' x\" nobody nogroup\nnotify /bin/all"))
    assert found.hooks == Hooks(
        (("MASTER", Command(("/bin/tell", "two words", "x"), "nobody", "nogroup")), ("", Command(("/bin/all",))))
    )
    assert router(instance('notify_master "tell > /x"')).hooks.commands == (("MASTER", Command(("tell", ">", "/x"))),)
    assert problems(instance("notify_master ''")) == [
        "f:2: notify_master: '' names no program; write the whole path of one, or its name to look up in PATH"
    ]


def test_a_script_that_begins_with_a_redirection_is_for_the_shell() -> None:
    text = 'vrrp_script s {\nscript "< /run/x"\n}\n' + instance("")
    assert parse(text, "f").config.scripts[0].command == Command(("/bin/sh", "-c", "< /run/x"))


def test_words_of_a_script_that_are_not_in_quotes_are_read_over() -> None:
    config, diagnostics = parse("vrrp_script s {\nscript /bin/x -a -b\n}\n" + instance(""), "f")
    assert config.scripts[0].command == Command(("/bin/x",))
    assert "f:2: script: '-a -b' is read over, as keepalived reads over it; remove it" in diagnostics.warnings


def test_routes_and_rules() -> None:
    found = router(
        instance(
            "virtual_routes {\nsrc 10.0.0.1 to 10.9.0.0/16 via 10.1.1.5 dev eth0 metric 7\n"
            "blackhole 10.8.0.0/16 no_track\n"
            "default via 10.1.1.6 table 100 no_track\n10.7.0.0/16 no_track nexthop via 10.1.1.5 nexthop via 10.1.1.6\n"
            "2001:db8::/32 via fe80::1 dev eth0 mtu 1400\n}\n"
            "virtual_rules {\nfrom 10.2.0.0/16 table 100 preference 5\nto 10.3.0.0/16 iif eth1 blackhole\n}"
        )
    )
    assert found.routes == (
        Route("10.9.0.0/16", (Hop("10.1.1.5", "eth0"),), source="10.0.0.1", metric=7),
        Route("10.8.0.0/16", kind=6, tracked=False),
        Route("0.0.0.0/0", (Hop("10.1.1.6"),), table=100, tracked=False),
        Route("10.7.0.0/16", (Hop("10.1.1.5"), Hop("10.1.1.6")), tracked=False),
        Route("2001:db8::/32", (Hop("fe80::1", "eth0"),), metrics=((2, 1400),)),
    )
    assert found.rules == (
        Rule(5, source="10.2.0.0/16", table=100),
        Rule(16384, destination="10.3.0.0/16", iif="eth1", action=6),
    )


def test_ipv6_is_version_3_and_families_do_not_mix() -> None:
    text = (
        "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\nfe80::1/64\n2001:DB8::1\n}\n}\n"
    )
    found = router(text)
    assert (found.version, found.family, found.addresses[1].address) == (3, 6, "2001:db8::1")
    assert problems(instance("virtual_ipaddress {\nfe80::1\n}"))[0].startswith(
        "f:7: virtual_ipaddress: 10.1.1.1 is of another family"
    )


def test_authentication_is_read_and_never_left_half_done() -> None:
    found = router(instance("authentication {\nauth_type AH\nauth_pass secret\n}"))
    assert (found.auth_type, found.auth_pass) == (2, b"secret")
    assert problems(instance("authentication {\nauth_type PASS\n}"))[0].endswith(
        "authentication takes both auth_type and auth_pass"
    )
    cut = parse(instance("authentication {\nauth_type PASS\nauth_pass 123456789\n}"), "f")
    assert (cut.config.routers[0].auth_pass, cut.diagnostics.repaired) == (b"12345678", 1)
    assert problems(instance("auth_hmac {\nkey x\n}"))[0].startswith("f:2: auth_hmac: vipd has no HMAC")


def test_strict_mode_forbids_what_the_standard_does_not_have() -> None:
    found = problems(instance("strict_mode\npreempt_delay 3\nauthentication {\nauth_type PASS\nauth_pass x\n}"))
    assert [line.partition("strict mode: ")[2].partition(";")[0] for line in found] == [
        "authentication is not in the standard any more",
        "preempt_delay is not in the standard",
    ]
    assert router(instance("strict_mode")).accept is False


def test_explain_fills_in_defaults_and_timers() -> None:
    shown = list(explain(parse(instance("priority 101\nadvert_int 2"), "f").config, PRESETS["keepalived-2"]))
    assert "    # Skew_Time            0.605468750 s" in shown
    assert "    # Master_Down_Interval 6.605468750 s" in shown
    assert "    advert_int 2" in shown
    assert "    garp_master_delay 5  # profile" in shown
    assert "    preempt_delay 0  # default" in shown


ALL_OF_IT = """
global_defs {
    router_id "a \\"b\\""
    vrrp_cpu_affinity 0 1
    umask IRUSR|IWUSR
    dynamic_interfaces
    startup_script "/bin/x 'two words'" root
    vrrp_garp_interval 0.0015
}
net_namespace inside
interface_up_down_delays {
    eth0 2 3.25
}
vrrp_script s {
    script "/bin/sh -c 'exit 0'"
    weight 2 reverse
    rise 3
    interval 86400
    user nobody nogroup
}
track_file f {
    file "/run/a file"
    weight 3
    init_file 5 overwrite
}
vrrp_track_process p {
    process nginx -g "daemon off;"
    param_match partial
    quorum 2
    quorum_max 4
    delay 0.123456789
}
vrrp_sync_group G {
    group {
        V
        W
    }
    track_interface {
        eth4
    }
    sync_group_tracking_weight
    notify_stop /bin/z
}
vrrp_instance V {
    interface eth0
    virtual_router_id 7
    version 3
    advert_int 0.01
    preempt_delay 12.5
    use_vmac vrrp.9 02:00:00:00:00:01
    vmac_xmit_base
    dont_track_primary
    unicast_src_ip 10.1.1.9
    unicast_peer {
        10.1.1.7
        10.1.1.8 min_ttl 250 max_ttl 255
    }
    virtual_ipaddress {
        10.1.1.1/24 brd + dev eth1 label eth1:0 scope link preferred_lft 0 noprefixroute
        10.1.1.2 peer 10.1.1.3 no_track
    }
    virtual_ipaddress_excluded {
        2001:db8::1/64 -nodad home
    }
    virtual_routes {
        blackhole 10.8.0.0/16
        10.7.0.0/16 nexthop via 10.1.1.5 dev eth0 weight 2 nexthop via 10.1.1.6 onlink
        10.6.0.0/16 via 10.1.1.5 src 10.1.1.1 metric 7 table 100 scope link protocol static no_track tos 8
        10.5.0.0/16 via 10.1.1.5 dev eth0 mtu lock 1400 window 9
        default via 10.1.1.5 append
        2001:db8:1::/48 via fe80::1 dev eth0 pref high expires 90 from 2001:db8:2::/48
        10.4.0.0/16 via inet6 fe80::1 dev eth0 realms 1/2 features ecn congctl lock reno rtt 100ms rto_min lock 2s
        10.3.0.0/16 dev eth0 encap ip id 5 dst 10.1.1.9 ttl 9 ttl-propagate disabled
        multicast 10.2.0.0/16 dev eth0 encap mpls 100/200
        inet6 default via fe80::1 dev eth0
        10.1.0.0/16 nexthop via 10.1.1.5 dev eth0 realms 3 encap ila 1:2:3:4 nexthop dev eth1
    }
    virtual_rules {
        not from 10.2.0.0/16 to 10.3.0.0/16 iif eth1 fwmark 3/7 table 100 preference 5
        inet6 sport 5-9 ipproto tcp suppress_prefixlength 8 preference 9 table 7
        inet6 from 2001:db8::/32 preference 10 type prohibit
        l3mdev preference 11
        realms 1/2 tunnel-id 5 suppress_ifgroup default uidrange 5-9 protocol 77 no_track table main preference 12
        from 10.2.0.0/16 preference 4 goto 77
    }
    track_interface {
        eth2
        eth3 weight -10 reverse
    }
    track_script {
        s weight 5
    }
    track_file {
        f
    }
    track_process {
        p
    }
    notify_master_rx_lower_pri /bin/y
    notify_priority_changes
}
vrrp_instance W {
    state MASTER
    interface eth5
    virtual_router_id 8
    garp_extra_if all 10
    no_virtual_ipaddress
    virtual_ipaddress_excluded {
        10.8.8.8/24 use_vmac
    }
    no_accept
    notify "/bin/x a" nobody
}
static_ipaddress {
    10.9.9.9/24 dev eth0
}
static_routes {
    10.5.0.0/16 via 10.1.1.1 dev eth0
}
static_rules {
    from 10.0.0.0/8 table 5 preference 6
}
"""


@pytest.mark.parametrize("profile", PRESETS)
def test_what_explain_prints_is_a_configuration_that_means_the_same(profile: str) -> None:
    before = parse(ALL_OF_IT, "f").config
    printed = "\n".join(explain(before, PRESETS[profile]))
    again, diagnostics = parse(printed, "f")
    assert diagnostics.warnings == ()
    for one, after in zip(before.routers, again.routers, strict=True):
        filled = {field: after._asdict()[field] for field, value in one._asdict().items() if value is None}
        assert after == one._replace(**filled)
    assert again._replace(routers=()) == before._replace(routers=())
    assert "\n".join(explain(again, PRESETS[profile])).replace("  # profile", "") == printed.replace("  # profile", "")


def test_every_interface_that_has_to_be_there_is_known_with_its_line() -> None:
    text = instance("track_interface {\neth2\neth3 weight 5\n}\nvirtual_ipaddress {\n10.1.1.2 dev eth4\n}")
    where = {
        "eth2": "f:3: track_interface",
        "eth3": "f:4: track_interface",
        "eth0": "f:9: interface",
        "eth4": "f:11: virtual_ipaddress",
    }
    assert parse(text, "f").diagnostics.interfaces == where
    own = instance("use_vmac vrrp.7\nvirtual_ipaddress {\n10.1.1.2 dev vrrp.7\n}")
    assert list(parse(own, "f").diagnostics.interfaces) == ["eth0"]


def test_explain_shows_no_password() -> None:
    config = parse(instance("authentication {\nauth_type PASS\nauth_pass secret\n}"), "f").config
    printed = "\n".join(explain(config, PRESETS["keepalived-2"]))
    assert "secret" not in printed
    assert parse(printed, "f").config.routers[0].auth_type == 1


def test_the_words_of_every_keyword_of_an_instance_are_read_or_refused() -> None:
    for keyword in KEYWORDS:
        for words in ("", " 1", " x y z", " {\nx\n}", " { }"):
            try:
                parse(instance(f"{keyword.name}{words}"), "f")
            except ConfigError as error:
                assert all(line.startswith("f:") for line in error.problems)


def test_what_keepalived_takes_back_or_refuses_of_ah_and_of_init_file() -> None:
    with_ah = "state MASTER\npriority 90\nauthentication {\nauth_type AH\nauth_pass x\n}"
    assert not router(instance(with_ah)).initial_master
    (said,) = problems("track_file f {\nfile /run/f\ninit_file 5x 5\n}\n" + instance(""))
    assert "'5x' is not a whole number" in said
