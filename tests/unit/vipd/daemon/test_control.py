"""The control socket: answers that must not cost the adverts their time."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.routers import OWN, config
from vipd.config.behaviour import PRESETS
from vipd.config.model import Config
from vipd.daemon import control
from vipd.daemon.control import Control
from vipd.daemon.latency import Latency
from vipd.daemon.runtime import Runtime
from vipd.daemon.schedule import Schedule
from vipd.daemon.status import report
from vipd.protocol.router import Router
from vipd.protocol.validation import Discard

KEEPALIVED = PRESETS["keepalived-2"]


# -- vipd status


def test_a_report_is_said_in_slices_and_others_have_their_turn_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part takes 0.2 ms here, so that a slice of half a millisecond has three."""
    now_ns, said = 0, []

    def parts() -> Iterator[str]:
        nonlocal now_ns
        for number in range(10):
            now_ns += 200_000
            said.append(number)
            yield f"{number},"

    monkeypatch.setattr(control.time, "monotonic_ns", lambda: now_ns)
    schedule = Schedule()
    listening = Control(str(tmp_path / "s"), parts, schedule.update)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(tmp_path / "s"))
        listening.read()
        turns = []
        while (at_ns := schedule.next()) is not None:
            assert at_ns <= now_ns, "it is due at once"
            for _, timed in schedule.due(now_ns):
                timed.handle_deadline(now_ns)
                schedule.update(timed)
            turns.append(len(said))
        assert turns == [3, 6, 9, 10]
        assert asking.recv(100) == b"0,1,2,3,4,5,6,7,8,9,"
        assert asking.recv(100) == b"", "and that is all"
    listening.close()


def test_who_does_not_read_or_leaves_is_left(tmp_path: Path) -> None:
    listening = Control(str(tmp_path / "s"), lambda: iter(["x" * 1000] * 10), lambda control: None)
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(tmp_path / "s"))
        listening.read()
    listening.handle_deadline(0)
    assert listening.deadline() is None
    listening.close()


def test_the_parts_of_a_report_are_json_and_each_router_has_its_own() -> None:
    routers = [Router(config(name=f"VI_{number}", vrid=number), KEEPALIVED, OWN) for number in (1, 2, 3)]
    routers[1].counters.discards[Discard.TTL] = 5
    runtime = Runtime(
        Config(tuple(router.config for router in routers)), KEEPALIVED, {r.config.name: r for r in routers}, (0.0, 0.0)
    )
    parts = list(report(runtime, {**dict.fromkeys(Discard, 0), Discard.TTL: 2}, Latency(), {("file", "f"): 7}))
    assert len([part for part in parts if '"vrid"' in part]) == 3
    whole = json.loads("".join(parts))
    assert [one["name"] for one in whole["vrrp-instance"]] == ["VI_1", "VI_2", "VI_3"]
    assert whole["vrrp"]["statistics"]["ip-ttl-errors"] == 7
    assert whole["tracked"] == [{"kind": "file", "name": "f", "value": 7}]
