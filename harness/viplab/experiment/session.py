"""A whole run: an image, a lab that cannot outlive us, and one trial after the other."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viplab import store
from viplab.evidence import RunFolder, TrialFolder
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.image import Image
from viplab.lab.opened import in_lab, ready_image
from viplab.progress import StepLines, note
from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject

if TYPE_CHECKING:
    from viplab.lab.libvirt_lab import LibvirtLab


@dataclass(frozen=True)
class Plan:
    """What a run consists of."""

    scenarios: list[tuple[Path, Scenario]]
    subjects: list[Subject]
    trials: int = 1
    seed: int | None = None


def run(plan: Plan) -> RunFolder:
    """Do every scenario with every subject, `plan.trials` times over, and return the folder with the evidence.

    Raises:
        HostError: this machine lacks something.
        LabError: the lab did not come up.
    """
    image = ready_image()
    seed = secrets.randbits(32) if plan.seed is None else plan.seed
    note(f"seed {seed}: it places each fault within the advert interval")
    return RunFolder(in_lab(image, lambda lab: _run_in(lab, image, plan, seed)))


def _run_in(lab: LibvirtLab, image: Image, plan: Plan, seed: int) -> Path:
    packages = {name: image.manifest["packages"][name] for name in store.PACKAGES}
    folder = store.new_run(
        store.provenance(
            qemu=_dotted(lab.connection.getVersion()),
            libvirt=_dotted(lab.connection.getLibVersion()),
            accel=lab.accelerator,
            image=image.name,
            packages=dict.fromkeys(("A", "B"), packages),
        )
    )
    note(f"run {folder.path.name}")
    number = 0
    for repetition in range(1, plan.trials + 1):
        for source, scenario in plan.scenarios:
            for subject in plan.subjects:
                number += 1
                trial = Trial(scenario, source, subject, repetition, seed + number)
                _announced(trial, lab, store.trial_folder(folder, number, scenario.scenario, subject.name))
    return folder.path


def _announced(trial: Trial, lab: LibvirtLab, folder: TrialFolder) -> None:
    started = time.monotonic()
    with StepLines(f"{trial.scenario.scenario} with {trial.subject.name}") as lines:
        run_trial(trial, lab, folder, (lines.heard,))
        lines.done(f"{time.monotonic() - started:.0f} s")


def _dotted(version: int) -> str:
    """libvirt's way to write 9.0.0 is 9000000."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
