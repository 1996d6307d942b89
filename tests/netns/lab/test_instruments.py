"""The instruments against what is known: a cut of known length, a rate that was asked for, counters of the kernel."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from scapy.utils import RawPcapReader

from support.scenarios import InNamespaces, scenario
from viplab.observe.probe import MAGIC
from viplab.run_folder import TrialFolder


def instruments(kind: str) -> str:
    """Two cuts, of 50 and of 300 ms, under a probe of 200 requests a second."""
    steps = ("observe: 0.3", "cut: {duration_ms: 50}", "observe: 0.5", "cut: {duration_ms: 300}", "observe: 0.5")
    return scenario(*steps, more=f"probe: {{kind: {kind}, rate: 200}}")


def events_of(folder: TrialFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in folder.timeline.read_text().splitlines()]


def requests_and_answers(folder: TrialFolder, vip: bytes) -> tuple[dict[int, int], set[int]]:
    """When each request went over the bridge, by its number, and the numbers of those that were answered."""
    requests, answers = {}, set()
    capture = RawPcapReader(str(folder.capture("public")))
    for frame, meta in capture:
        at = frame.find(MAGIC)
        if at >= 0:
            (number,) = struct.unpack_from("!Q", frame, at + len(MAGIC))
            if frame[30:34] == vip:
                requests[number] = meta.sec * 10**9 + meta.usec * (1 if capture.nano else 1000)
            else:
                assert frame[26:30] == vip
                answers.add(number)
    return requests, answers


@pytest.mark.parametrize("kind", ["icmp", "udp"])
def test_the_probe_loses_what_it_sends_while_the_network_is_cut_and_nothing_else(
    in_namespaces: InNamespaces, kind: str
) -> None:
    folder = in_namespaces.run(instruments(kind))
    events = events_of(folder)
    assert [event for event in events if event["event"] == "error"] == []

    requests, answers = requests_and_answers(folder, bytes([192, 168, 122, 50]))
    assert list(requests) == list(range(len(requests)))
    begun = [event for event in events if event["event"] == "fault_injected"]
    healed = [event for event in events if event["event"] == "fault_healed"]
    cuts = list(zip(begun, healed, strict=True))
    for (start, end), asked_ms in zip(cuts, (50, 300), strict=True):
        assert end["after_ns"] - start["before_ns"] >= asked_ms * 1_000_000
    assert len(answers) < len(requests)
    for number, t_ns in requests.items():
        # An answer may take its time where the machine has other things to do, and then be cut itself.
        if any(start["before_ns"] - 100_000_000 <= t_ns <= end["after_ns"] for start, end in cuts):
            assert number not in answers or not any(s["after_ns"] < t_ns < e["before_ns"] for s, e in cuts)
        else:
            assert number in answers

    (stopped,) = (event for event in events if event["event"] == "probe_stopped")
    assert (stopped["sent"], stopped["unsent"]) == (len(requests), 0)
    assert stopped["achieved_rate"] == pytest.approx(200, rel=0.1)


def test_the_capture_holds_what_the_bridge_counted(in_namespaces: InNamespaces) -> None:
    folder = in_namespaces.run(instruments("icmp"))
    events = events_of(folder)
    before, after = (event["counters"]["virbr0"] for event in events if event["event"] == "interfaces")
    counted = sum(after[word] - before[word] for word in ("rx_packets", "tx_packets"))
    (captured,) = (e["packets"] for e in events if e["event"] == "capture_stopped" and e["network"] == "public")
    # The counters are read just before and just after the capture runs.
    assert 0 <= counted - captured <= 10


def test_each_of_several_addresses_is_asked_at_the_end(in_namespaces: InNamespaces) -> None:
    several = "vrrp: {virtual_ipaddress: 192.168.122.50-52/24 dev eth1}"
    removed = "address_removed: {host: A, interface: eth1, address: 192.168.122.51/24}"
    whole, without = (in_namespaces.run(scenario(step, more=several)) for step in ("observe: 0.3", removed))
    for folder, missing in ((whole, []), (without, ["192.168.122.51"])):
        (event,) = (event for event in events_of(folder) if event["event"] == "unanswered")
        assert event["addresses"] == missing
