"""The user's keepalived.conf: names and addresses become the bench's, and every other octet stays what it is."""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viplab.config.adopting import Own, own
from viplab.config.words import Spelled, Word, spelling
from viplab.errors import InputError

PAIR = """\
vrrp_instance VI_1 {{
    state {state}
    interface {interface}
    virtual_router_id 60
    priority {priority}
    {more}
    virtual_ipaddress {{
        10.20.30.5/24 dev {device}
    }}
}}
"""


def text(host: str, more: str = "", interface: str = "ens192", device: str = "ens192", state: str = "") -> str:
    state, priority = (state or "MASTER", 110) if host == "A" else ("BACKUP", 100)
    return PAIR.format(state=state, priority=priority, more=more, interface=interface, device=device)


def adopted(folder: Path, one: str, two: str | None = None) -> Own:
    (folder / "one.conf").write_text(one)
    (folder / "two.conf").write_text(two or one.replace("priority 110", "priority 100"))
    return own(f"A={folder / 'one.conf'},B={folder / 'two.conf'}")


def lines(folder: Path, one: str, two: str | None = None) -> list[str]:
    """A's lines as the bench runs them, without what is around them."""
    return [line.strip() for line in adopted(folder, one, two).asked.given["A"].lines]


def refused(folder: Path, one: str, two: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        adopted(folder, one, two)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("unicast_src_ip 10.20.30.21", "unicast_src_ip 192.168.122.11"),
        ("mcast_src_ip 10.20.30.21 # 10.20.30.21", "mcast_src_ip 192.168.122.11 # 10.20.30.21"),
        ("unicast_peer { 10.20.30.22 }", "unicast_peer { 192.168.122.12 }"),
        ("track_interface { ens192 weight 10 }", "track_interface { eth1 weight 10 }"),
        ("track_interface { ens224 }", "track_interface { eth0 }"),
        ("track_interface { lo }", "track_interface { lo }"),
        (
            "virtual_ipaddress_excluded { 10.9.9.9/32 dev ens224 }",
            "virtual_ipaddress_excluded { 10.10.10.50/32 dev eth0 }",
        ),
        (
            "virtual_ipaddress_excluded { 10.20.30.6/25 brd 10.20.30.127 label ens192:v }",
            "virtual_ipaddress_excluded { 192.168.122.51/25 brd 192.168.122.127 label eth1:v }",
        ),
        (
            "virtual_ipaddress_excluded { 10.20.30.6/24 brd + }",
            "virtual_ipaddress_excluded { 192.168.122.51/24 brd + }",
        ),
        ("virtual_ipaddress_excluded { 10.20.30.7 dev lo }", "virtual_ipaddress_excluded { 10.20.30.7 dev lo }"),
        ("virtual_ipaddress_excluded { 2001:db8::1/64 }", "virtual_ipaddress_excluded { 2001:db8::1/64 }"),
        (
            "virtual_routes { 172.16.0.0/12 via 10.20.30.1 dev ens192 src 10.20.30.5 }",
            "virtual_routes { 172.16.0.0/12 via 192.168.122.1 dev eth1 src 192.168.122.50 }",
        ),
        (
            "virtual_rules { from 10.20.30.0/24 iif ens224 table 9 priority 7 }",
            "virtual_rules { from 192.168.122.0/24 iif eth0 table 9 priority 7 }",
        ),
        ("authentication { auth_type PASS\n auth_pass ens192 }", "auth_pass ens192 }"),
        ("notify '/bin/echo ens192 10.20.30.5'", "notify '/bin/echo ens192 10.20.30.5'"),
        ('mcast_src_ip "10.20.30.21"', 'mcast_src_ip "192.168.122.11"'),
    ],
)
def test_names_and_addresses_are_rewritten_where_they_are_such_and_nowhere_else(
    tmp_path: Path, written: str, becomes: str
) -> None:
    assert becomes in lines(tmp_path, text("A", written), text("B"))


def test_adverts_on_an_interface_of_their_own_travel_on_the_interconnect(tmp_path: Path) -> None:
    more = "unicast_src_ip 10.0.0.1\n unicast_peer {\n 10.0.0.2\n 10.0.0.3\n }\n"
    found = lines(tmp_path, text("A", more, "bond0.100"), text("B", "", "eno3"))
    assert "interface eth0" in found
    assert "192.168.122.50/24 dev eth1" in found
    # The third host of the cluster is not on the bench; its address is one that nobody has.
    assert found[found.index("unicast_peer {") - 1 :][:4] == [
        "unicast_src_ip 10.10.10.11", "unicast_peer {", "10.10.10.12", "10.10.10.13",
    ]  # fmt: skip


