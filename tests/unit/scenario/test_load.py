from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from viplab.errors import InputError
from viplab.experiment.setup_checks import CHECKS
from viplab.scenario.load import load_scenario, resolve, scenario_files, suites
from viplab.scenario.step import SetUpCheck
from viplab.subjects.keepalived_conf import keepalived_conf

VALID = """\
scenario: {name}
title: t
story: s
hosts:
  A: {{state: MASTER, priority: 102}}
  B: {{state: BACKUP, priority: 101}}
steps:
  - kill: {{host: A}}
expect: {{owner: B}}
"""


def written(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", scenario_files().values(), ids=lambda path: path.stem)
def test_every_scenario_of_the_tree_is_valid(path: Path) -> None:
    assert load_scenario(path).scenario == path.stem


def test_nothing_named_is_the_first_suite() -> None:
    first = next(iter(suites().values()))
    assert [scenario.scenario for _, scenario in resolve([])] == first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine: [case-z]", r"suites\.yaml: mine: no scenario 'case-z'; did you mean .*case-a"),
        ("all: [case-a]", r"suites\.yaml: all: is taken"),
        ("case-b: [case-a]", r"suites\.yaml: case-b: is taken"),
        ("mine: case-a", r"suites\.yaml: mine: .* list"),
        ("mine: []", r"suites\.yaml: mine: "),
        ("mine: [", r"suites\.yaml:\d+: not valid YAML"),
        ("", r"suites\.yaml: the whole file: "),
    ],
)
def test_a_mistake_in_the_suites_is_one_line_that_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "suites.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        suites(path)
    assert len(str(caught.value).splitlines()) == 1


def test_the_configuration_is_the_article_s_to_the_letter() -> None:
    case_a = load_scenario(scenario_files()["case-a"])
    assert keepalived_conf(case_a, "A") == (
        "vrrp_instance VI_1 {\n    state MASTER\n    interface eth0\n    virtual_router_id 51\n    priority 102\n"
        "    virtual_ipaddress {\n        192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0\n    }\n}\n"
    )


def test_all_errors_are_listed_each_by_its_path(tmp_path: Path) -> None:
    text = VALID.format(name="mine").replace("priority: 102", "priority: 300").replace("kill:", "kil:")
    with pytest.raises(InputError) as caught:
        load_scenario(written(tmp_path, text))
    first, second = str(caught.value).splitlines()
    assert "hosts.A.priority" in first
    assert "300" in first
    assert "steps.0" in second
    assert "kill" in second


@pytest.mark.parametrize("check", ["A1", "P0", "P11", "P"])
def test_a_check_that_there_is_not_is_an_error_of_one_line(tmp_path: Path, check: str) -> None:
    text = VALID.format(name="mine").replace("steps:", f"steps:\n  - check: [{check}]", 1)
    with pytest.raises(InputError) as caught:
        load_scenario(written(tmp_path, text))
    (line,) = str(caught.value).splitlines()
    assert "steps.0.check.0" in line
    assert "'P10'" in line
    assert f"found {check!r}" in line


def test_every_set_up_check_has_a_name_that_a_scenario_may_use() -> None:
    assert set(get_args(SetUpCheck)) == set(CHECKS)


def test_a_yaml_error_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.yaml:3: not valid YAML"):
        load_scenario(written(tmp_path, "scenario: mine\ntitle: [\n"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("{state: BACKUP", "{<<: *a, state: BACKUP"), r"mine\.yaml:\d+: .*the alias \*a is not taken"),
        (("priority: 102", f"priority: {1 << 70}"), r"mine\.yaml: .*the number \d+ is out of range"),
        (("steps:", f"sysctl: {'[' * 70}{']' * 70}\nsteps:"), r"mine\.yaml:\d+: .*nested more than 64 deep"),
    ],
)
def test_what_could_not_be_read_again_from_the_run_s_folder_is_refused(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    text = VALID.format(name="mine").replace("A: {", "A: &a {")
    assert change[0] in text
    with pytest.raises(InputError, match=said):
        load_scenario(written(tmp_path, text.replace(*change)))


def test_a_name_that_is_not_the_file_s_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="but the file's name says 'mine'"):
        load_scenario(written(tmp_path, VALID.format(name="other")))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"- 1\n", b"42\n"])
def test_no_content_of_a_file_gives_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_scenario(path)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("case-z", r"did you mean .*case-a"),
        ("cable", r"did you mean cable-back or cable-pulled or interconnect-cable-pulled\?"),
        ("artikle", r"did you mean article"),
        ("xyzzy", r"name one of docs/scenarios.md, a path, or a suite: article, .*all$"),
    ],
)
def test_an_unknown_name_is_asked_for_those_that_are_like_it(word: str, said: str) -> None:
    with pytest.raises(InputError, match=f"^no scenario '{word}'; {said}"):
        resolve([word])


def test_a_file_of_that_name_is_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^no scenario 'mine'; did you mean mine\.yaml\?$"):
        resolve(["mine"])


def test_a_scenario_named_twice_is_run_once() -> None:
    assert [scenario.scenario for _, scenario in resolve(["case-a", "cases"])] == [
        "case-a",
        "case-b",
        "case-c",
        "case-d",
    ]


def test_a_wait_names_exactly_one_condition(tmp_path: Path) -> None:
    text = VALID.format(name="mine").replace("kill: {host: A}", "wait: {master: A, pings: 3}")
    with pytest.raises(InputError, match="exactly one of master, announced, pings"):
        load_scenario(written(tmp_path, text))
