"""What a scenario expects, held against what the client saw."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import added, judged, rewrite
from viplab.analysis import expectations
from viplab.analysis.expectations import misses
from viplab.analysis.reading import read_trial
from viplab.run_folder import TrialFolder


def test_another_owner_than_expected_fails(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {owner: A}\n")
    assert judged(folder) == ("fail", "A should own 192.168.122.50 at the end, B does")


@pytest.mark.parametrize(
    ("case", "expect", "said"),
    [
        ("case-c", "ping_outage_s: 0.1", "no answers to the probe for "),
        ("case-c", "ping_outage_s: 5", None),
        ("case-a", "ping_outage_s: 0", None),
        ("case-a", "client: A", "the client should send to A at the end, it sends to B"),
        ("case-a", "client: B", None),
        ("case-a", "two_owners_s: 0", "two hosts owned 192.168.122.50 for "),
        ("case-a", "two_owners_s: 60", None),
        ("case-a", "two_owners_s: [1]", None),
    ],
)
def test_a_trial_fails_where_the_client_saw_what_its_scenario_does_not_allow(
    tmp_path: Path, case: str, expect: str, said: str | None
) -> None:
    folder = s.CASES[case](s.FAMILIES[1]).write(tmp_path, 1)
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("expect: {", f"expect: {{{expect}, "))
    verdict, reason = judged(folder)
    assert (verdict, said is None or said in reason) == ("pass" if said is None else "fail", True), reason


@pytest.mark.parametrize(
    ("serving", "listens", "reason"),
    [
        ("[A]", {"A": True, "B": False}, None),
        ("[A, B]", {"A": True, "B": False}, "haproxy does not listen on B, and should: cannot bind"),
        ("[A]", {"A": True, "B": True}, "haproxy listens on B, and should not"),
        ("[]", {"A": False, "B": False}, None),
    ],
)
def test_what_is_served_has_to_listen_where_it_is_expected_and_nowhere_else(
    tmp_path: Path, serving: str, listens: dict[str, bool], reason: str | None
) -> None:
    trial = s.CASES["case-a"](s.FAMILIES[1])
    for host, does in listens.items():
        trial.event(
            -s.S, "service_started", host=host, listens=does, service="haproxy", said="" if does else "cannot bind"
        )
    folder = trial.write(tmp_path, 1)
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("expect: {", f"expect: {{serving: {serving}, "))
    assert [miss.reason for miss in misses(read_trial(TrialFolder(folder)))] == ([reason] if reason else [])


def test_a_service_may_find_an_address_with_a_virtual_mac_on_the_backup_as_well(tmp_path: Path) -> None:
    trial = s.CASES["case-a"](s.FAMILIES[1])
    for host in "AB":
        trial.event(-s.S, "service_started", host=host, listens=True, service="haproxy", said="")
    record = read_trial(TrialFolder(trial.write(tmp_path, 1)))
    scenario, virtual = "expect: {serving: [A]}", record.info.model_copy(update={"virtual_mac": "00:00:5e:00:01:33"})
    assert [miss.reason for miss in misses(replace(record, scenario=scenario, info=virtual))] == []


def test_scattered_losses_count_as_much_as_those_in_a_row(tmp_path: Path) -> None:
    folder = s.CASES["case-c"](s.FAMILIES[1]).write(tmp_path, 1)
    record = read_trial(TrialFolder(folder))
    lost = [trip if n % 2 else replace(trip, rtt_ns=None) for n, trip in enumerate(record.trips[:1000])]
    scenario = "expect: {ping_outage_s: 0}"
    assert expectations.misses(replace(record, scenario=scenario))
    thinned = replace(record, scenario=scenario)
    thinned.__dict__["trips"] = lost
    assert "no answers to the probe for " in expectations.misses(thinned)[0].reason


def test_a_client_whose_entry_nobody_knows_is_undecided(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {client: B}")
    assert judged(folder)[0] == "pass"
    rewrite(folder, lambda events: [one for one in events if one["event"] not in ("neighbour", "arp")])
    verdict, reason = judged(folder)
    assert (verdict, "client cannot be held" in reason) == ("undecided", True), reason


def test_an_outage_that_nobody_asked_after_is_undecided(tmp_path: Path) -> None:
    folder = s.case_a(s.FAMILIES[0]).write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {service_outage_s: 1}")
    assert judged(folder) == ("undecided", "nobody asked for answers, so that service_outage_s cannot be held")


def test_what_hosts_do_once_the_bench_has_healed_what_lasted_is_none_of_the_end(tmp_path: Path) -> None:
    trial = s.CASES["case-c"](s.FAMILIES[1])
    trial.event(30 * s.S, "fault_healed", kind="link_down", host="A")
    folder = trial.write(tmp_path, 1)
    (folder / "scenario.yaml").write_text("expect: {owner: B, client: B, two_owners_s: 0}")
    assert judged(folder)[0] == "pass"
    back = json.loads((folder / "trial.json").read_text())["stations"]["A"]["public_mac"]
    rewrite(folder, added("neighbour", 31 * s.S, ip="192.168.122.50", mac=back, state="REACHABLE", deleted=False))
    rewrite(
        folder,
        lambda events: [
            event | {"macs": []} if event["event"] == "owners" and event["t_ns"] > s.START_NS + 30 * s.S else event
            for event in events
        ],
    )
    assert misses(read_trial(TrialFolder(folder))) == []
