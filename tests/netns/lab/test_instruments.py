"""The instruments against what is known: a cut of known length, a rate that was asked for, counters of the kernel."""

from __future__ import annotations

import json
import struct
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import RawPcapReader

from viplab.experiment.trial import Trial, run_trial
from viplab.lab.netns.lab import in_netns_lab
from viplab.observe.probe import MAGIC
from viplab.run_folder import TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.subjects.vipd import Vipd

SCENARIO = """\
scenario: instruments
title: t
story: s
probe: {kind: KIND, rate: 200}
hosts:
  A: {state: MASTER, priority: 102}
  B: {state: BACKUP, priority: 101}
setup:
  - start: A
  - start: B
  - wait: {master: A}
steps:
  - observe: 0.3
  - cut: {duration_ms: 50}
  - observe: 0.5
  - cut: {duration_ms: 300}
  - observe: 0.5
expect: {owner: A}
"""
INTERVAL_MS = 5


def events_of(folder: TrialFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in folder.timeline.read_text().splitlines()]


def requests_and_answers(folder: TrialFolder, vip: bytes) -> tuple[list[int], set[int]]:
    requests, answers = [], set()
    for frame, _ in RawPcapReader(str(folder.capture("public"))):
        at = frame.find(MAGIC)
        if at >= 0:
            (number,) = struct.unpack_from("!Q", frame, at + len(MAGIC))
            if frame[30:34] == vip:
                requests.append(number)
            else:
                assert frame[26:30] == vip
                answers.add(number)
    return requests, answers


@pytest.mark.parametrize("kind", ["icmp", "udp"])
def test_the_probe_finds_the_cuts_that_were_made_within_one_interval(tmp_path: Path, kind: str) -> None:
    text = SCENARIO.replace("KIND", kind)
    folder = TrialFolder(tmp_path / "trial")
    in_netns_lab(
        lambda lab: run_trial(Trial(parse_scenario(text, "test"), text, Vipd("keepalived-1.2.2"), 1, 1), lab, folder)
    )
    events = events_of(folder)
    assert [event for event in events if event["event"] == "error"] == []

    requests, answers = requests_and_answers(folder, bytes([192, 168, 122, 50]))
    assert requests == list(range(len(requests)))
    runs = [len(list(run)) for lost, run in groupby(requests, lambda number: number not in answers) if lost]
    begun = [event for event in events if event["event"] == "fault_injected"]
    healed = [event for event in events if event["event"] == "fault_healed"]
    for run, start, end, asked_ms in zip(runs, begun, healed, (50, 300), strict=True):
        shortest_ms = (end["before_ns"] - start["after_ns"]) / 1e6
        longest_ms = (end["after_ns"] - start["before_ns"]) / 1e6
        assert shortest_ms >= asked_ms - 1
        assert shortest_ms - INTERVAL_MS <= run * INTERVAL_MS <= longest_ms + INTERVAL_MS

    (stopped,) = (event for event in events if event["event"] == "probe_stopped")
    assert (stopped["sent"], stopped["unsent"]) == (len(requests), 0)
    assert stopped["achieved_rate"] == pytest.approx(200, rel=0.01)


def test_the_capture_holds_what_the_bridge_counted(tmp_path: Path) -> None:
    text = SCENARIO.replace("KIND", "icmp")
    folder = TrialFolder(tmp_path / "trial")
    in_netns_lab(
        lambda lab: run_trial(Trial(parse_scenario(text, "test"), text, Vipd("keepalived-1.2.2"), 1, 1), lab, folder)
    )
    events = events_of(folder)
    before, after = (event["counters"]["virbr0"] for event in events if event["event"] == "interfaces")
    counted = sum(after[word] - before[word] for word in ("rx_packets", "tx_packets"))
    (captured,) = (e["packets"] for e in events if e["event"] == "capture_stopped" and e["network"] == "public")
    # The counters are read just before and just after the capture runs.
    assert 0 <= counted - captured <= 10
