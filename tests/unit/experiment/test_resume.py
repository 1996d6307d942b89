"""A run that was broken off goes on: what is whole is kept to the byte, all else is done again, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support import synthetic as s
from viplab.errors import InputError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import plan_of
from viplab.experiment.resume import clear_broken_off, gone_on_with, is_whole, under_way
from viplab.experiment.trial import Trial
from viplab.lab.lab import PAIR, Origins
from viplab.lab.netns.kind import Netns
from viplab.run_folder import RunFolder, TrialFolder
from viplab.scenario.load import resolve
from viplab.store import RunStore
from viplab.subjects.assignment import Assignment
from viplab.subjects.vipd import Vipd


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of one trial, which is whole."""
    folder = RunFolder(s.write_run(tmp_path / "run", [s.power_cut(s.FAMILIES[1])]))
    (trial,) = folder.trials()
    with trial.timeline.open("a", encoding="utf-8") as timeline:
        timeline.write('{"t_ns":9000000000000000000,"event":"trial_finished"}\n')
    return folder


def killed(trial: TrialFolder) -> None:
    """The last lines are missing, and the one before is torn."""
    text = trial.timeline.read_text(encoding="utf-8")
    trial.timeline.write_text(text[: len(text) * 2 // 3], encoding="utf-8")


def interrupted(trial: TrialFolder) -> None:
    """It says itself that it was broken off."""
    *lines, last = trial.timeline.read_text(encoding="utf-8").splitlines(keepends=True)
    error = json.dumps({"t_ns": 9, "event": "error", "message": "interrupted (Interrupted)"}) + "\n"
    trial.timeline.write_text("".join([*lines, error, last]), encoding="utf-8")


def unnamed(trial: TrialFolder) -> None:
    """It had not come as far as to say what it is."""
    (trial.path / "trial.json").unlink()


def unbegun(trial: TrialFolder) -> None:
    """It has no timeline yet."""
    trial.timeline.unlink()


def test_a_trial_that_came_to_its_end_is_kept_to_the_byte(run: RunFolder) -> None:
    (trial,) = run.trials()
    before = {path: path.read_bytes() for path in trial.path.rglob("*") if path.is_file()}
    assert is_whole(trial)
    clear_broken_off(run)
    assert {path: path.read_bytes() for path in trial.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", [killed, interrupted, unnamed, unbegun])
def test_a_trial_that_was_broken_off_is_removed(run: RunFolder, damage: Callable[[TrialFolder], None]) -> None:
    (trial,) = run.trials()
    damage(trial)
    assert not is_whole(trial)
    clear_broken_off(run)
    assert run.trials() == []


def test_what_was_waited_for_in_vain_is_a_result_and_kept(run: RunFolder) -> None:
    (trial,) = run.trials()
    *lines, last = trial.timeline.read_text(encoding="utf-8").splitlines(keepends=True)
    missed = json.dumps({"t_ns": 9, "event": "missed", "what": "B to be master", "within_s": 20}) + "\n"
    error = json.dumps({"t_ns": 9, "event": "error", "message": "waited 20 s for B to be master, in vain"}) + "\n"
    trial.timeline.write_text("".join([*lines, missed, error, last]), encoding="utf-8")
    clear_broken_off(run)
    assert [kept.name for kept in run.trials()] == [trial.name]


def test_an_error_beside_a_wait_in_vain_breaks_a_trial_off_all_the_same(run: RunFolder) -> None:
    (trial,) = run.trials()
    *lines, last = trial.timeline.read_text(encoding="utf-8").splitlines(keepends=True)
    missed = json.dumps({"t_ns": 9, "event": "missed", "what": "B to be master", "within_s": 20}) + "\n"
    error = json.dumps({"t_ns": 9, "event": "error", "message": "the log of B could not be kept"}) + "\n"
    trial.timeline.write_text("".join([*lines, missed, error, last]), encoding="utf-8")
    assert not is_whole(trial)


def test_a_run_that_is_under_way_is_not_resumed_and_loses_nothing(run: RunFolder) -> None:
    (trial,) = run.trials()
    killed(trial)
    with under_way(run), under_way(run), pytest.raises(InputError, match="under way"):
        clear_broken_off(run)
    assert trial.path.exists()
    clear_broken_off(run)
    assert not trial.path.exists()


def test_a_run_is_gone_on_with_by_one_alone_until_that_ends(run: RunFolder) -> None:
    run.recipe.touch()
    with (
        gone_on_with(run),
        under_way(run),
        pytest.raises(InputError, match="somebody goes on with this run already"),
        gone_on_with(run),
    ):
        pass
    with gone_on_with(run), under_way(run):
        pass


class Bare(Netns):
    """A lab without hosts, for trials that are not really done."""

    def open(self, work: Callable[[Any], Any], hosts: Collection[str] = PAIR) -> Any:
        """Do the work."""
        origins = Origins(qemu=None, libvirt=None, image=None, packages={})
        return work(SimpleNamespace(origins=origins, accelerator=None, networks={}))


def test_resumed_trials_have_the_numbers_and_the_seed_that_they_were_to_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []
    (like,) = RunFolder(s.write_run(tmp_path / "like", [s.power_cut(s.FAMILIES[1])])).trials()

    def stub(trial: Trial, lab: object, folder: TrialFolder, listeners: object = ()) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append((folder.name, trial.seed))
        folder.path.mkdir(parents=True)
        told = {"scenario": trial.scenario.scenario, "subject": trial.assignment.name, "trial": trial.number}
        (folder.path / "trial.json").write_text(json.dumps(json.loads((like.path / "trial.json").read_text()) | told))
        folder.timeline.write_text('{"t_ns":1,"event":"trial_finished"}\n')

    monkeypatch.setattr(session, "run_trial", stub)
    monkeypatch.setattr(session, "check", lambda plan: None)
    runs = RunStore(tmp_path / "runs")
    plan = Plan(resolve(["case-a", "power-cut"]), [Assignment(Vipd())], Bare(), trials=2, seed=7)
    with pytest.raises(KeyboardInterrupt):
        session.run(plan, runs)
    (folder,) = runs.runs()
    first, done[:] = list(done), []
    again = Plan(plan.scenarios, plan.subjects, plan.lab, plan.trials, plan_of(folder.recipe).seed)
    assert session.run(again, runs, folder).path == folder.path
    assert [name for name, _ in first + done] == [
        "001-case-a-vipd",
        "002-power-cut-vipd",
        "003-case-a-vipd",
        "004-power-cut-vipd",
    ]
    assert {seed for _, seed in first + done} == {7}
    # As where something that comes earlier is supported by now.
    for number, trial in enumerate(folder.trials(), 2):
        trial.path.rename(trial.path.with_name(f"{number:03}{trial.name[3:]}"))
    done[:] = [("nothing is left, so nothing is done", 0)] * 2
    session.run(again, runs, folder)
