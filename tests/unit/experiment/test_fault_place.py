from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from viplab.experiment.fault_place import chances, places

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 60))
def test_each_trial_s_fault_has_a_stratum_of_its_own(seed: int, trials: int) -> None:
    drawn = [next(places(seed, "case-a", trial, trials)) for trial in range(1, trials + 1)]
    assert sorted(int(place * trials) for place in drawn) == list(range(trials))


@given(SEEDS, st.integers(1, 20))
def test_the_seed_decides_everything(seed: int, trial: int) -> None:
    first, again = (list(islice(places(seed, "case-d", trial, 20), 3)) for _ in range(2))
    assert first == again


def test_faults_of_one_trial_and_scenarios_differ() -> None:
    one, two = islice(places(1, "case-d", 1, 20), 2)
    assert len({one, two, next(places(1, "case-a", 1, 20)), next(places(2, "case-d", 1, 20))}) == 4


@given(SEEDS, st.integers(1, 20))
def test_what_a_fault_leaves_to_chance_follows_from_seed_scenario_trial_and_number(seed: int, trial: int) -> None:
    def drawn(seed: int, scenario: str, trial: int) -> list[float]:
        return [chance.random() for chance in islice(chances(seed, scenario, trial), 2)]

    first = drawn(seed, "adverts-half-lost", trial)
    assert first == drawn(seed, "adverts-half-lost", trial)
    others = [drawn(seed + 1, "adverts-half-lost", trial), drawn(seed, "mine", trial), drawn(seed, "mine", trial + 1)]
    assert len({one for each in (first, *others) for one in each}) == 8
