"""What benchmarks/bench_guest_start.py makes of the sample run."""

from __future__ import annotations

import bench_guest_start

from support import synthetic as s
from viplab.run_folder import RunFolder


def test_every_trial_that_starts_a_daemon_has_a_first_advert_after_it() -> None:
    found = [
        bench_guest_start.first_advert_s(trial) for trial in RunFolder(s.REPOSITORY / "results" / "sample").trials()
    ]
    assert found and all(one is None or 0 < one < 10 for one in found)
    assert any(found)
