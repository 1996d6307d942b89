from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import LabError
from viplab.experiment.workers import in_lanes


def test_every_lane_does_its_part(tmp_path: Path) -> None:
    in_lanes(3, lambda lane: (tmp_path / str(lane)).touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_lane_s_failure_is_told_when_the_others_are_done(tmp_path: Path) -> None:
    def work(lane: int) -> None:
        if lane == 0:
            raise LabError("lane 0 is out")
        (tmp_path / str(lane)).touch()

    with pytest.raises(LabError, match="lane 0 is out"):
        in_lanes(2, work)
    assert (tmp_path / "1").exists()
