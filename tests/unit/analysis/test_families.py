"""What analysis takes from a subject: its timing model, and who is who where hosts share a virtual MAC."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support import synthetic as s
from viplab.address_family import IPV4, IPV6
from viplab.analysis.expectations import owner_at_end
from viplab.analysis.reading import read_trial
from viplab.analysis.record import Record
from viplab.analysis.timing_model import window_ns
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.faults import Effect
from viplab.ground_truth import wire
from viplab.report.narrate import tell
from viplab.run_folder import TrialFolder
from viplab.subjects import registry
from viplab.subjects.family import Terms
from viplab.subjects.frr import FRR_8
from viplab.types import NodeTimers

VIRTUAL = "00:00:5e:00:01:33"


def of_family(folder: Path, family: str) -> Record:
    """A trial that passes with the right model, of a family that is called otherwise."""
    path = s.power_cut("keepalived-2").write(folder, 1)
    info = path / "trial.json"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"family": family}))
    return read_trial(TrialFolder(path))


def test_without_a_timing_model_nothing_is_predicted_and_nothing_passes(tmp_path: Path) -> None:
    view = view_trial(of_family(tmp_path, "bird-1"))
    why = "no outage can be predicted: no subject that is installed here is of the family 'bird-1'"
    assert (view.summary.verdict, view.summary.reason) == ("undecided", why)
    assert view.notes == [why]
    assert view.summary.outage_s is not None
    assert view.summary.outage_window_s is None
    expected = {item.name: item.expected_s for item in view.faults[0].waterfall}
    assert expected["detection"] is expected["announce"] is None


def test_what_fails_fails_without_a_timing_model_too(tmp_path: Path) -> None:
    record = of_family(tmp_path, "bird-1")
    wrong = replace(record, scenario=record.scenario.replace("owner: B", "owner: A"))
    assert view_trial(wrong).summary.verdict == "fail"


def test_an_effect_that_a_model_leaves_out_is_not_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = of_family(tmp_path, "keepalived-2")
    model = registry.find_family("keepalived-2", "vipd").timing
    assert model is not None
    rest = {effect: terms for effect, terms in model.outage.items() if effect is not Effect.HOST_LOST}
    monkeypatch.setattr(Record, "timing", dict.fromkeys("AB", replace(model, outage=rest)))
    summary = view_trial(record).summary
    assert summary.verdict == "undecided"
    assert summary.reason.startswith("keepalived-2 has no timing model for a fault after which the host is gone")


@pytest.mark.parametrize(
    ("make", "leaves", "takes", "outage"),
    [
        (s.power_cut, "keepalived-1.2.2", "keepalived-2", Terms(downs=1, less_x=True)),
        (s.power_cut, "keepalived-2", "keepalived-1.2.2", Terms(downs=1, adverts=1, less_x=True)),
        # keepalived 1.2.2 leaves without a word.
        (s.case_c, "keepalived-1.2.2", "keepalived-2", Terms(downs=1, less_x=True)),
        (s.case_c, "keepalived-2", "keepalived-1.2.2", Terms(skews=1, adverts=1)),
    ],
)
def test_in_a_mixed_pair_the_outage_is_by_how_the_one_leaves_and_the_other_takes_over(
    tmp_path: Path, make: Callable[[str], s.Trial], leaves: str, takes: str, outage: Terms
) -> None:
    path = make(takes).write(tmp_path, 1)
    info = path / "trial.json"
    daemons = {"A": {"subject": "keepalived", "family": leaves}, "B": {"subject": "vipd", "family": takes}}
    mixed = {"subject": "A=keepalived,B=vipd", "family": f"A={leaves},B={takes}", "daemons": daemons}
    info.write_text(json.dumps(json.loads(info.read_text()) | mixed))
    view = view_trial(read_trial(TrialFolder(path)))
    assert (view.faults[0].old_master, view.faults[0].new_master) == ("A", "B")
    assert view.faults[0].outage == outage
    assert view.notes == []
    if make is s.power_cut:
        assert view.summary.verdict == "pass", view.summary.reason


def test_an_outage_that_somebody_may_cut_short_is_anything_down_to_none() -> None:
    node = NodeTimers(state="BACKUP", priority=101, advert_int_s=1.0)
    assert window_ns(Terms(downs=1, less_x=True, at_most=True), node, (400_000_000, 500_000_000)) == (0, 3_205_468_750)


def test_owners_that_share_a_mac_are_told_apart_by_their_ports(tmp_path: Path) -> None:
    record = of_family(tmp_path, "keepalived-2")
    asked = [event.model_copy(update={"macs": [VIRTUAL], "hosts": ["A", "B"]}) for event in record.all("owners")]
    both = replace(record, events=[*(event for event in record.events if event.event != "owners"), *asked])
    assert {tuple(owners) for _, _, owners in both.owners(record.start_ns, record.end_ns)} == {("A", "B")}
    assert owner_at_end(both) == "B", "the last answer decides where the client's entry cannot"


def test_a_frame_from_the_virtual_mac_is_of_the_host_that_advertised_last(tmp_path: Path) -> None:
    record = of_family(tmp_path, "keepalived-2")
    shared = replace(record, info=record.info.model_copy(update={"virtual_mac": VIRTUAL}))
    own = next(arp for arp in record.arps if arp.gratuitous and record.sender(arp) == "B")
    assert shared.sender(replace(own, src_mac=VIRTUAL)) == "B"
    assert shared.sender(replace(own, src_mac=VIRTUAL, time_ns=record.faults[0].at_ns)) == "A"
    assert shared.sender(replace(own, src_mac=VIRTUAL, time_ns=0)) is None


def test_of_daemons_that_announce_first_it_is_of_the_one_that_begins_to_advertise(tmp_path: Path) -> None:
    record = of_family(tmp_path, "keepalived-2")
    shared = replace(record, info=record.info.model_copy(update={"virtual_mac": VIRTUAL}))
    vars(shared)["families"] = dict.fromkeys("AB", replace(FRR_8, announces_first=(IPV4,)))
    own = next(arp for arp in record.arps if arp.gratuitous)
    begins_ns = record.adverts_of("B")[0].time_ns

    def sender(after_ns: int) -> str | None:
        return shared.sender(replace(own, src_mac=VIRTUAL, time_ns=begins_ns + after_ns))

    assert [sender(at * s.S // 4) for at in (-6, -4, -1, 1)] == ["A", "B", "B", "B"]
    vars(shared)["families"] = dict.fromkeys("AB", replace(FRR_8, announces_first=(IPV6,)))
    assert sender(-s.S) == "A"


def test_what_was_announced_before_the_first_advert_is_told_as_that_and_takes_no_time_after_it(tmp_path: Path) -> None:
    record = of_family(tmp_path, "keepalived-2")
    early = replace(record, info=record.info.model_copy(update={"virtual_mac": VIRTUAL}))
    vars(early)["families"] = dict.fromkeys("AB", replace(FRR_8, announces_first=(IPV4,)))
    begins_ns = record.adverts_of("B")[0].time_ns
    own = next(arp for arp in record.arps if arp.gratuitous and record.sender(arp) == "B")
    frame = replace(own, src_mac=VIRTUAL, time_ns=begins_ns - s.S)
    vars(early)["announcements"] = [frame]
    view = view_trial(early)
    (fault,) = view.faults
    (announce,) = (item for item in fault.waterfall if item.name == "announce")
    assert fault.summary.announce_s is None
    assert announce.start_s is not None and announce.end_s is not None
    assert (round(announce.end_s - announce.start_s, 6), announce.expected_s) == (1, (1, 1))
    assert "Its first gratuitous ARP was 1.000\N{NO-BREAK SPACE}s ahead of that advert." in tell(view, fault)


def carp_instead(trial: s.Trial, advskew: int = 10) -> s.Trial:
    """The same trial with a CARP advert in place of each of VRRP; B has this skew."""
    trial.family, trial.protocol = "ucarp-1", "carp"
    hosts = {wire.ip_bytes(s.WIRE_IP[host]): host for host in "AB"}
    frames = ((at, hosts[frame[26:30]]) for at, frame in trial.frames["interconnect"])
    trial.frames["interconnect"] = [
        (at, wire.carp(s.WIRE_MAC[host], s.WIRE_IP[host], advskew=0 if host == "A" else advskew)) for at, host in frames
    ]
    return trial


def of_carp(folder: Path, advskew: int) -> TrialView:
    path = carp_instead(s.power_cut("keepalived-2"), advskew).write(folder, 1)
    info = path / "trial.json"
    known = json.loads(info.read_text())
    known["nodes"]["B"]["advskew"] = 154
    info.write_text(json.dumps(known))
    return view_trial(read_trial(TrialFolder(path)))


def test_where_adverts_are_carp_s_its_packets_are_the_adverts_and_its_skew_the_deadline(tmp_path: Path) -> None:
    view = of_carp(tmp_path, 154)
    assert view.faults[0].new_master == "B"
    assert view.summary.expected_down_interval_s == pytest.approx(3 + 154 / 256)
    assert {row.protocol for row in view.frames} >= {"CARP"}
    assert not any("look like VRRP" in note for note in view.notes)
    assert view.summary.verdict == "pass", view.summary.reason


def test_a_host_that_does_not_advertise_the_skew_that_it_was_given_is_noticed(tmp_path: Path) -> None:
    view = of_carp(tmp_path, 7)
    assert view.summary.verdict == "undecided"
    assert "B advertises advskew 7" in view.summary.reason


def without_adverts(trial: s.Trial) -> s.Trial:
    """The same trial of daemons that do not advertise."""
    trial.family, trial.protocol = "pacemaker-2", "none"
    trial.frames["interconnect"].clear()
    trial.advertised.clear()
    trial.garps("A", s.S)
    return trial


def test_where_nobody_advertises_announcements_say_who_is_master_and_nothing_rests_on_adverts(tmp_path: Path) -> None:
    view = view_trial(read_trial(TrialFolder(without_adverts(s.case_a("keepalived-2")).write(tmp_path, 1))))
    assert (view.faults[0].old_master, view.faults[0].new_master) == ("A", "B")
    assert view.summary.failover_s is not None
    of_adverts = ("x_s", "detection_s", "announce_s", "expected_down_interval_s", "deadline_excess_s", "priority_zero")
    assert [getattr(view.summary, name) for name in of_adverts] == [None] * len(of_adverts)
    assert [item.name for item in view.faults[0].waterfall] == ["detection", "client_switch", "answer", "outage"]
    assert any(row.mark == "B announces the VIP" for row in view.frames)
    assert any("B announced the address by gratuitous ARP" in sentence for sentence in tell(view, view.faults[0]))
    assert view.summary.verdict == "pass", view.summary.reason


def test_where_nobody_advertises_the_owner_census_is_what_a_host_is_at(tmp_path: Path) -> None:
    view = view_trial(read_trial(TrialFolder(without_adverts(s.power_cut("keepalived-2")).write(tmp_path, 1))))
    lanes = {lane.name: lane.intervals for lane in view.swim_lanes}
    assert {item.label for item in lanes["B"]} >= {"answering", "silent"}
    assert lanes["B"][-1].label == "answering"


def test_an_outage_of_a_cluster_is_one_of_timers_that_no_scenario_sets() -> None:
    family = registry.find_family("pacemaker-2", "pacemaker")
    assert family.timing is not None
    terms = family.timing.outage[Effect.HOST_LOST]
    slow, fast = (NodeTimers(state="BACKUP", priority=1, advert_int_s=advert_int_s) for advert_int_s in (1, 0.01))
    windows = {window_ns(terms, node, None, "none") for node in (slow, fast)}
    assert windows == {(6_039_000_000, 6_600_000_000)}
