"""The benchmark of what the bench adds to the protocol's time: no part of a trial is left out or counted twice."""

from __future__ import annotations

import bench_waiting

from support import synthetic as s
from viplab.run_folder import RunFolder

SAMPLE = RunFolder(s.REPOSITORY / "results" / "sample")


def test_the_parts_of_a_trial_add_up_to_it_and_each_is_in_the_table() -> None:
    trials = SAMPLE.trials()
    for trial in trials:
        events = list(trial.events())
        *found, bench_s, floor_s, trial_s, share = bench_waiting.parts(events).values()
        assert abs(sum(found) - bench_s) < 1e-6
        assert abs(trial_s - (events[-1].t_ns - events[0].t_ns) / 1e9) < 1e-6
        assert abs(share * trial_s - floor_s) < 1e-6
        assert min(found) > -0.01, trial.name
    table = bench_waiting.table({"sample": trials})
    assert all(part in table for part in bench_waiting.PARTS)
