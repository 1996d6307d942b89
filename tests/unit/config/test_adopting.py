"""Scenarios with the user's configuration: who is expected where, what is judged, and that a run can be done again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from viplab.cli import app
from viplab.config import given
from viplab.config.adopting import own
from viplab.errors import HostError, InputError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import check_recipe, read_recipe, write_recipe
from viplab.experiment.support import not_supported
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import resolve, scenario_files
from viplab.scenario.model import Scenario
from viplab.subjects.keepalived_conf import keepalived_conf
from viplab.subjects.registry import assignment

DOCS = Path(__file__).parents[3] / "docs"
TEXT = """\
vrrp_instance VI_1 {{
\tstate BACKUP
    interface ens192
    virtual_router_id 60
    priority {priority}
    advert_int 1 {more}
    virtual_ipaddress {{
        10.20.30.5/24
    }}
}}
"""


def named(folder: Path, more: str = "", priorities: tuple[int, int] = (110, 100), tail: str = "") -> str:
    """What `--config` is given for a pair of files with these lines."""
    for name, priority in zip(("one", "two"), priorities, strict=True):
        (folder / f"{name}.conf").write_text(TEXT.format(priority=priority, more=f"\n{more}") + tail)
    return f"A={folder / 'one.conf'},B={folder / 'two.conf'}"


def done_with(option: str, name: str) -> tuple[Scenario, list[str]]:
    """A scenario with that configuration, and what is said of it."""
    ((text, scenario),) = resolve([name])
    return own(option).into(text, scenario)[1:]


def test_what_is_predicted_follows_from_the_files(tmp_path: Path) -> None:
    more = "version 3\nadvert_int 0.5\npreempt_delay 5\ntrack_interface {\n ens224\n }\ngarp_master_delay 1"
    scenario, _ = done_with(named(tmp_path, more), "case-a")
    vrrp = scenario.vrrp
    assert (vrrp.interface, vrrp.virtual_router_id, vrrp.vip) == ("eth1", 60, "192.168.122.50")
    assert (vrrp.version, vrrp.advert_int, vrrp.preempt_delay, vrrp.garp_master_delay) == (3, 0.5, 5, 1)
    assert vrrp.track_interface == ["eth0"]
    assert {host: (node.state, node.priority) for host, node in scenario.hosts.items()} == {
        "A": ("BACKUP", 110),
        "B": ("BACKUP", 100),
    }
    timers = assignment("keepalived").timers(scenario)
    assert (timers["A"].advert_int_s, timers["A"].preempt_delay_s) == (0.5, 5)


def test_further_instances_and_groups_follow_from_the_files_too(tmp_path: Path) -> None:
    tail = """\
