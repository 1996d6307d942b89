from __future__ import annotations

import json
from pathlib import Path

import pytest

from viplab import preflight
from viplab.preflight import Finding


def test_a_coarse_tick_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(preflight.time, "monotonic", lambda: next(now) * 0.006)
    monkeypatch.setattr(preflight.time, "sleep", lambda seconds: None)
    (finding,) = preflight._wake_up()
    assert finding.ok is False
    assert finding.detail.startswith("4.00 ms late")


def test_a_loaded_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.os, "getloadavg", lambda: (1.8, 0.0, 0.0))
    monkeypatch.setattr(preflight.os, "cpu_count", lambda: 2)
    (finding,) = preflight._load()
    assert (finding.ok, finding.detail) == (False, "1.80 on 2 processors")


def test_stolen_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "since", lambda before: [50, 0, 0, 40, 0, 0, 0, 10])
    monkeypatch.setattr(preflight.time, "sleep", lambda seconds: None)
    (finding,) = preflight._steal()
    assert finding.ok is False
    assert finding.detail.startswith("10.0%")


def test_a_bridge_that_is_not_there_is_not_said_to_be_well() -> None:
    (finding,) = preflight._spanning_tree(["viplab-nowhere"])
    assert finding.ok is None


def test_findings_are_kept_and_the_bad_ones_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(preflight, "note", told.append)
    preflight.record([Finding("a", True, "fine"), Finding("b", False, "bad", "mend it")], tmp_path / "preflight.json")
    assert told == ["preflight: b: bad; mend it"]
    assert [entry["name"] for entry in json.loads((tmp_path / "preflight.json").read_text())] == ["a", "b"]
