"""A whole run: an image, a lab that cannot outlive us, and one trial after the other."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from viplab import store
from viplab.evidence import RunFolder, TrialFolder
from viplab.experiment.trial import Trial, run_trial
from viplab.lab.accelerator import accelerator
from viplab.lab.image import Image, build_image, find_image, load_recipe
from viplab.lab.sandbox import LAB, contained
from viplab.progress import StepLines, note, step
from viplab.scenario.model import Scenario
from viplab.subjects.subject import Subject

IMAGE = "debian-12"
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What a run consists of."""

    scenarios: list[tuple[Path, Scenario]]
    subjects: list[Subject]
    trials: int = 1
    seed: int | None = None


def ready_image() -> Image:
    """The guest image, built now if the cache does not have it."""
    recipe = load_recipe(IMAGE)
    found = find_image(recipe)
    if found is not None:
        return found
    with step(f"Build the guest image {recipe.name}, once"):
        return build_image(recipe)


def in_lab(image: Image, work: Callable[[Any], T]) -> T:
    """Do `work` with a private lab whose guests are up; nothing of the lab is left when this returns or raises."""
    accel = accelerator(image)

    def inside() -> T:
        with private_lab(image, accel) as lab:
            return work(lab)

    return contained(inside, LAB)


@contextmanager
def private_lab(image: Image, accel: Any) -> Iterator[Any]:
    """Bring a lab up inside the sandbox that we are in."""
    # libvirt-python is imported where a lab is made and nowhere else: reports are read where there is no libvirt.
    from viplab.lab import private
    from viplab.lab.libvirt_lab import LibvirtLab

    with step(f"Bring the lab up ({'KVM' if accel == 'kvm' else 'TCG emulation'})"):
        lab = LibvirtLab(private.prepare(), image, accel, private.WORK)
        lab.up()
    try:
        yield lab
    finally:
        lab.down()


def run(plan: Plan) -> RunFolder:
    """Do every scenario with every subject, `plan.trials` times over, and return the folder with the evidence.

    Raises:
        HostError: this machine lacks something.
        LabError: the lab did not come up.
    """
    image = ready_image()
    seed = secrets.randbits(32) if plan.seed is None else plan.seed
    note(f"seed {seed}: it places each fault within the advert interval")
    path = in_lab(image, lambda lab: _run_in(lab, image, plan, seed))
    return RunFolder(path)


def _run_in(lab: Any, image: Image, plan: Plan, seed: int) -> Path:
    packages = {name: image.manifest["packages"][name] for name in store.PACKAGES}
    folder = store.new_run(
        store.provenance(
            qemu=_dotted(lab.connection.getVersion()),
            libvirt=_dotted(lab.connection.getLibVersion()),
            accel=lab.accelerator,
            image=image.name,
            packages={name: packages for name in ("A", "B")},
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


def _announced(trial: Trial, lab: Any, folder: TrialFolder) -> None:
    started = time.monotonic()
    with StepLines(f"{trial.scenario.scenario} with {trial.subject.name}") as lines:
        run_trial(trial, lab, folder, (lines.heard,))
        lines.done(f"{time.monotonic() - started:.0f} s")


def _dotted(version: int) -> str:
    """libvirt's way to write 9.0.0 is 9000000."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
