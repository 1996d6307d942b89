"""FRR as a subject, for real: a virtual MAC that both hosts have, and adverts on the VIP's own network."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.scenarios import InNamespaces, passed, scenario
from viplab.analysis.reading import read_trial
from viplab.analysis.record import Record
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.scenario.load import resolve
from viplab.subjects.frr import Frr

pytestmark = pytest.mark.skipif(not all(map(Path.exists, map(Path, Frr.present))), reason="needs FRR (package frr)")


@pytest.fixture
def done(in_namespaces: InNamespaces, request: pytest.FixtureRequest) -> tuple[Record, TrialView]:
    """A trial in which A's daemon or its link is lost and B takes over."""
    record = read_trial(
        in_namespaces.run(scenario(request.param, "wait: {master: B}", "observe: 0.5", owner="B"), Frr())
    )
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert (view.faults[0].old_master, view.faults[0].new_master) == ("A", "B")
    assert {advert.src_mac for advert in record.adverts} == {record.info.virtual_mac}
    return record, view


@pytest.mark.parametrize("done", ["kill: {host: A}"], indirect=True)
def test_two_owners_of_one_mac_are_seen_after_a_kill(done: tuple[Record, TrialView]) -> None:
    record, view = done
    assert {tuple(event["macs"]) for event in record.all("owners")} <= {(), (record.info.virtual_mac,)}
    assert view.summary.dual_owner_s
    assert view.faults[0].moments.first_garp_ns is not None
    assert list(view.faults[0].summary.answers) == ["A", "B"]


@pytest.mark.parametrize("done", ["link_down: {host: A}"], indirect=True)
def test_a_backup_answers_what_is_flooded_to_it_when_the_master_s_link_is_lost(
    done: tuple[Record, TrialView],
) -> None:
    record, view = done
    window = view.summary.outage_window_s
    assert window is not None
    assert window[0] == 0 < 2 < window[1], "predicted, though nothing is tracked: its adverts leave by that interface"
    answers, fault = dict(view.faults[0].summary.answers), view.faults[0].summary.fault
    # The marker is sent before the link goes down: by then A may have answered what came in between.
    assert answers.pop("A", 0) <= fault.width_ns / 1e9 / record.interval_s + 1
    assert list(answers) == ["B"]
    assert not view.summary.dual_owner_s


def test_over_ipv6_it_announces_before_it_advertises_from_an_address_of_its_own(in_namespaces: InNamespaces) -> None:
    ((text, _),) = resolve(["ipv6-power-cut"])
    record = read_trial(in_namespaces.run(text, Frr()))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert record.info.virtual_mac == "00:00:5e:00:02:33"
    assert {record.advertiser(advert) for advert in record.adverts} == {"A", "B"}
    moments = view.faults[0].moments
    assert view.faults[0].new_master == "B"
    assert moments.first_garp_ns is not None
    assert moments.first_advert_ns is not None
    assert moments.first_garp_ns < moments.first_advert_ns
    assert view.summary.announce_s is None
