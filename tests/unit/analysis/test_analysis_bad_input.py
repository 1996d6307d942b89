"""A run folder with parts missing, damaged, foreign or of a newer schema: what can be judged is, the rest is said."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from support import synthetic as s
from viplab.analysis import reading
from viplab.analysis.run import analyze, write_summary, write_trials
from viplab.errors import InputError
from viplab.ground_truth import wire
from viplab.run_folder import RunFolder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return s.write_run(tmp_path_factory.mktemp("whole") / "run", [s.power_cut(s.FAMILIES[1]), s.case_c(s.FAMILIES[1])])


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> RunFolder:
    """A copy to be damaged."""
    return RunFolder(shutil.copytree(whole, tmp_path / "run"))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(100))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another(key: str, value: object) -> Callable[[Path], object]:
    """The first event that has this key has this value there."""

    def change(path: Path) -> None:
        lines = path.read_text().splitlines()
        at = next(number for number, line in enumerate(lines) if key in json.loads(line))
        lines[at] = json.dumps(json.loads(lines[at]) | {key: value})
        path.write_text("".join(f"{line}\n" for line in lines))

    return change


def without(key: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))


def with_key(key: str, value: object) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))


def every(key: str, value: object) -> Callable[[Path], object]:
    """Of each node."""

    def change(path: Path) -> None:
        trial = json.loads(path.read_text())
        trial["nodes"] = {host: node | {key: value} for host, node in trial["nodes"].items()}
        path.write_text(json.dumps(trial))

    return change


def many(event: dict[str, object]) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        first, *rest = path.read_text().splitlines(keepends=True)
        started = json.loads(first)["t_ns"]
        added = (json.dumps({"t_ns": started + number} | event) + "\n" for number in range(2000))
        path.write_text("".join([first, *added, *rest]))

    return change


def empty(key: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {key: {}}))


CAPTURE = "capture/public.pcap"


@pytest.mark.parametrize("damage", [cut_short, emptied, foreign, a_pipe, a_folder, Path.unlink])
@pytest.mark.parametrize("name", [CAPTURE, "capture/interconnect.pcap"])
def test_a_damaged_capture_spoils_its_own_trial_only(run: RunFolder, name: str, damage: Callable[[Path], None]) -> None:
    damage(run.trials()[0].path / name)
    view = analyze(run)
    assert [trial.summary.verdict for trial in view.trials] == ["undecided", "pass"]
    assert len(view.damage) == 1
    assert name in view.damage[0]
    assert "\n" not in view.damage[0]
    assert write_summary(run, view)
    assert write_trials(run, view)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("trial.json", Path.unlink, "trial.json: missing"),
        ("trial.json", lambda path: path.write_text("{"), "cannot be read as JSON"),
        ("trial.json", lambda path: path.write_text('{"new_key": 1}'), "written by another version"),
        ("timeline.jsonl", Path.unlink, "missing or empty"),
        ("timeline.jsonl", lambda path: path.write_text("no event\n"), "timeline.jsonl:1: not an event"),
        ("timeline.jsonl", another("t_ns", 10**30), "timeline.jsonl:1: not an event"),
        ("timeline.jsonl", another("realtime_ns", "x"), "realtime_ns of clock is 'x'"),
        ("timeline.jsonl", another("before_ns", []), "before_ns of fault_injected is '[]'"),
        ("timeline.jsonl", another("macs", 5), "macs of owners is '5'"),
        ("timeline.jsonl", another("before_ns", "x"), "before_ns of fault_injected is 'x'"),
        ("timeline.jsonl", many({"event": "fault_injected", "kind": "kill", "host": "A"}), "after 32 are not read"),
        ("timeline.jsonl", many({"event": "holds", "host": "A"}), "after 1,000 are not read"),
        ("trial.json", every("advert_int_s", 1e-300), "trial.json: nodes.A.advert_int_s"),
        ("trial.json", every("advert_int_s", 1e300), "out of range"),
        ("trial.json", every("advert_int_s", float("nan")), "NaN is no number"),
        ("trial.json", with_key("probe_interval_s", 0), "trial.json: probe_interval_s"),
        ("trial.json", with_key("http_interval_s", 1e18), "trial.json: http_interval_s"),
        ("trial.json", with_key("nodes", {"../A": {}}), "trial.json: nodes"),
        ("trial.json", with_key("seed", 10**30), "out of range"),
        ("ping.txt", lambda path: path.write_text("9" * 5000 + " packets transmitted, 1 received\n"), ""),
        ("ping.txt", lambda path: path.write_text("64 bytes from x: icmp_seq=1 ttl=64 time=" + "9" * 400 + " ms"), ""),
        ("trial.json", without("nodes"), "trial.json: nodes"),
        ("trial.json", empty("nodes"), "nodes needs a host, and stations each of those"),
        ("trial.json", empty("stations"), "nodes needs a host, and stations each of those"),
        ("scenario.yaml", Path.unlink, "scenario.yaml: missing"),
        ("scenario.yaml", lambda path: path.write_bytes(b"\x7fELF\0"), "scenario.yaml: is no scenario"),
        ("ping.txt", Path.unlink, ""),
    ],
)
def test_every_missing_part_is_named_and_the_rest_is_judged(
    run: RunFolder, name: str, change: Callable[[Path], None], said: str
) -> None:
    change(run.trials()[0].path / name)
    view = analyze(run)
    assert view.trials[-1].summary.verdict == "pass"
    if said:
        assert said in view.damage[0]
        assert view.exit_status in (1, 2)


def test_a_ping_that_left_no_transcript_of_ping_is_damage_and_no_failure(run: RunFolder) -> None:
    trial = run.trials()[1]
    with trial.timeline.open("a") as lines:
        lines.write(json.dumps({"t_ns": s.START_NS + s.S, "event": "ping_started", "target": s.VIP}) + "\n")
    assert analyze(run).damage == []
    trial.ping.write_bytes(b"\x7fELF\0")
    view = analyze(run)
    assert view.trials[1].summary.verdict == "undecided"
    assert "ping.txt: is no transcript of ping" in view.damage[0]


def test_without_a_reference_the_trials_are_judged_and_no_claims(run: RunFolder) -> None:
    run.reference.unlink()
    view = analyze(run)
    assert [trial.summary.verdict for trial in view.trials] == ["pass", "pass"]
    assert (view.claims, view.exit_status) == ([], 2)
    assert "reference.yaml: missing" in view.damage[0]


def test_a_whole_folder_has_no_damage(run: RunFolder) -> None:
    assert analyze(run).damage == []


@pytest.mark.parametrize("schema", [2, None])
def test_a_run_of_another_schema_is_refused(run: RunFolder, schema: int | None) -> None:
    path = run.path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": schema}))
    with pytest.raises(InputError, match="schema") as caught:
        analyze(run)
    assert caught.value.exit_status == 64


def test_a_folder_without_trials_decides_nothing(run: RunFolder) -> None:
    for trial in run.trials():
        for path in sorted(trial.path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        trial.path.rmdir()
    view = analyze(run)
    assert (view.trials, view.exit_status) == ([], 2)
    assert "no trial that can be read" in view.damage[0]


def test_a_huge_capture_of_others_traffic_fills_no_memory(run: RunFolder) -> None:
    path = run.trials()[0].path / CAPTURE
    bulk = wire.tcp((s.CLIENT_MAC, s.MAC["A"]), (s.CLIENT_IP, "192.168.122.11"), bytes(1400))
    own = path.read_bytes()
    with path.open("wb") as file:
        file.write(own[:24])
        for begin_ns in range(s.START_NS - 60 * 10 * s.MS, s.START_NS, 10 * s.MS):
            file.write(wire.pcap_bytes([(begin_ns + n * 1000, bulk) for n in range(1000)])[24:])
        file.write(own[24:])
    counted = run.trials()[0].timeline
    lines = [json.loads(line) for line in counted.read_text().splitlines()]
    next(line for line in lines if line.get("packets", 0) > 1000)["packets"] += 60_000
    counted.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert path.stat().st_size > 80_000_000
    tracemalloc.start()
    view = analyze(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert view.trials[0].summary.verdict == "pass"
    assert peak < 30_000_000


def test_a_flood_of_frames_is_cut_off_and_said(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST", 100)
    view = analyze(run)
    assert view.trials[0].summary.verdict == "undecided"
    assert "more than 100 frames" in view.damage[0]


def test_a_log_without_end_is_read_to_its_limit(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LARGEST_TEXT", 1 << 20)
    log = run.trials()[0].path / "hosts" / "B" / "messages.log"
    log.write_bytes(log.read_bytes() + b"x" * (2 << 20))
    assert "messages.log: larger than 1 MiB" in analyze(run).damage[0]
