"""Each rule warns of what it is for, on the right line, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipd.config.model import RouterConfig, Track
from vipd.protocol.effective_priority import evaluate
from viplab.errors import InputError
from viplab.lint.cluster_rules import priorities
from viplab.lint.read import read_cluster
from viplab.lint.rules import RULES, Warned, warnings
from viplab.scenario.load import scenario_files

Lint = Callable[..., list[Warned]]

TRACKED = "vrrp_script chk {\n script /bin/true\n timeout 1\n weight W\n}\n"
HARMLESS = ("priority 102\nstate MASTER", "priority 101\nstate BACKUP")


def conf(lines: str = "", addresses: str = "10.0.0.50/24", before: str = "") -> str:
    """A configuration; the lines of its instance begin on the third line after `before`."""
    body = f"interface eth0\n{lines}\nvirtual_router_id 51\nvirtual_ipaddress {{\n{addresses}\n}}"
    return f"{before}vrrp_instance VI_1 {{\n{body}\n}}\n"


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    def linted(*texts: str) -> list[Warned]:
        paths = []
        for name, text in zip("abc", texts, strict=False):
            paths.append(tmp_path / f"{name}.conf")
            paths[-1].write_text(text, encoding="utf-8")
        return warnings(read_cluster(paths))

    return linted


def told(warned: list[Warned]) -> list[tuple[str, str, int]]:
    return [(one.rule.name, Path(one.found.place.file).stem, one.found.place.line) for one in warned]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((conf("priority 101"), conf("priority 101")), ("equal-priorities", "b", 3)),
        ((conf(), conf()), ("equal-priorities", "b", 1)),
        ((conf("state MASTER\npriority 9"), conf("state MASTER\npriority 8")), ("master-on-both", "b", 3)),
        ((conf("", "10.0.0.50/24 dev eth1"),), ("untracked-interface", "a", 5)),
        ((conf("nopreempt\nstate MASTER\npriority 9"),), ("nopreempt-with-master", "a", 3)),
        (
            (conf(HARMLESS[0], "10.0.0.50/24\n10.0.0.51/24"), conf(HARMLESS[1])),
            ("unequal-addresses", "b", 6),
        ),
        (
            (
                conf("priority 9\nunicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.3\n}"),
                conf("priority 8\nunicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.1\n}"),
            ),
            ("unicast-peers", "a", 5),
        ),
        (
            (conf("priority 9\nunicast_peer {\n10.0.0.3\n}"), conf("priority 8")),
            ("unicast-peers", "a", 4),
        ),
        ((conf(before="vrrp_script chk {\n script /bin/true\n}\n"),), ("script-without-timeout", "a", 1)),
        (
            (conf("priority 102\ntrack_script {\nchk\n}", before=TRACKED.replace("W", "-1")), conf("priority 100")),
            ("idle-weights", "a", 9),
        ),
        ((conf("priority 9\nadvert_int 1"), conf("priority 8\nadvert_int 2")), ("unequal-intervals", "b", 4)),
        (
            (conf("authentication {\nauth_type PASS\nauth_pass ninechars\n}"),),
            ("long-password", "a", 5),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) and "\n" not in value[0] else "",
)
def test_what_a_rule_is_for_is_the_one_thing_that_is_warned_of(
    lint: Lint, texts: tuple[str, ...], expected: tuple[str, str, int]
) -> None:
    assert told(lint(*texts)) == [expected]


@pytest.mark.parametrize(
    "texts",
    [
        tuple(map(conf, HARMLESS)),
        (conf("track_interface {\neth1\n}", "10.0.0.50/24 dev eth1"),),
        (conf("use_vmac"),),
        (conf("nopreempt\nstate BACKUP"),),
        (conf("priority 102\ntrack_script {\nchk\n}", before=TRACKED.replace("W", "-2")), conf("priority 101")),
        (conf("priority 102"), conf("priority 101\ntrack_script {\nchk\n}", before=TRACKED.replace("W", "2"))),
        (conf("authentication {\nauth_type PASS\nauth_pass eightchr\n}"),),
        # Another virtual router on the same network contradicts nothing.
        (conf(), conf().replace("router_id 51", "router_id 52")),
    ],
)
def test_nothing_is_warned_of_where_nothing_is_dangerous(lint: Lint, texts: tuple[str, ...]) -> None:
    assert told(lint(*texts)) == []


def test_every_rule_names_a_scenario_that_is_there_and_has_a_name_of_its_own() -> None:
    assert {rule.scenario for rule in RULES} <= scenario_files().keys()
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_number_used_on_two_interfaces_of_a_node_is_two_virtual_routers(lint: Lint) -> None:
    other = conf("priority 9", "10.0.1.50/24").replace("VI_1", "VI_2").replace("eth0", "eth1")
    assert told(lint(conf("priority 9") + other, conf("priority 8"))) == []
    assert told(lint(conf("priority 9") + other, other)) == [("equal-priorities", "b", 3)]


def test_a_file_that_is_named_twice_contradicts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    path.write_text(conf(), encoding="utf-8")
    assert warnings(read_cluster([path, tmp_path / "." / "a.conf"])) == []


def test_a_warning_of_an_included_file_has_that_file_and_its_line(tmp_path: Path) -> None:
    (tmp_path / "part.conf").write_text("\nnopreempt\nstate MASTER\npriority 9\n", encoding="utf-8")
    (tmp_path / "a.conf").write_text(conf("include part.conf"), encoding="utf-8")
    (one,) = warnings(read_cluster([tmp_path / "a.conf"]))
    assert (Path(one.found.place.file).name, one.found.place.line) == ("part.conf", 2)


def test_load_balancing_beside_the_routers_is_passed_over(tmp_path: Path) -> None:
    server = "virtual_server 10.0.0.50 80 {\n lb_algo rr\n real_server 10.0.0.7 80 {\n TCP_CHECK {\n }\n }\n}\n"
    path = tmp_path / "a.conf"
    path.write_text(conf("nopreempt\nstate MASTER\npriority 9", before=server) + server, encoding="utf-8")
    (one,) = warnings(read_cluster([path]))
    assert (one.rule.name, one.found.place.line) == ("nopreempt-with-master", 3 + server.count("\n"))


def test_a_file_that_vipd_would_refuse_is_an_error_with_each_line(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    path.write_text("vrrp_instance X {\n priority 300\n colour red\n}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_cluster([path])
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == [f"{path}:2", f"{path}:3"]


TRACKS = st.lists(
    st.builds(
        Track,
        kind=st.sampled_from(["interface", "script", "file", "process"]),
        name=st.sampled_from(["x", "y", "z"]),
        weight=st.integers(-253, 253),
        reverse=st.booleans(),
    ),
    max_size=4,
)


@given(st.integers(1, 255), TRACKS, st.data())
def test_no_state_of_what_is_tracked_gives_a_priority_outside_the_bounds(
    priority: int, tracks: list[Track], data: st.DataObject
) -> None:
    router = RouterConfig("VI_1", "eth0", 51, (), priority=priority, tracks=tuple(tracks))
    values = {
        (one.kind, one.name): data.draw(st.integers(-300, 300) if one.kind == "file" else st.integers(0, 1))
        for one in tracks
    }
    effective = evaluate(router, values).priority
    low, high = priorities(router)
    assert effective is None or low <= effective <= high


@given(st.lists(st.tuples(st.integers(1, 254), st.booleans(), st.integers(1, 3)), min_size=2, max_size=2))
def test_two_nodes_are_warned_of_exactly_what_they_have_in_common_or_not(
    tmp_path_factory: pytest.TempPathFactory, nodes: list[tuple[int, bool, int]]
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    for name, (priority, master, interval) in zip("ab", nodes, strict=True):
        lines = f"priority {priority}\nstate {'MASTER' if master else 'BACKUP'}\nadvert_int {interval}"
        (folder / name).write_text(conf(lines), encoding="utf-8")
    (first, second), found = nodes, {one.rule.name for one in warnings(read_cluster([folder / "a", folder / "b"]))}
    assert ("equal-priorities" in found) == (first[0] == second[0])
    assert ("master-on-both" in found) == (first[1] and second[1])
    assert ("unequal-intervals" in found) == (first[2] != second[2])
