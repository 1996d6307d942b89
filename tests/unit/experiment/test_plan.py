from __future__ import annotations

from viplab.experiment.plan import Plan
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import resolve
from viplab.subjects.registry import assignment

SUBJECTS = [assignment("vipd", "keepalived-2"), assignment("keepalived")]


def test_subjects_take_turns_and_so_does_who_is_first() -> None:
    turns = Plan(resolve(["failover"]), SUBJECTS, NETNS, trials=3).turns()
    assert [(repetition, one.name) for _, _, one, repetition in turns] == [
        (1, "vipd"),
        (1, "keepalived"),
        (2, "keepalived"),
        (2, "vipd"),
        (3, "vipd"),
        (3, "keepalived"),
    ]


def test_what_measures_the_bench_is_done_once_with_each_subject() -> None:
    turns = Plan(resolve(["failover", "calibration"]), SUBJECTS, NETNS, trials=20).turns()
    assert [(one.name, repetition) for scenario, _, one, repetition in turns if scenario.once] == [
        ("vipd", 1),
        ("keepalived", 1),
    ]
    assert len(turns) == 2 * 20 + 2


def test_each_of_two_workers_gets_both_subjects() -> None:
    turns = Plan(resolve(["failover"]), SUBJECTS, NETNS, trials=10, workers=2).turns()
    for lane in (0, 1):
        assert {one.name for _, _, one, _ in turns[lane::2]} == {"vipd", "keepalived"}