vrrp_instance INSIDE {
    interface ens224
    virtual_router_id 61
    virtual_ipaddress {
        10.0.0.1/16
    }
}
vrrp_sync_group G { group {
    VI_1
    INSIDE
} }
"""
    vrrp = done_with(named(tmp_path, tail=tail), "case-a")[0].vrrp
    assert (vrrp.name, vrrp.members) == ("VI_1", ["INSIDE"])
    further = vrrp.vrrp_instance["INSIDE"]
    assert (further.interface, further.virtual_router_id, further.vips) == ("eth0", 61, ["10.10.10.50"])


def test_a_host_that_does_not_preempt_is_not_waited_for_nor_expected_at_the_end(tmp_path: Path) -> None:
    scenario, said = done_with(named(tmp_path, "nopreempt"), "case-b")
    assert scenario.expect.owner == "B"
    assert [str(step) for step in scenario.steps if step.name == "wait"] == [
        "wait: pings 5", "wait: master B", "wait: announced B", "wait: pings 2",
    ]  # fmt: skip
    assert said == [
        "wait: master A: B goes on being master by this configuration, and is what is waited for",
        "wait: announced A: B goes on being master by this configuration, and is what is waited for",
        "expect: owner A is B, since nobody takes the address back",
    ]
    assert done_with(named(tmp_path), "case-b")[0].expect.owner == "A"
    assert done_with(named(tmp_path, "nopreempt"), "case-a")[0].expect.owner == "B"


@pytest.mark.parametrize("name", sorted(scenario_files()))
def test_every_scenario_is_done_or_said_not_to_suit(tmp_path: Path, name: str) -> None:
    ((text, scenario),) = resolve([name])
    found = own(named(tmp_path))
    if found.does_not_suit(scenario) or scenario.vrrp.nopreempt:
        return
    written, made, said = found.into(text, scenario)
    assert (made.expect.owner, made.scenario) == (scenario.expect.owner, name)
    assert [step.name for step in made.steps] == [step.name for step in scenario.steps]
    assert not_supported(made, assignment("keepalived"), NETNS) == not_supported(
        scenario, assignment("keepalived"), NETNS
    )
    assert written
    assert not [line for line in said if line.startswith("wait")]


def test_limits_in_seconds_are_held_with_the_scenario_s_own_timers_only(tmp_path: Path) -> None:
    name = "nopreempt"
    _, before = resolve([name])[0]
    assert before.expect.ping_outage_s is not None
    same, _ = done_with(named(tmp_path, priorities=(102, 101)), name)
    assert same.expect.ping_outage_s == before.expect.ping_outage_s
    later, _ = done_with(named(tmp_path, priorities=(50, 37)), name)
    assert later.expect.ping_outage_s == pytest.approx(before.expect.ping_outage_s + 64 / 256)
    other, said = done_with(named(tmp_path, "advert_int 3"), name)
    assert other.expect.ping_outage_s is None
    assert "ping_outage_s: not judged, since the scenario says them for timers of its own" in said
    assert "its timers are slower: each wait may take 10 s more" in said


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("down_timer_adverts 4", "A waits for 4 adverts (down_timer_adverts), not for 3"),
        ("track_interface {\n ens224 weight 30\n }", "the priority of A depends on interface eth0"),
        ("track_interface {\n ens224 weight 20\n }", None),
    ],
)
def test_what_the_model_has_no_words_for_is_not_predicted(tmp_path: Path, more: str, why: str | None) -> None:
    assert done_with(named(tmp_path, more), "case-a")[0].unpredicted == why
    assert done_with(named(tmp_path), "case-a")[0].unpredicted is None


def test_hosts_that_differ_in_what_the_model_has_once_are_not_predicted(tmp_path: Path) -> None:
    option = named(tmp_path)
    (tmp_path / "two.conf").write_text((tmp_path / "two.conf").read_text().replace("advert_int 1", "advert_int 2"))
    assert done_with(option, "case-a")[0].unpredicted == "the hosts have different advert intervals: A 1 s, B 2 s"


def test_a_backup_that_outranks_the_master_is_to_be_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"A is to be master.* name them the other way round: --config A=.*two.conf,B="
    ):
        done_with(named(tmp_path, priorities=(100, 110)), "case-a")


def test_a_run_with_it_is_done_again_from_its_recipe_to_the_octet(tmp_path: Path) -> None:
    text, scenario, _ = own(named(tmp_path, "# ärger\r")).into(*resolve(["case-a"])[0])
    write_recipe(Plan([(text, scenario)], [assignment("keepalived")], NETNS), 1, None, None, tmp_path / "recipe.yaml")
    ((_, again),) = read_recipe(tmp_path / "recipe.yaml")[1].scenarios
    assert again == scenario
    expected = (
        (tmp_path / "one.conf").read_bytes().replace(b"ens192", b"eth1").replace(b"10.20.30.5", b"192.168.122.50")
    )
    assert keepalived_conf(again, "A").encode() == expected


def test_a_run_with_the_longest_configurations_is_done_again_however_many_scenarios_it_has(tmp_path: Path) -> None:
    option = named(tmp_path)
    for name in ("one", "two"):
        path = tmp_path / f"{name}.conf"
        text = path.read_text()
        path.write_text(text + "#\n" * ((given._LONGEST - len(text)) // 2))
    found = own(option)
    scenarios = [found.into(*resolve([name])[0])[:2] for name in ("case-a", "case-b")]
    plan, one = (Plan(some, [assignment("keepalived")], NETNS) for some in (scenarios, scenarios[:1]))
    paths = tmp_path / "recipe.yaml", tmp_path / "of-one.yaml"
    for asked, path in zip((plan, one), paths, strict=True):
        check_recipe(asked)
        write_recipe(asked, 1, None, None, path)
    recipe, again = read_recipe(paths[0])
    assert again.scenarios == plan.scenarios
    assert len(recipe.keepalived_conf) == 2
    both, alone = (path.stat().st_size for path in paths)
    assert both - alone < 10_000


def test_a_daemon_that_reads_no_such_file_is_not_supported_with_it(tmp_path: Path) -> None:
    tail = "virtual_server 10.20.30.5 80 {\n real_server 10.20.30.7 80 {\n }\n}\n"
    scenario, _ = done_with(named(tmp_path, tail=tail), "case-a")
    assert "virtual_server 192.168.122.50 80 {\n real_server 192.168.122.7 80" in keepalived_conf(scenario, "A")
    assert not_supported(scenario, assignment("keepalived"), NETNS) is None
    assert not_supported(scenario, assignment("vipd"), NETNS) == "vipd cannot do case-a: it has no virtual_server"
    assert "keepalived_conf" in (not_supported(scenario, assignment("frr"), NETNS) or "")


@pytest.mark.parametrize("name", ["third-host", "script-fails", "file-drains", "sync-group"])
def test_a_scenario_about_a_configuration_of_its_own_is_left_out(tmp_path: Path, name: str) -> None:
    assert own(named(tmp_path)).does_not_suit(resolve([name])[0][1])


def test_a_run_of_nothing_that_suits_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["run", "third-host", "--config", named(tmp_path), "--lab", "netns"])
    assert isinstance(done.exception, InputError)
    assert "none of these scenarios can be done with it" in str(done.exception)


def test_the_example_of_the_page_is_what_is_said_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "config.md").read_text(encoding="utf-8")
    one, two, said = re.findall(r"^```(?:text)?\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "one.conf").write_text(one)
    (tmp_path / "two.conf").write_text(two)
    monkeypatch.chdir(tmp_path)
    found = own("A=one.conf,B=two.conf")
    (_, scenario), *_ = resolve(["case-b"])
    lines = found.into(resolve(["case-b"])[0][0], scenario)[2]
    expected = [*map(str, found.changed), *found.notes, *(f"case-b: {line}" for line in lines)]
    assert said.splitlines() == expected


@pytest.mark.parametrize(
    ("weight", "comes"), [("", "is in FAULT, and never master"), ("weight 2", "has another priority")]
)
def test_what_a_script_that_fails_on_the_bench_does_is_said(tmp_path: Path, weight: str, comes: str) -> None:
    tail = f"vrrp_script up {{\n script /bin/true\n {weight}\n}}\n"
    (first, _) = own(named(tmp_path, "track_script {\n up\n }", tail=tail)).notes
    assert first == f"{tmp_path / 'one.conf'}:14: up is run on the bench; where it fails there, A {comes}"


SCRIPT = 'vrrp_script up {{\n script "{} -x"\n}}\n'


def test_scripts_are_this_machine_s_in_namespaces_and_the_image_s_in_guests(tmp_path: Path) -> None:
    here, missing = (own(named(tmp_path, tail=SCRIPT.format(program))) for program in ("/bin/true", "/none/such"))
    assert here.check_scripts(here=True) == []
    with pytest.raises(InputError, match=r"one\.conf:13: script /none/such is not here, .*\n.*two\.conf:13: ") as said:
        missing.check_scripts(here=True)
    assert len(str(said.value).splitlines()) == 2
    for found, program in ((here, "/bin/true"), (missing, "/none/such")):
        assert found.check_scripts(here=False)[0].endswith(
            f"one.conf:13: script {program} is run in the guests, whose image has to have it"
        )
        _, scenario, _ = found.into(*resolve(["case-a"])[0])
        assert [node.programs for node in scenario.daemons.values()] == [[program]] * 2


def test_a_run_in_namespaces_is_refused_where_a_script_is_missing_and_can_be_explained(tmp_path: Path) -> None:
    option = named(tmp_path, tail=SCRIPT.format("/none/such"))
    done = CliRunner().invoke(app, ["run", "case-a", "--config", option, "--lab", "netns"])
    assert isinstance(done.exception, InputError)
    assert "script /none/such is not here, or no program" in str(done.exception)
    assert CliRunner().invoke(app, ["explain", "case-a", "--config", option]).exit_code == 0


def test_virtual_servers_need_what_the_kernel_does_them_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tail = "virtual_server 10.20.30.5 80 {\n real_server 10.20.30.7 80 {\n }\n}\n"
    text, scenario, _ = own(named(tmp_path, tail=tail)).into(*resolve(["case-a"])[0])
    plan = Plan([(text, scenario)], [assignment("keepalived")], NETNS)
    monkeypatch.setattr(session, "_IPVS", tmp_path / "none")
    with pytest.raises(HostError, match="no IPVS in this machine's kernel"):
        session._check_kernel(plan)
    monkeypatch.setattr(session, "_IPVS", tmp_path)
    session._check_kernel(plan)
