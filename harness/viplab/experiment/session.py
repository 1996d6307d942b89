"""A whole run: an image, a lab that cannot outlive us, and one trial after the other."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viplab import store
from viplab.errors import HostError
from viplab.evidence import RunFolder, TrialFolder
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.lab import Lab
from viplab.lab.netns import in_netns_lab
from viplab.lab.opened import in_lab, ready_image
from viplab.progress import StepLines, note
from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject


@dataclass(frozen=True)
class Plan:
    """What a run consists of."""

    scenarios: list[tuple[Path, Scenario]]
    subjects: list[Subject]
    trials: int = 1
    seed: int | None = None
    lab: Literal["libvirt", "netns"] = "libvirt"


def run(plan: Plan) -> RunFolder:
    """Do every scenario with every subject, `plan.trials` times over, and return the folder with the evidence.

    Raises:
        HostError: this machine lacks something.
        LabError: the lab did not come up.
    """
    seed = secrets.randbits(32) if plan.seed is None else plan.seed
    note(f"seed {seed}: it places each fault within the advert interval")
    if plan.lab == "netns":
        _check_machine(plan.subjects)
        return RunFolder(in_netns_lab(lambda lab: _run_in(lab, plan, seed)))
    return RunFolder(in_lab(ready_image(), lambda lab: _run_in(lab, plan, seed)))


def _check_machine(subjects: list[Subject]) -> None:
    """Hosts that are namespaces have the machine's files, not an image's."""
    for subject in subjects:
        for path in subject.present:
            if not Path(path).exists():
                raise HostError(f"{subject.name}: no {path} here; install it, or use --lab libvirt, which has an image")


def _run_in(lab: Lab, plan: Plan, seed: int) -> Path:
    origins = lab.origins
    packages = {name: origins.packages[name] for name in store.PACKAGES if name in origins.packages}
    folder = store.new_run(
        store.provenance(
            qemu=origins.qemu,
            libvirt=origins.libvirt,
            accel=lab.accelerator,
            image=origins.image,
            packages=dict.fromkeys(("A", "B"), packages),
        ),
        seed,
    )
    note(f"run {folder.path.name}")
    number = 0
    versions: dict[str, str] = {}
    for repetition in range(1, plan.trials + 1):
        for source, scenario in plan.scenarios:
            for subject in plan.subjects:
                number += 1
                trial = Trial(scenario, source, subject, repetition, seed, plan.trials, versions)
                _announced(trial, lab, store.trial_folder(folder, number, scenario.scenario, subject.name))
    return folder.path


def _announced(trial: Trial, lab: Lab, folder: TrialFolder) -> None:
    started = time.monotonic()
    with StepLines(f"{trial.scenario.scenario} with {trial.subject.name}") as lines:
        run_trial(trial, lab, folder, (lines.heard,))
        lines.done(f"{time.monotonic() - started:.0f} s")
