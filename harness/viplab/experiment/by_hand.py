"""A trial whose steps a program does one by one, as a test does: kept as a run of one scenario, and judged like it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import yaml

from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.analysis.views import TrialView
from viplab.errors import InputError, ViplabError
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import write_recipe
from viplab.experiment.scenario_runner import ScenarioRunner
from viplab.experiment.session import check, new_run
from viplab.experiment.trial import Trial, trial_under_way
from viplab.lab.lab import Lab, LabKind
from viplab.observe.precedence import precedence
from viplab.run_folder import RunFolder, TrialFolder
from viplab.scenario.load import parse_scenario
from viplab.scenario.model import Scenario
from viplab.store import RunStore, trial_folder
from viplab.subjects.assignment import Assignment
from viplab.types import HostName

_PAIR = {"A": {"state": "MASTER", "priority": 102}, "B": {"state": "BACKUP", "priority": 101}}
_NOTHING = [{"observe": 0.001}]
"""A scenario has at least one step."""


class TrialByHand:
    """Does steps, and says what was measured when the last is done."""

    def __init__(self, asked: dict[str, Any], runner: ScenarioRunner, folder: TrialFolder, ending: ExitStack) -> None:
        self._asked = asked
        self._runner = runner
        self._folder = folder
        self._ending = ending
        self._steps: list[dict[str, Any]] = []
        self._ended = False

    def do(self, name: str, argument: Any) -> None:
        """Do a step, which is given what a scenario file would give it.

        Raises:
            InputError: there is no such step, it is given something else, or the measurement has ended.
            LabError: it could not be done, or what was to be waited for did not come.
        """
        if self._ended:
            raise InputError(f"{name}: the measurement has ended, since what it found was asked for; do this before")
        steps = [*self._steps, {name: argument}]
        step = _scenario(_written({**self._asked, "steps": steps})).steps[-1]
        self._steps = steps
        if name == "wait" and (owner := argument.get("master") or argument.get("announced")):
            self._asked["expect"] = {**self._asked["expect"], "owner": owner}
        with precedence():
            self._runner.do(step)

    def end(self) -> str:
        """Stop the probes and captures, heal what lasts, and keep the steps as a scenario, whose text is returned."""
        text = _written({**self._asked, "steps": self._steps or _NOTHING})
        if not self._ended:
            self._ended = True
            self._ending.close()
            (self._folder.path / "scenario.yaml").write_text(text, encoding="utf-8")
        return text

    @cached_property
    def measured(self) -> TrialView:
        """What analysis makes of the trial; to ask ends the measurement."""
        self.end()
        return view_trial(read_trial(self._folder))


def plan_by_hand(name: str, more: Mapping[str, Any], assignment: Assignment, lab: LabKind) -> Plan:
    """The plan of a trial whose steps are not known yet: a pair of which A is master, but for what `more` says.

    Raises:
        InputError: a scenario has no such key, or no such value for it.
        HostError: this machine lacks what the subject or the lab needs.
    """
    hosts = more.get("hosts", _PAIR)
    if not isinstance(hosts, Mapping) or not hosts:
        raise InputError(f"the test: hosts: is to give each host its keys, as in {_PAIR} (found {hosts!r})")
    if "steps" in more:
        raise InputError("the test: steps: are what the test does, by the fixtures `fault` and `viplab_lab`")
    text = _written(
        {
            "scenario": name,
            "title": name,
            "story": "Written by a test, step by step.",
            "hosts": hosts,
            "setup": [*({"start": host} for host in hosts), {"wait": {"announced": _first(hosts)}}],
            "steps": _NOTHING,
            **more,
            "expect": _expected(hosts, more),
        }
    )
    plan = Plan(scenarios=[(text, _scenario(text))], subjects=[assignment], lab=lab, seed=secrets.randbits(32))
    check(plan)
    return plan


@contextmanager
def trial_by_hand(plan: Plan, lab: Lab, run: RunFolder) -> Iterator[TrialByHand]:
    """A trial of that plan in a lab, its set-up done; its folder is one of a run, which can be done again."""
    (source, scenario), (assignment,) = plan.scenarios[0], plan.subjects
    folder = trial_folder(run, 1, scenario.scenario, assignment.name)
    trial = Trial(scenario, source, assignment, 1, plan.seed or 0)
    not_set_up: ViplabError | None = None
    with ExitStack() as ending:
        runner, _ = ending.enter_context(trial_under_way(trial, lab, folder))
        try:
            ending.enter_context(runner.by_hand())
        except ViplabError as error:
            not_set_up = error
            raise
        by_hand = TrialByHand(yaml.safe_load(source), runner, folder, ending)
        try:
            yield by_hand
        finally:
            text = by_hand.end()
            done = Plan(scenarios=[(text, _scenario(text))], subjects=plan.subjects, lab=plan.lab)
            write_recipe(done, trial.seed, run.info().provenance.git, lab.origins.image, run.recipe)
    # The trial has written it down and ended as any other, which is not enough for whoever waits for it here.
    if not_set_up is not None:
        raise not_set_up


def run_for(plan: Plan, lab: Lab, runs: RunStore) -> RunFolder:
    """A new run for a trial of that plan."""
    return new_run(plan, runs, lab, plan.seed or 0)


def _first(hosts: Mapping[HostName, Any]) -> HostName:
    """The host of the highest priority; what is no priority is for the scenario to refuse."""

    def priority(host: HostName) -> int:
        keys = hosts[host]
        number = keys.get("priority") if isinstance(keys, Mapping) else None
        return number if isinstance(number, int) else 0

    return max(hosts, key=priority)


def _expected(hosts: Mapping[HostName, Any], more: Mapping[str, Any]) -> Any:
    """What the marker expects, with the first host as the owner where it does not say."""
    expect = more.get("expect", {})
    return {"owner": _first(hosts), **expect} if isinstance(expect, Mapping) else expect


def _written(asked: Mapping[str, Any]) -> str:
    try:
        return yaml.safe_dump(dict(asked), sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise InputError(f"the test: a scenario file cannot hold {error.args[-1]!r}") from None


def _scenario(text: str) -> Scenario:
    return parse_scenario(text, "the test")
