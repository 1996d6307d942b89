"""Rules of the live view: what it makes of a timeline that grows, and that it only reads."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from viplab.live import screen
from viplab.live.follow import LONGEST, Tail, is_over
from viplab.live.picture import Picture
from viplab.live.watch import Spectator, watch
from viplab.run_folder import RunFolder
from viplab.types import Station, TrialInfo

S = 1_000_000_000
MAC = {"A": "52:54:00:03:ba:f2", "B": "52:54:00:56:c3:f4"}
INFO = TrialInfo.model_validate(
    {
        "scenario": "case-c", "title": "Case C", "subject": "vipd", "subject_version": "0.1.0",
        "profile": "keepalived-1.2.2", "family": "keepalived-1.2.2", "lab": "libvirt", "accel": None, "trial": 1,
        "vip": "192.168.122.50", "virtual_router_id": 51, "nodes": {},
        "stations": {
            name: Station(hostname=f"host{name}", public_mac=mac, public_ip="192.168.122.9")
            for name, mac in MAC.items()
        },
    }
)  # fmt: skip


def event(at_s: float, name: str, /, **keys: Any) -> dict[str, Any]:
    return {"t_ns": round(at_s * S), "event": name, **keys}


STORY = [
    event(0, "trial_started", scenario="case-c", subject="vipd"),
    event(1, "daemon_started", host="A"),
    event(2, "daemon_started", host="B"),
    event(3, "owners", macs=[MAC["A"]]),
    event(3.1, "neighbour", ip="192.168.122.50", mac=MAC["A"], state="reachable", deleted=False),
    event(10, "ping_started", target="192.168.122.50"),
    event(15.5, "step_started", step="link_down: A eth1", phase="steps"),
    event(15.6, "fault_injected", kind="link_down", host="A", before_ns=0, after_ns=0),
    event(15.7, "owners", macs=[]),
]


def picture(events: list[dict[str, Any]] = STORY, replies: int = 6) -> Picture:
    made = Picture(info=INFO)
    for each in events:
        made.heard(each)
    for seq in range(1, replies + 1):
        made.pinged(f"64 bytes from 192.168.122.50: icmp_seq={seq} ttl=64 time=0.{seq}00 ms")
    return made


def text_of(shown: Picture) -> str:
    stream = io.StringIO()
    Console(file=stream, width=90, force_terminal=False).print(screen.panel(shown, "run-id"))
    return stream.getvalue()


def test_it_shows_who_is_what() -> None:
    shown = picture()
    assert shown.hosts == {"A": "link down", "B": "daemon up"}
    assert shown.owners == []
    assert shown.client == "A"
    text = text_of(shown)
    assert "case-c with vipd" in text
    assert "nobody" in text
    assert "hostA" in text


def test_a_request_without_an_answer_becomes_a_loss_while_it_happens() -> None:
    shown = picture()
    shown.looked(16 * S)
    assert shown.trips(60) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert shown.silent_s() is None
    shown.looked(19 * S)
    assert shown.trips(60)[-3:] == [0.6, None, None]
    assert shown.silent_s() == pytest.approx(3.0)
    assert [news.text for news in shown.news if news.loud][-2:] == ["ping 7 unanswered", "ping 8 unanswered"]
    assert f"{screen.LOST}{screen.LOST}" in screen.sparkline(shown.trips(60)).plain
    assert "no answer for 3.0 s" in text_of(shown)


def test_an_answer_ends_the_silence() -> None:
    shown = picture()
    shown.looked(19 * S)
    shown.pinged("64 bytes from 192.168.122.50: icmp_seq=10 ttl=64 time=0.4 ms")
    shown.looked(19 * S + S // 2)
    assert shown.silent_s() is None
    assert shown.trips(4) == [None, None, None, 0.4]


def test_two_owners_are_said() -> None:
    shown = picture([*STORY, event(16, "owners", macs=[MAC["A"], MAC["B"]])])
    assert "A and B  two owners" in text_of(shown)


def test_what_a_finished_trial_shows_does_not_change_with_time() -> None:
    shown = picture([*STORY, event(16, "ping_stopped", target="x"), event(17, "trial_finished")])
    shown.pinged("6 packets transmitted, 6 received, 0% packet loss, time 5001ms")
    shown.looked(17 * S)
    before = text_of(shown)
    shown.looked(1000 * S)
    assert text_of(shown) == before
    assert shown.trips(60) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(
    st.lists(st.dictionaries(st.sampled_from(["t_ns", "event", "host", "macs", "mac", "kind", "step"]), json_values)),
    st.sampled_from([each["event"] for each in STORY] + ["error", "check", "ping_stopped", "trial_finished", "news"]),
    st.text(),
)
def test_no_event_and_no_line_of_ping_can_stop_it(events: list[dict[str, Any]], kind: str, line: str) -> None:
    shown = Picture(info=INFO)
    for each in events:
        shown.heard(each)
        shown.heard({**each, "event": kind, "t_ns": 5})
        shown.pinged(line)
        shown.looked(6)
    assert "\x1b" not in text_of(shown)


def test_escapes_of_a_guest_are_shown_and_do_not_act() -> None:
    shown = picture([*STORY, event(16, "error", message="\x1b[2J[red]gone")])
    text = text_of(shown)
    assert "\u241b[2J[red]gone" in text
    assert "\x1b" not in text


def test_a_tail_yields_whole_lines_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "timeline.jsonl"
    tail = Tail(path.parent, path)
    assert list(tail.lines()) == []
    path.write_bytes(b"one\ntw")
    assert list(tail.lines()) == ["one"]
    with path.open("ab") as file:
        file.write(b"o\n\xff\n")
    assert list(tail.lines()) == ["two", "\ufffd"]


def test_a_line_of_a_megabyte_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "ping.txt"
    path.write_bytes(b"x" * 1_000_000 + b"\nnext\n")
    tail = Tail(path.parent, path)
    lines = [line for _ in range(6) for line in tail.lines()]
    assert len(lines[0]) <= 2 * LONGEST + 256 * 1024
    assert lines[-1] == "next"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "20261123T011916Z-cb34")
    trial = run.path / "trials" / "001-case-c-vipd"
    trial.mkdir(parents=True)
    events = [*STORY, event(17, "trial_finished")]
    (trial / "timeline.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events) + '{"torn')
    (trial / "trial.json").write_text(INFO.model_dump_json())
    (trial / "ping.txt").write_text("64 bytes from 1: icmp_seq=1 ttl=64 time=0.3 ms\n")
    return run


def test_without_a_terminal_it_is_a_line_an_event(run: RunFolder) -> None:
    stream = io.StringIO()
    watch(run, Console(file=stream, force_terminal=False), lambda: True)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "--- 001-case-c-vipd"
    assert "  +15.600 s  ! fault: link of A down" in lines
    assert len([line for line in lines if "trial finished" in line]) == 1


def test_it_ends_by_itself_when_the_run_has_been_judged(run: RunFolder) -> None:
    assert not is_over(run)
    run.summary.write_text("{}")
    assert is_over(run)
    watch(run, Console(file=io.StringIO(), force_terminal=False), lambda: False)


def test_it_leaves_the_folder_as_it_was(run: RunFolder) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.path.rglob("*")}
    for path in run.path.rglob("*"):
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    watch(run, Console(file=io.StringIO(), force_terminal=True), lambda: True)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.path.rglob("*")} == before
    for path in run.path.rglob("*"):
        path.chmod(stat.S_IRWXU)


def test_a_trial_that_has_hardly_begun_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    (tmp_path / "trials" / "001-case-a-vipd").mkdir(parents=True)
    spectator = Spectator(run.trials()[0])
    spectator.look(S)
    assert "waiting" in text_of(spectator.picture)


def test_what_the_kernel_counted_is_no_news() -> None:
    shown = picture([event(1, "interfaces", when="before", counters={"public": {"rx_packets": 3}})], replies=0)
    assert list(shown.news) == []
