"""The product's own known truth, as the tests of the analyser use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from viplab.ground_truth import cases, maker
from viplab.ground_truth.cases import *  # noqa: F403
from viplab.ground_truth.maker import *  # noqa: F403
from viplab.ground_truth.wire import pcap_bytes  # noqa: F401

REPOSITORY = Path(__file__).parents[2]
REFERENCE = REPOSITORY / "results" / "reference" / "article.yaml"


def _named(scenario: str, make: Callable[[str], maker.Trial]) -> Callable[[str], maker.Trial]:
    """The same trial as one of that scenario, by which the claims are judged."""

    def made(family: str) -> maker.Trial:
        trial = make(family)
        trial.scenario = scenario
        return trial

    return made


part_1 = _named("part-1", cases.set_up)
case_a = _named("case-a", cases.daemon_dies)
case_b = _named("case-b", cases.daemon_returns)
case_c = _named("case-c", cases.interface_fails)
case_d = _named("case-d", cases.interface_returns)
case_d_preempt = _named("case-d-preempt", cases.interface_returns_higher)
power_cut = _named("power-cut", cases.host_dies)
CASES = {
    "part-1": part_1,
    "case-a": case_a,
    "case-b": case_b,
    "case-c": case_c,
    "case-d": case_d,
    "case-d-preempt": case_d_preempt,
    "power-cut": power_cut,
}
"""The article's scenarios, by name."""


def write_run(root: Path, trials: Sequence[maker.Trial]) -> Path:
    """A whole run folder, judged against the article."""
    return maker.write_run(root, trials, REFERENCE.read_text(encoding="utf-8"))
