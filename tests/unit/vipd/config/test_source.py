"""Parameters, conditions, sequences and included files, as keepalived.conf(5) describes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.keepalived_conf import PART_3, instance
from vipd.config.blocks import statements
from vipd.config.keywords import KEYWORDS
from vipd.config.parser import ConfigError, parse
from vipd.config.source import Source, SourceError
from vipd.daemon.config_files import find, load


def lines(text: str, config_id: str = "main") -> list[str]:
    return [" ".join(line.text.split()) for line in Source(config_id, "here").lines(text, "f")]


def test_conditions_keep_the_lines_of_this_host() -> None:
    text = "@main one\n@backup two\n@^main three\n@^backup four\n@main @^backup five\nsix\n"
    assert lines(text) == ["one", "four", "five", "six"]
    assert lines(text, "backup") == ["two", "three", "six"]


def test_parameters_are_replaced_when_they_are_used_not_when_they_are_defined() -> None:
    text = "$BASE=10.2.${SUB}\n$SUB=0\n${BASE}.100/32\n$SUB=10\n${BASE}.100/32\n"
    assert lines(text) == ["10.2.0.100/32", "10.2.10.100/32"]


def test_a_parameter_may_hold_a_condition_or_several_lines_or_nothing() -> None:
    assert lines("$IF=@main\n$IF yes\n$NOT=@other\n$NOT no\n") == ["yes"]
    assert lines("$BLOCK= \\\n one ${N} { \\\n @main two \\\n @other three \\\n }\n\n$N=1\n$BLOCK\n") == [
        "one 1 {",
        "two",
        "}",
    ]
    assert lines("$E=\na${E}b\n") == ["ab"]


def test_what_is_not_defined_stays_as_a_script_s_own() -> None:
    assert lines('notify "/bin/x $HOME ${FOO}"') == ['notify "/bin/x $HOME ${FOO}"']


def test_predefined_parameters() -> None:
    assert lines("${_INSTANCE} a${_HASH}b${_BANG}") == ["here a#b!"]
    assert 5 <= int(lines("${_RANDOM 5 7}")[0]) <= 7


def test_sequences_and_lists() -> None:
    assert lines("~SEQ(SUBNET, 0, 3) ip 10.0.${SUBNET}.1") == [f"ip 10.0.{n}.1" for n in range(4)]
    assert lines("~SEQx(S, 0x90, 0x10, 0xc0) fe80::${S}") == ["fe80::90", "fe80::a0", "fe80::b0", "fe80::c0"]
    assert lines("~SEQ(A, 2) ~SEQ(B, 5, -1, 4) ${A}.${B}") == ["1.5", "1.4", "2.5", "2.4"]
    assert lines("~LST({IP, IP1}, {10,1},{20,4}) 192.168.${IP}.${IP1}") == ["192.168.10.1", "192.168.20.4"]
    assert lines("~LST(IP, 1, 2) ~LST(IP1, 5,6) ${IP}.${IP1}") == ["1.5", "1.6", "2.5", "2.6"]


def test_quotes_and_escapes() -> None:
    text = 'a abcd" efg h jkl "mnop abcd "efg h jkl" mnop "\\x41\\101\\n" \'it is\''
    (found,) = statements(Source().lines(text, "f"))
    assert found.words == ("a", "abcd efg h jkl mnop", "abcd", "efg h jkl", "mnop", "AA\n", "it is")


@pytest.mark.parametrize(
    "text",
    [
        "$A=${B}${B}\n$B=${A}${A}\n$A\n",
        "~SEQ(X, 0, 100000000000) a\n",
        "~SEQ(X, 1, 0, 5) a\n",
        "~SEQ(X, 1, 100000) ~SEQ(Y, 1, 100000) a\n",
        "$A=$A x\n$A\n",
        "~LST(X) a\n",
    ],
)
def test_what_has_no_end_is_an_error_and_not_a_full_memory(text: str) -> None:
    with pytest.raises((SourceError, ConfigError)):
        parse(text, "f")


def write(folder: Path, **files: str) -> str:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_conf", ".conf")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return str(folder / "main.conf")


def test_includes_are_relative_to_their_file_and_may_have_wildcards_and_braces(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        main_conf="include d/*.conf\n",
        d__a_conf="vrrp_instance V {\ninclude sub.{x,y}\n}\n",
        **{"d__sub.x": "interface eth0\nvirtual_router_id 7\n", "d__sub.y": "virtual_ipaddress { 10.1.1.1 }\n"},
    )
    assert load(file).config.routers[0].name == "V"


def test_problems_name_the_included_file_and_its_line(tmp_path: Path) -> None:
    file = write(tmp_path, main_conf="include d/*.conf\n", d__a_conf="\n" + instance("prioriti 3"))
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert raised.value.problems == [
        f"{tmp_path}/d/a.conf:3: prioriti: is not a keyword of vrrp_instance; did you mean 'priority'?"
    ]


def test_an_include_that_names_nothing_is_a_warning_and_includea_an_error(tmp_path: Path) -> None:
    file = write(tmp_path, main_conf="include nothing/*\n" + PART_3)
    assert load(file).diagnostics.warnings == (
        f"{file}:1: include: no file 'nothing/*' can be read; correct the name, or remove the line",
    )
    with pytest.raises(ConfigError):
        load(write(tmp_path, main_conf="includea nothing/*\n" + PART_3))


def test_a_file_that_includes_itself_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does one of them include itself"):
        load(write(tmp_path, main_conf="include main.conf\n" + PART_3))


def test_braces_of_a_pattern() -> None:
    assert find("/nonexistent/{a,b{c,d}}", "/") == []


WORDS = sorted({keyword.name for keyword in KEYWORDS})


@given(st.text(max_size=200))
def test_no_text_gives_a_traceback(text: str) -> None:
    try:
        parse(text, "f")
    except ConfigError as error:
        assert all(problem.startswith("f:") for problem in error.problems)


PIECES = [
    *WORDS,
    *PART_3.split(),
    *("{", "}", "\n") * 3,
    "weight",
    "1",
    "-1",
    "0.5",
    "fe80::1",
    "10.0.0.0/8",
    "via",
    "$A=",
]
PIECES += ["$A", "@x", "~SEQ(a,1,3)", '"', "/bin/true"]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_no_shuffle_of_words_gives_a_traceback(words: list[str]) -> None:
    try:
        parse(" ".join(words), "f")
    except ConfigError as error:
        assert error.problems


@given(st.sampled_from(WORDS), st.text(max_size=40))
def test_no_value_of_any_keyword_gives_a_traceback(keyword: str, value: str) -> None:
    for text in (
        f"{keyword} {value}\n{PART_3}",
        instance(f"{keyword} {value}"),
        instance(f"{keyword} {{\n{value}\n}}"),
    ):
        try:
            parse(text, "f")
        except ConfigError as error:
            assert error.problems


def test_a_definition_of_itself_ends_before_it_fills_the_memory() -> None:
    with pytest.raises(SourceError, match=r"^\$l: expands to more than 65,536 characters"):
        lines("$l=a $l b $l\n$l\n")


def test_blocks_that_are_nested_without_end_are_refused_in_one_line() -> None:
    text = "vrrp_instance A {\n" + "x {\n" * 2_000 + "}\n" * 2_001
    with pytest.raises((SourceError, ConfigError), match="is more than 32 deep"):
        parse(text, "f")
