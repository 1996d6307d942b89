"""Several instances and sync groups in a scenario's `vrrp:`: as daemons read them, as wrong ones are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import added, rewrite
from vipd.config.model import Config
from vipd.config.parser import parse
from viplab.address_family import IPV4, IPV6
from viplab.analysis.expectations import misses
from viplab.analysis.reading import read_trial
from viplab.errors import InputError
from viplab.experiment.support import not_supported
from viplab.lab.netns.kind import NETNS
from viplab.report.explain import explanation
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario, resolve
from viplab.scenario.model import Scenario
from viplab.subjects.keepalived_conf import keepalived_conf
from viplab.subjects.registry import assignment

TEXT = """\
scenario: mine
title: t
story: s
vrrp:
  advert_int: 2
  unicast: true
  track_interface: [eth1]
  vrrp_instance:
    VI_2: {{interface: eth1, virtual_router_id: 52, virtual_ipaddress: 192.168.122.51/24{more}}}
  {group}
hosts:
  A: {{state: MASTER, priority: 102, vrrp_instance: {{VI_2: {{state: BACKUP, priority: 90}}}}}}
  B: {{state: BACKUP, priority: 101}}
steps: [{{kill: {{host: A}}}}]
expect: {{owner: B{expect}}}
"""


def asking(group: str = "vrrp_sync_group: {G: [VI_1, VI_2]}", more: str = "", expect: str = "") -> Scenario:
    return parse_scenario(TEXT.format(group=group, more=more, expect=expect), "mine.yaml")


def config(scenario: Scenario, host: str) -> Config:
    return parse(keepalived_conf(scenario, host), "keepalived.conf").config


def test_a_further_instance_has_in_common_with_the_first_what_is_not_said_of_it() -> None:
    first, second = config(asking(), "A").routers
    assert (first.name, first.interface, first.vrid, first.priority, first.initial_master) == (
        "VI_1",
        "eth0",
        51,
        102,
        True,
    )
    assert (second.name, second.interface, second.vrid, second.priority) == ("VI_2", "eth1", 52, 90)
    assert not second.initial_master
    assert first.advert_int_ns == second.advert_int_ns == 2_000_000_000
    assert (first.tracked, second.tracked) == (("eth1",), ())
    assert [one.address for one in second.served] == ["192.168.122.51"]
    # Peers are those of the network that its adverts travel on.
    assert (first.unicast_peers, second.unicast_peers) == (("10.10.10.12",), ("192.168.122.12",))
    assert config(asking(), "B").routers[1].priority == 101


def test_members_of_a_group_are_written_as_such() -> None:
    (group,) = config(asking(), "A").groups
    assert (group.name, group.members) == ("G", ("VI_1", "VI_2"))
    assert config(asking(group=""), "A").groups == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"group": "vrrp_sync_group: {G: [VI_1, VI_3]}"},
            "vrrp_sync_group: G: no instance VI_3; there are: VI_1, VI_2",
        ),
        ({"group": "name: VI_2"}, "VI_2 is the first instance; name this one otherwise"),
        ({"group": "interface: eth1\n  virtual_router_id: 52"}, "VI_2 has the virtual_router_id of VI_1; take another"),
        ({"expect": ", vrrp_instance: {VI_3: A}"}, "expect: no further vrrp_instance VI_3; there are: VI_2"),
        ({"expect": ", vrrp_instance: {VI_2: C}"}, "expect.vrrp_instance: there is no host C; there are: A, B"),
        ({"more": ", advert_int: 3"}, "vrrp.vrrp_instance.VI_2.advert_int: Extra inputs are not permitted"),
    ],
)
def test_instances_that_cannot_be_are_refused_in_one_line(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        asking(**given)
    (line,) = str(caught.value).splitlines()
    assert said in line


DUAL = """\
scenario: mine
title: t
story: s
vrrp:
  vrrp_instance:
    VI_6: {{virtual_router_id: 51, virtual_ipaddress: [{addresses}]{more}}}
