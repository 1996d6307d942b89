"""What the analyser makes of runs with known answers, to the nanosecond, and of captures that were made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import synthetic as s
from support.judging import viewed
from viplab.analysis.predicates import named_values
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.capture.pcap import Pcap
from viplab.ground_truth import wire
from viplab.ground_truth.maker import START_NS
from viplab.run_folder import TrialFolder

BYHAND = Path(__file__).parents[2] / "data" / "byhand"
OLD, NEW = s.FAMILIES


@pytest.mark.parametrize(("silenced", "predicted"), [(None, True), ("A", False), ("B", True)])
def test_no_outage_is_predicted_of_a_host_that_returns_and_is_not_heard(
    tmp_path: Path, silenced: str | None, predicted: bool
) -> None:
    trial = s.CASES["case-b"](OLD)
    folder = TrialFolder(trial.write(tmp_path, 1))
    if silenced:
        added = {"event": "fault_injected", "kind": "port_silent", "host": silenced, "network": "interconnect"}
        lines = [json.loads(line) for line in folder.timeline.read_text().splitlines()]
        at = START_NS + 15 * s.S
        lines.append({"t_ns": at, "before_ns": at, "after_ns": at, "phase": "steps", "marker": None, **added})
        lines.sort(key=lambda line: int(line["t_ns"]))
        folder.timeline.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert (view_trial(read_trial(folder)).faults[-1].outage is not None) == predicted


def test_an_outage_that_goes_on_over_a_further_fault_is_counted_once(tmp_path: Path) -> None:
    trial = s.Trial("flaps", OLD, "A")
    for at in (10, 12, 20):
        trial.fault("link_flap", "A", at * s.S)
    trial.adverts("A", 0, trial.end)
    trial.serving = [(0, "A"), (10 * s.S + 1, None), (14 * s.S, "A"), (20 * s.S + 1, None), (21 * s.S, "A")]
    trial.owning = [(0, ("A",))]
    outages = [fault.summary.outage_s for fault in viewed(tmp_path, trial).faults]
    assert outages == pytest.approx([4.0, 0.0, 1.0], abs=0.05)


def test_a_capture_with_vlan_tags_gives_the_same_metrics_and_its_vlans_are_said(tmp_path: Path) -> None:
    plain = viewed(tmp_path / "plain", s.power_cut(NEW))
    folder = TrialFolder(s.power_cut(NEW).write(tmp_path / "tagged", 1))
    for network, vlans in (("interconnect", (100,)), ("public", (200, 30))):
        path = folder.capture(network)
        path.write_bytes(s.pcap_bytes([(frame.time_ns, wire.tagged(frame.raw, *vlans)) for frame in Pcap(path)]))
    view = view_trial(read_trial(folder))
    assert view.summary == plain.summary
    assert any(note.endswith("adverts are tagged: VLAN 100.") for note in view.notes)
    assert any(note.endswith("ARP frames are tagged: VLAN 200, 30 within it.") for note in view.notes)
    assert {row.info.partition(":")[0] for row in view.frames if row.protocol == "VRRP"} == {"VLAN 100"}


@pytest.mark.parametrize("family", s.FAMILIES)
def test_a_killed_master_is_dated_by_its_marker_and_costs_no_answer(tmp_path: Path, family: str) -> None:
    view = viewed(tmp_path, s.case_a(family))
    fault = view.summary.fault
    assert fault is not None
    assert (fault.at_ns, fault.uncertainty_ns, fault.dated_by) == (s.START_NS + 10 * s.S + 400 * s.MS, 100, "marker")
    assert view.summary.x_s == 0.4
    assert view.summary.expected_down_interval_s == 3.60546875
    assert view.summary.deadline_excess_s == s.LATE / 1e9
    assert view.summary.detection_s == (2_600_000_000 + s.SKEW_NS[101] + s.LATE) / 1e9
    assert view.summary.announce_s == (1.000777777 if family == OLD else 0.001777777)
    assert view.summary.client_switch_s == 0.00015
    assert (view.summary.outage_s, view.summary.outage_window_s) == (0.0, (0.0, 0.0))
    assert view.summary.reversion_s is None
    # Both answer from B's announcement to the end; the census looks every quarter of a second.
    assert view.summary.dual_owner_s is not None
    assert 0 <= 40 - 10.4 - view.summary.detection_s - view.summary.announce_s - view.summary.dual_owner_s < 0.25
    assert view.loss_runs == []


@pytest.mark.parametrize(
    ("family", "outage", "zeros", "window"), [(OLD, 4.22, 0, 4.20546875), (NEW, 0.62, 2, 0.61146875)]
)
def test_a_lost_interface_costs_what_the_family_predicts(
    tmp_path: Path, family: str, outage: float, zeros: int, window: float
) -> None:
    view = viewed(tmp_path, s.case_c(family))
    assert view.summary.outage_s == outage
    assert view.summary.priority_zero == zeros
    assert view.summary.outage_window_s == (window, window)
    assert view.summary.deadline_excess_s == s.LATE / 1e9
    probe = [run for run in view.loss_runs if run.stream == "probe"]
    assert [(run.start_s, run.lost) for run in probe] == [(0.0, round(outage / 0.02))]
    assert view.summary.ping is not None
    assert view.summary.ping.lost_seqs == ([11, 12, 13, 14] if family == OLD else [11])


@pytest.mark.parametrize(("family", "outage"), [(OLD, 1.0), (NEW, 0.0)])
def test_a_returning_master_is_a_reversion_and_no_deadline(tmp_path: Path, family: str, outage: float) -> None:
    view = viewed(tmp_path, s.case_b(family))
    assert (view.summary.outage_s, view.summary.outage_window_s) == (outage, (outage, outage))
    assert view.summary.deadline_excess_s is None
    assert view.summary.expected_down_interval_s is None
    assert view.summary.reversion_s is not None
    assert view.faults[0].old_master == "B"
    assert view.faults[0].new_master == "A"
    assert view.summary.reversion_s > (view.summary.detection_s or 0)


@pytest.mark.parametrize("family", s.FAMILIES)
def test_each_fault_of_a_trial_has_its_own_facts_and_setup_has_none(tmp_path: Path, family: str) -> None:
    view = viewed(tmp_path, s.case_d(family))
    up, shutdown = view.faults
    assert (up.summary.fault.kind, shutdown.summary.fault.kind) == ("link_up", "shutdown")
    assert (up.new_master, up.summary.outage_s, up.summary.detection_s) == (None, 0.0, None)
    assert shutdown.new_master == "A"
    assert shutdown.summary.deadline_excess_s == s.LATE / 1e9
    assert shutdown.summary.outage_s == (3.82 if family == OLD else 0.62)
    assert view.summary.fault == up.summary.fault


def test_without_a_marker_the_fault_is_the_middle_of_its_bracket(tmp_path: Path) -> None:
    fault = viewed(tmp_path, s.power_cut(NEW)).summary.fault
    assert fault is not None
    assert (fault.at_ns, fault.uncertainty_ns, fault.dated_by) == (
        s.START_NS + 10 * s.S + 400 * s.MS,
        5 * s.MS,
        "bracket",
    )


def test_what_was_not_measured_is_none_and_never_zero(tmp_path: Path) -> None:
    trial = s.case_a(NEW)
    folder = trial.write(tmp_path, 1)
    info = json.loads((folder / "trial.json").read_text())
    info["probe_source"] = info["probe_interval_s"] = None
    info["stations"]["client"]["public_ip"] = "192.168.122.9"
    (folder / "trial.json").write_text(json.dumps(info))
    lines = (folder / "timeline.jsonl").read_text().splitlines(keepends=True)
    (folder / "timeline.jsonl").write_text(
        "".join(line for line in lines if '"owners"' not in line and "neighbour" not in line)
    )
    (folder / "capture" / "interconnect.pcap").write_bytes(s.pcap_bytes([]))
    summary = view_trial(read_trial(TrialFolder(folder))).summary
    for name in (
        "outage_s",
        "outage_loss_s",
        "recovered_s",
        "answered_twice",
        "failover_s",
        "dual_owner_s",
        "detection_s",
        "client_switch_s",
        "priority_zero",
        "x_s",
        "deadline_excess_s",
    ):
        assert getattr(summary, name) is None, name


def test_the_frames_that_matter_hold_the_arp_exchange_within_the_slow_ping(tmp_path: Path) -> None:
    view = viewed(tmp_path, s.case_a(OLD))
    marked = {row.mark: row for row in view.frames if row.mark}
    request, reply = marked["the ping's request that B answers first"], marked["first answer of B to the ping"]
    asked, answered = marked["B asks for the client's MAC"], marked["the client answers"]
    assert request.time_s < asked.time_s < answered.time_s < reply.time_s
    assert round(reply.time_s - request.time_s, 9) == 0.0201
    assert marked["last advert of A"].time_s == -0.4
    assert sum(row.info.startswith("Gratuitous") for row in view.frames) == 10
    assert not any(s.OBSERVER_MAC in (row.source, row.destination) for row in view.frames)


def test_log_lines_keep_the_articles_form_and_take_the_precise_time(tmp_path: Path) -> None:
    trial = s.case_a(OLD)
    folder = trial.write(tmp_path, 1)
    moment = (10 * s.S + 3 * s.S + s.SKEW_NS[101] + s.LATE) // 1000
    stamp = f"2027-01-15T08:00:13.{moment % 1_000_000:06d}+00:00"
    line = f"{stamp} centOS-hostB Keepalived_vrrp: VRRP_Instance(VI_1) Transition to MASTER STATE\n"
    (folder / "hosts" / "B" / "precise.log").write_text(line)
    first, second, *_ = view_trial(read_trial(TrialFolder(folder))).logs["B"]
    assert first.stamp == "Jan 15 08:00:13"
    assert first.time_s == (moment * 1000 - 10_400_000_000) / 1e9
    assert first.uncertainty_s == 0.000101
    assert second.uncertainty_s == 1.0001


def test_in_version_3_every_prediction_counts_in_the_interval_that_the_master_advertises(tmp_path: Path) -> None:
    trial = s.version_3(NEW)
    folder = trial.write(tmp_path, 1)
    info = json.loads((folder / "trial.json").read_text())
    info["nodes"]["B"]["advert_int_s"] = 1.0
    (folder / "trial.json").write_text(json.dumps(info))
    record = read_trial(TrialFolder(folder))
    view = view_trial(record)
    down_s, x_s = 0.036054687, 0.004
    (fault,) = view.faults
    assert fault.summary.expected_down_interval_s == down_s
    # The first request lost was sent 1 ms after the fault.
    left_s = down_s - x_s - 0.001
    assert fault.summary.outage_window_s == pytest.approx((left_s, left_s), abs=1e-9)
    expected = {item.name: item.expected_s for item in fault.waterfall}
    assert expected["wait"] == (0.0, 0.01)
    # The bracket of the fault is 0.2 µs wide.
    assert expected["detection"] == pytest.approx((down_s - x_s, down_s - x_s), abs=2e-7)
    assert named_values(record, view)["skew_s"] == 0.006054687


@pytest.mark.parametrize(("lifted_s", "virtual_mac", "predicted"), [(30, None, False), (5, None, True), (30, "", True)])
def test_of_a_client_that_is_not_told_no_outage_is_predicted(
    tmp_path: Path, lifted_s: int, virtual_mac: str | None, *, predicted: bool
) -> None:
    trial = s.power_cut(NEW)
    for name, at_s in (("fault_injected", 3), ("fault_healed", lifted_s)):
        at = s.START_NS + at_s * s.S
        trial.event(at_s * s.S, name, kind="announcements_lost", host=None, phase="steps", before_ns=at, after_ns=at)
    folder = trial.write(tmp_path, 1)
    info = json.loads((folder / "trial.json").read_text())
    (folder / "trial.json").write_text(json.dumps(info | {"virtual_mac": virtual_mac}))
    view = view_trial(read_trial(TrialFolder(folder)))
    (cut,) = (fault for fault in view.faults if fault.summary.fault.kind == "power_cut")
    assert (cut.summary.outage_window_s is not None) == predicted


def test_gaps_are_reported_one_by_one_and_summed_and_recovery_must_hold(tmp_path: Path) -> None:
    trial = s.power_cut(NEW)
    up, ms = trial.serving[-1][0], s.MS
    trial.serving += [(up + 2000 * ms, None), (up + 2100 * ms, "B"), (up + 9000 * ms, None), (up + 9040 * ms, "B")]
    summary = viewed(tmp_path, trial).faults[0].summary
    assert [(run.duration_s, run.lost) for run in summary.loss_runs] == [(3.22, 161), (0.1, 5), (0.04, 2)]
    assert (summary.outage_s, summary.outage_loss_s, summary.lost) == (3.36, 3.36, 168)
    # Between the first two loss runs lie less than five seconds.
    assert summary.recovered_s == round(summary.loss_runs[1].start_s + 0.1, 9)


def test_every_answer_is_counted_by_who_gave_it(tmp_path: Path) -> None:
    trial = s.case_a(NEW)
    at, seq = 30 * s.S, (30 * s.S - 500 * s.MS) // (20 * s.MS) + 1
    for late, host in ((1, "A"), (2, "B")):
        answer = s.echo(s.MAC[host], s.CLIENT_MAC, s.VIP, s.PROBE_IP, 0, 0x1111, seq)
        trial.frames["public"].append((at + late, answer))
    summary = viewed(tmp_path, trial).faults[0].summary
    assert summary.answered_twice == 1
    assert summary.answers["A"] > 0
    assert summary.answers["B"] > summary.answers["A"]


def test_failover_and_reversion_are_kept_apart(tmp_path: Path) -> None:
    lost = viewed(tmp_path / "a", s.power_cut(NEW)).summary
    back = viewed(tmp_path / "b", s.case_b(NEW)).summary
    none = viewed(tmp_path / "c", s.case_d(NEW)).summary
    assert (lost.event, back.event, none.event) == ("failover", "reversion", None)
    assert lost.failover_s is not None
    assert lost.reversion_s is None
    assert back.failover_s is None
    assert back.reversion_s is not None


def test_a_backup_that_was_struck_and_preempts_has_come_back_and_is_held_to_no_deadline(tmp_path: Path) -> None:
    folder = TrialFolder(s.case_b(NEW).write(tmp_path, 1))
    folder.timeline.write_text(folder.timeline.read_text().replace('"kind": "bring_back"', '"kind": "link_flap"'))
    (fault,) = view_trial(read_trial(folder)).faults
    assert (fault.summary.fault.kind, fault.summary.event, fault.new_master) == ("link_flap", "reversion", "A")
    assert fault.summary.deadline_excess_s is None


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """A run folder around the captures that were made by hand; what the bench would have noted is not there."""

    def write(scenario: str, kind: str, before: int, after: int, end: int, priorities: tuple[int, int]) -> None:
        trial = s.Trial(scenario, NEW, "B", priorities=priorities, tracked=("eth1",))
        folder = tmp_path / scenario
        (folder / "capture").mkdir(parents=True)
        for name in ("interconnect", "public"):
            frames = [(frame.time_ns, frame.raw) for frame in Pcap(BYHAND / f"{name}.pcap") if frame.time_ns < end]
            (folder / "capture" / f"{name}.pcap").write_bytes(s.pcap_bytes(frames))
        (folder / "trial.json").write_text(
            json.dumps({**trial.info(1), "probe_source": None, "probe_interval_s": None})
        )
        (folder / "scenario.yaml").write_text("expect: {owner: B}\n")
        events = [
            {"t_ns": before - s.S, "event": "trial_started"},
            {
                "t_ns": after,
                "event": "fault_injected",
                "kind": kind,
                "host": "A",
                "before_ns": before,
                "after_ns": after,
            },
            # Where the next case begins, so that its packets are not this one's.
            {"t_ns": end, "event": "fault_injected", "kind": "stop", "host": "B", "before_ns": end, "after_ns": end},
        ]
        (folder / "timeline.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    write("case-a", "kill", 1795366939110857793, 1795366939419244033, 1795366946 * s.S, (102, 101))
    write("case-c", "link_down", 1795366967467946134, 1795366967617618006, 1795366976 * s.S, (101, 101))
    return tmp_path


def test_case_a_made_by_hand(by_hand: Path) -> None:
    head = view_trial(read_trial(TrialFolder(by_hand / "case-a"))).faults[0]
    moments = head.moments
    assert (moments.last_advert_ns, moments.first_advert_ns) == (1795366938475652000, 1795366942092040000)
    assert moments.first_garp_ns == 1795366942099972000
    assert head.summary.deadline_excess_s == 0.01091925
    assert (head.summary.outage_s, head.summary.priority_zero) == (0.0, 0)
    assert (head.old_master, head.new_master) == ("A", "B")


def test_case_c_made_by_hand(by_hand: Path) -> None:
    head = view_trial(read_trial(TrialFolder(by_hand / "case-c"))).faults[0]
    assert head.summary.priority_zero == 2
    assert head.moments.priority_zero_ns == 1795366967602956000
    assert head.summary.deadline_excess_s == round(968.219999 - 967.603660 - 0.60546875, 9)
    assert head.summary.outage_s is not None
    # The last advert of priority 0, the skew time, less where the loss began.
    assert head.summary.outage_window_s == (0.59717875, 0.59717875)
    assert 0.55 < head.summary.outage_s < 0.70


@pytest.mark.parametrize(("announced", "expected_s"), [(True, 0.3), (False, None)])
def test_several_addresses_are_announced_when_the_last_of_them_is(
    tmp_path: Path, announced: bool, expected_s: float | None
) -> None:
    trial = s.case_a(s.FAMILIES[1])
    folder = trial.write(tmp_path / "before", 1)
    (fault,) = view_trial(read_trial(TrialFolder(folder))).faults
    assert fault.summary.announced_all_s is None, "there is one"
    first_ns, other = fault.moments.first_advert_ns, "192.168.122.51"
    assert first_ns is not None
    if announced:
        frame = wire.arp(s.MAC["B"], "ff:ff:ff:ff:ff:ff", 1, other, "ff:ff:ff:ff:ff:ff", other)
        trial.frames["public"].append((first_ns - s.START_NS + 300 * s.MS, frame))
    folder = trial.write(tmp_path / "after", 1)
    info = json.loads((folder / "trial.json").read_text())
    (folder / "trial.json").write_text(json.dumps(info | {"vips": [info["vip"], other]}))
    (fault,) = view_trial(read_trial(TrialFolder(folder))).faults
    assert fault.summary.announced_all_s == (None if expected_s is None else pytest.approx(expected_s, abs=1e-6))


@pytest.mark.parametrize("lowered", [True, False])
def test_a_master_that_lowered_its_priority_is_outranked_and_leaves_no_deadline(tmp_path: Path, lowered: bool) -> None:
    trial = s.Trial("outranked", NEW, "B")
    trial.adverts("A", 0, 10 * s.S + 1)
    trial.fault("file_written", "A", 10 * s.S + 400 * s.MS)
    trial.adverts("A", 11 * s.S, 14 * s.S + 1, priority=92 if lowered else None)
    garp = trial.takeover("B", 14 * s.S + 2 * s.MS, trial.end)
    trial.serving = [(0, "A"), (garp, "B")]
    (fault,) = view_trial(read_trial(TrialFolder(trial.write(tmp_path, 1)))).faults
    assert fault.summary.event == "failover"
    assert (fault.summary.deadline_excess_s is None) == lowered
