from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import LabError
from viplab.experiment.workers import in_workers


def test_every_worker_does_its_part(tmp_path: Path) -> None:
    in_workers(3, lambda worker: (tmp_path / str(worker)).touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_worker_s_failure_is_told_when_the_others_are_done(tmp_path: Path) -> None:
    def work(worker: int) -> None:
        if worker == 0:
            raise LabError("worker 0 is out")
        (tmp_path / str(worker)).touch()

    with pytest.raises(LabError, match="worker 0 is out"):
        in_workers(2, work)
    assert (tmp_path / "1").exists()