hosts:
  A: {{state: MASTER, priority: 102}}
  B: {{state: BACKUP, priority: 101}}
steps: [{{kill: {{host: A}}}}]
expect: {{owner: B, vrrp_instance: {{VI_6: B}}}}
"""
OVER_IPV6 = "fe80::50/64 dev eth1, 'fd00:122::50/64 dev eth1'"


@pytest.mark.parametrize("daemon", ["vipd", "keepalived"])
def test_one_number_is_two_virtual_routers_in_two_families_on_one_card(daemon: str) -> None:
    text = DUAL.format(addresses=OVER_IPV6, more=", version: 3")
    scenario = parse_scenario(text, "mine.yaml")
    assert scenario.vrrp.families == {IPV4, IPV6}
    assert not_supported(scenario, assignment(daemon), NETNS) is None
    assert [(one.vrid, one.family, one.version) for one in config(scenario, "A").routers] == [(51, 4, 2), (51, 6, 3)]
    # The link-local address is on each network; who has the other one says who is master.
    assert scenario.vrrp.vrrp_instance["VI_6"].vip == "fd00:122::50"


@pytest.mark.parametrize(
    ("addresses", "more", "said"),
    [
        ("192.168.122.60/24", "", "VI_6 has the virtual_router_id of VI_1; take another"),
        (OVER_IPV6, "", "vrrp_instance: VI_6: virtual_ipaddress: version 2 knows IPv4 only; add `version: 3`"),
        (
            f"{OVER_IPV6}, 192.168.122.60/24",
            ", version: 3",
            "VI_6: fe80::50 and 192.168.122.60: an instance has",
        ),
        ("fe80::50/64", ", version: 3", "vrrp_instance: VI_6: virtual_ipaddress: the client needs one to ask"),
    ],
)
def test_a_further_instance_is_of_one_family_and_of_a_version_that_knows_it(
    addresses: str, more: str, said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        parse_scenario(DUAL.format(addresses=addresses, more=more), "mine.yaml")


@pytest.mark.parametrize("name", ["sync-group", "sync-group-missing", "active-active", "dual-stack"])
def test_a_daemon_of_one_instance_is_not_supported(name: str) -> None:
    (_, scenario), *_ = resolve([name])
    assert "vrrp_instance" in (not_supported(scenario, assignment("frr"), NETNS) or "")
    assert not_supported(scenario, assignment("keepalived"), NETNS) is None


def test_a_group_is_told_to_wait_for_the_member_that_is_heard_no_more() -> None:
    told = "\n".join(explanation(resolve(["sync-group"])[0][1], assignment("keepalived")))
    assert "A gives up its whole sync group; B takes over when it misses the adverts that ended." in told
    assert "misses" not in "\n".join(explanation(resolve(["sync-group-missing"])[0][1], assignment("keepalived")))


@pytest.mark.parametrize(
    ("silent", "mac", "said"),
    [
        ([], "52:54:00:56:c3:f4", None),
        ([], "52:54:00:03:ba:f2", "B should own 192.168.122.51 of VI_2 at the end, A does"),
        (["192.168.122.51"], "52:54:00:56:c3:f4", "B should own 192.168.122.51 of VI_2 at the end, nobody does"),
    ],
)
def test_the_address_of_a_further_instance_has_to_be_where_it_is_expected(
    tmp_path: Path, silent: list[str], mac: str, said: str | None
) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("expect: {", "expect: {vrrp_instance: {VI_2: B}, "))
    info = json.loads((folder / "trial.json").read_text())
    (folder / "trial.json").write_text(json.dumps({**info, "further": {"VI_2": "192.168.122.51"}}))
    table = f"? (192.168.122.51) at {mac} [ether] on virbr0"
    rewrite(folder, added("unanswered", 30 * s.S, addresses=silent, table=table))
    found = [miss.reason for miss in misses(read_trial(TrialFolder(folder)))]
    assert found == ([said] if said else [])
