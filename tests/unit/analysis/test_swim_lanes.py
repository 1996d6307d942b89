"""What each host was at, who owned the VIP, and whom the client would have sent to."""

from __future__ import annotations

from pathlib import Path

from support import synthetic as s
from support.judging import viewed

OLD = s.FAMILIES[0]


def test_lanes_say_who_was_at_what(tmp_path: Path) -> None:
    view = viewed(tmp_path, s.case_a(OLD))
    lanes = {lane.name: [interval.label for interval in lane.intervals] for lane in view.swim_lanes}
    assert lanes["A"] == ["silent", "advertising", "off"]
    assert lanes["B"] == ["silent", "advertising"]
    assert lanes["owners"] == ["A", "A+B"]
    assert lanes["client"] == ["A", "B"]
    for lane in view.swim_lanes:
        assert all(
            before.end_s == after.start_s for before, after in zip(lane.intervals, lane.intervals[1:], strict=False)
        )


def test_a_host_that_is_shut_down_is_advertising_until_its_last_advert(tmp_path: Path) -> None:
    view = viewed(tmp_path, s.case_d(OLD))
    (lane,) = (lane for lane in view.swim_lanes if lane.name == "B")
    assert [interval.label for interval in lane.intervals] == ["silent", "advertising", "off"]
    assert lane.intervals[-1].start_s == 23.0 - 10.3
