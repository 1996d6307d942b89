"""Where within the advert interval each fault strikes: drawn from the recorded seed, and spread over the trials.

The place decides how long a failover takes (the down interval runs from the last advert), so chance alone would leave
gaps at twenty trials. Each of N trials gets a stratum of its own, [i/N, (i+1)/N), and a place drawn within it; the
order of the strata is drawn too, so that a drift of the machine during the run does not look like an effect of the
place. All subjects get the same places, which makes them comparable trial by trial.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count


def places(seed: int, scenario: str, trial: int, trials: int) -> Iterator[float]:
    """The places, 0 to 1, of the faults of one trial (from 1 to `trials`) of a scenario, one after the other."""
    for fault in count():
        chance = random.Random(f"{seed}:{scenario}:{fault}")
        strata = list(range(trials))
        chance.shuffle(strata)
        within = [chance.random() for _ in strata]
        yield (strata[trial - 1] + within[trial - 1]) / trials


def chances(seed: int, scenario: str, trial: int) -> Iterator[random.Random]:
    """What draws for the faults of one trial, one after the other, whatever else is left to chance."""
    for fault in count():
        yield random.Random(f"{seed}:{scenario}:{trial}:{fault}:chance")