def test_who_says_that_an_address_is_his_is_the_peer_who_has_it(tmp_path: Path) -> None:
    one = text("A", "unicast_src_ip 10.20.30.22\n unicast_peer { 10.20.30.21\n }")
    two = text("B", "unicast_src_ip 10.20.30.21\n unicast_peer { 10.20.30.22\n }")
    made = adopted(tmp_path, one, two).asked.given
    assert "unicast_src_ip 192.168.122.11" in made["A"].text
    assert "unicast_peer { 192.168.122.12" in made["A"].text
    assert "unicast_peer { 192.168.122.11" in made["B"].text


def test_values_of_parameters_are_rewritten_and_words_made_of_parameters_are_refused(tmp_path: Path) -> None:
    found = lines(
        tmp_path, "$IF=ens192 # ens192\n$NET=10.20.30\n" + text("A", interface="$IF", device="${IF}"), text("B")
    )
    assert found[0] == "$IF=eth1 # ens192"
    assert "interface $IF" in found
    (line,) = refused(tmp_path, "$N=192\n" + text("A", interface="ens${N}", device="ens${N}"), text("B"))
    assert line == "one.conf:4: ens192 is put together of parameters, and cannot be rewritten; write it out"


def test_included_files_are_put_in_place_and_keep_their_names_and_lines(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.conf").write_text("# the first\n" + text("A", "nonsense 1"))
    (tmp_path / "conf.d/b.conf").write_text("# the second\n")
    (line,) = refused(tmp_path, "! two\ninclude conf.d/*.conf # all\n", text("B"))
    assert line.startswith("conf.d/a.conf:7: nonsense: ")
    (tmp_path / "conf.d/a.conf").write_text("# the first\n" + text("A"))
    found = adopted(tmp_path, "! two\ninclude conf.d/*.conf # all\n", text("B"))
    assert found.asked.given["A"].lines[:3] == ("! two", "# the first", "vrrp_instance VI_1 {")
    assert str(found.changed[0]).replace(f"{tmp_path}/", "") == "conf.d/a.conf:4: interface ens192 -> eth1"


def test_what_was_rewritten_is_listed_with_its_line(tmp_path: Path) -> None:
    found = adopted(tmp_path, text("A"), text("B"))
    assert [str(one).replace(f"{tmp_path}/", "") for one in found.changed] == [
        f"{file}:{line}: {what}"
        for file in ("one.conf", "two.conf")
        for line, what in (
            (3, "interface ens192 -> eth1"),
            (8, "virtual_ipaddress 10.20.30.5/24 -> 192.168.122.50/24"),
            (8, "dev ens192 -> eth1"),
        )
    ]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (text("A").replace("60", "61"), "--config: no vrrp_instance with an IPv4 address that all of these share: "),
        ("include none.conf\n" + text("A"), "one.conf:1: include: there is no file 'none.conf'; correct the name"),
        ("include ${X}.conf\n" + text("A"), "one.conf:1: include ${X}.conf: a parameter cannot be followed"),
        ("@^A include x.conf\n" + text("A"), "one.conf:1: include x.conf: a condition cannot be followed"),
        (text("A", "", "vrrp.60").replace("{", "{ use_vmac", 1), "one.conf:1: interface vrrp.60: adverts cannot leave"),
        (text("A").replace("5/24", "5/²"), "one.conf:8: virtual_ipaddress: 10.20.30.5/²: the mask"),
        (text("A", "no_such_keyword"), "one.conf:6: no_such_keyword: "),
        (text("A") + "}", "one.conf:11: '}': closes nothing"),
        (text("A") + "\udc80", "one.conf:11: is not UTF-8 text; write it in UTF-8"),
        (text("A", "", "ens224"), "adverts would leave by one.conf:1 eth0 and two.conf:1 eth1: "),
        (
            "net_namespace other\n" + text("A"),
            "A: net_namespace: the bench's hosts have no other namespace; take it out",
        ),
        (
            text("A", "virtual_ipaddress_excluded {" + "".join(f"\n10.20.30.{n}" for n in range(6, 255)) + "\n}"),
            "one.conf:211: more than 205 virtual addresses; the bench has no room for it",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_with_its_line(tmp_path: Path, one: str, said: str) -> None:
    (tmp_path / "one.conf").write_text(one, errors="surrogateescape")
    (tmp_path / "two.conf").write_text(text("B"))
    with pytest.raises(InputError) as caught:
        own(f"A={tmp_path / 'one.conf'},B={tmp_path / 'two.conf'}")
    (line,) = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert line.startswith(said)


@pytest.mark.parametrize("option", ["", "one.conf", "A=", "A=a,A=b", "a=one.conf", "A=/none/such.conf"])
def test_an_option_that_names_no_files_is_refused(option: str) -> None:
    with pytest.raises(InputError, match=r"name a file for each host|cannot be read"):
        own(option)


_COMMENT = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=20).map(lambda said: f"{said}")
_KEPT = st.one_of(
    st.sampled_from(["", "\t", "    garp_master_delay  5", "priority 110", "notify '/bin/true ens192'", "debug 2"]),
    st.tuples(st.sampled_from("#!"), _COMMENT).map(lambda said: f"  {said[0]}ens192 10.20.30.5{said[1]}"),
)
_MOVED = st.sampled_from(
    ["interface ens192", "\tinterface   ens192 # ens192", "unicast_src_ip 10.20.30.9!x", "mcast_src_ip '10.20.30.9'"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(_KEPT, _MOVED), max_size=12), st.lists(_COMMENT, max_size=2))
def test_every_octet_but_those_of_rewritten_words_stays(tmp_path: Path, more: list[str], comments: list[str]) -> None:
    before = "".join(f"# {said}\n" for said in comments) + text("A", "\n".join(more))
    found = adopted(tmp_path, before, text("B"))
    changes = [one for one in found.changed if one.place.file.endswith("one.conf")]
    old, new = before.split("\n"), list(found.asked.given["A"].lines)
    for line, some in groupby(changes, key=lambda one: one.place.line):
        words = list(some)
        kept = rest(old[line - 1], [one.old for one in words])
        assert rest(new[line - 1], [one.new for one in words]) == kept
        old[line - 1] = new[line - 1] = ""
    assert new == old


def rest(line: str, words: list[str]) -> list[str]:
    """What is left of a line between these words, in their order."""
    left = []
    for word in words:
        before, _, line = line.partition(word)
        left.append(before)
    return [*left, line]


_ANYTHING = st.sampled_from(
    (
        *("{", "}", "interface", "lo", "ens224", "vrrp.60", "use_vmac", "virtual_ipaddress {", "10.20.30.6/24", "dev"),
        *("10.20.30.6/²", "fe80::1", "unicast_peer {", "unicast_src_ip", "track_interface {", "vrrp_script c {"),
        *(
            "script",
            "''",
            "global_defs {",
            "vrrp_instance B {",
            "virtual_server",
            "include",
            "$X=",
            "$X",
            "~SEQ(x,1,2)",
        ),
        *(
            "~SEQ(x,1,2)",
            "@A",
            "@^A",
            "\\",
            "#",
            "\n",
            "weight",
            "brd",
            "label",
            "virtual_router_id",
            "virtual_routes {",
        ),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_ANYTHING, max_size=12).map("\n".join), st.lists(_ANYTHING, max_size=12).map(" ".join), st.booleans())
def test_whatever_a_file_says_is_run_or_refused(tmp_path: Path, more: str, words: str, before: bool) -> None:
    one = f"{words}\n{text('A', more)}" if before else f"{text('A', words)}{more}"
    with suppress(InputError):
        adopted(tmp_path, one, text("B"))


@given(st.text(st.sampled_from("ab \t{}#!\"'\\@~$=(),\n"), max_size=60))
def test_words_are_where_they_are_said_to_be_and_do_not_overlap(written: str) -> None:
    split = written.split("\n")
    found = spelling(split)
    words = sorted([*found.values, *_all(found.statements)], key=lambda word: (word.line, word.begin))
    assert all(split[word.line][word.begin : word.end] == word.text for word in words)
    for one, following in pairwise(words):
        assert one.line < following.line or one.end <= following.begin


def _all(statements: list[Spelled]) -> list[Word]:
    return [word for one in statements for word in (*one.words, *_all(one.body or []))]
