"""What `viplab lint` prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from viplab.cli import app
from viplab.errors import ExitStatus, InputError
from viplab.lint.rules import RULES

TIED = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 101
    virtual_ipaddress {
        10.0.0.5/24
    }
}
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name in ("a.conf", "b :ok: ü.conf"):
        Path(name).write_text(TIED, encoding="utf-8")
    return ["a.conf", "b :ok: ü.conf"]


def test_text_begins_with_file_and_line_and_names_the_scenario(pair: list[str]) -> None:
    done = CliRunner().invoke(app, ["lint", *pair])
    (line,) = done.stdout.splitlines()
    assert line.startswith("b :ok: ü.conf:4: equal-priorities: priority 101 is that of a.conf:4 too;")
    assert "(scenario both-masters:" in line


def test_json_has_what_text_has(pair: list[str]) -> None:
    (one,) = json.loads(CliRunner().invoke(app, ["lint", "--format", "json", *pair]).stdout)
    assert one["file"] == pair[1]
    assert (one["line"], one["rule"], one["scenario"]) == (4, "equal-priorities", "both-masters")
    assert one["other"] == "a.conf:4"


def test_sarif_has_the_shape_of_version_2_1_0(pair: list[str]) -> None:
    log = json.loads(CliRunner().invoke(app, ["lint", "--format", "sarif", *pair]).stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.name for rule in RULES]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["message"]["text"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == pair[1]
    assert set(place["artifactLocation"]["uri"]).isdisjoint(" :ü")
    assert place["region"] == {"startLine": 4}


def test_sarif_of_nothing_has_no_results_and_text_is_empty(pair: list[str]) -> None:
    log = json.loads(CliRunner().invoke(app, ["lint", "--format", "sarif", pair[0]]).stdout)
    assert log["runs"][0]["results"] == []
    assert CliRunner().invoke(app, ["lint", pair[0]]).stdout == ""


def test_the_exit_status_says_whether_there_is_something_to_warn_of(pair: list[str]) -> None:
    for files, status in ((pair, ExitStatus.FAILED), (pair[:1], ExitStatus.OK)):
        done = CliRunner().invoke(app, ["lint", *files], standalone_mode=False)
        assert done.return_value == status


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "loop.conf").symlink_to("loop.conf")
    for name in ("none.conf", "loop.conf"):
        done = CliRunner().invoke(app, ["lint", str(tmp_path / name)])
        assert isinstance(done.exception, InputError)
        assert done.exception.exit_status == ExitStatus.USAGE


def test_a_file_without_end_is_read_no_further_than_any_configuration_goes() -> None:
    done = CliRunner().invoke(app, ["lint", "/dev/zero"])
    assert isinstance(done.exception, InputError)
    assert "has more than 4 MiB" in str(done.exception)
