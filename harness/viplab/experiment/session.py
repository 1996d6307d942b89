"""A whole run: an image, a lab that cannot outlive us, and one trial after the other."""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path

from viplab import doctor, preflight, store
from viplab.errors import HostError, InputError
from viplab.experiment.on_failure import AfterTrial, go_on
from viplab.experiment.plan import MOST_TIMEOUT_FACTOR, Plan
from viplab.experiment.recipe import check_recipe, write_recipe
from viplab.experiment.resume import gone_on_with, under_way
from viplab.experiment.support import not_supported
from viplab.experiment.trial import Trial, run_trial
from viplab.experiment.workers import in_workers
from viplab.faults import AtClient, OnBridge
from viplab.inject.nftables import check_nftables
from viplab.lab.image import promised_packages
from viplab.lab.lab import Lab, LabKind
from viplab.lab.sandbox import contained
from viplab.lab.topology import CLIENT_IP, make_host
from viplab.lab.waiting import timeout_factor
from viplab.preflight import Finding
from viplab.progress import StepLines, note
from viplab.run_folder import RunFolder, TrialFolder
from viplab.scenario.model import Scenario
from viplab.store import RunStore
from viplab.subjects.subject import Subject
from viplab.types import NotSupported

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_IPVS = Path("/proc/net/ip_vs")
REFERENCE_BOOT_S = 60.0
"""Hosts that boot within this are waited for long enough as it is."""


def run(plan: Plan, runs: RunStore, resumed: RunFolder | None = None, after_trial: AfterTrial = go_on) -> RunFolder:
    """Do every scenario with every subject, `plan.trials` times over, and return the folder with the evidence.

    Of a run that is `resumed`, whose plan this is, the trials that are whole are kept and the others done. The run ends
    early where `after_trial` says so.

    Raises:
        InputError: it asks for labs side by side that cannot be, or what is to be resumed is under way.
        HostError: this machine lacks something.
        LabError: the lab did not come up.
    """
    if plan.workers > 1 and not plan.lab.side_by_side:
        raise InputError(f"--workers: labs of {plan.lab.name} side by side would spoil each other's times")
    try:
        with timeout_factor(plan.timeout_factor or 1), nullcontext() if resumed is None else gone_on_with(resumed):
            return _run(plan, runs, resumed, after_trial)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise HostError(f"{runs.root}: {error.strerror}; what was captured is kept there") from None


def _run(plan: Plan, runs: RunStore, resumed: RunFolder | None, after_trial: AfterTrial) -> RunFolder:
    seed = secrets.randbits(32) if plan.seed is None else plan.seed
    note(f"seed {seed}: it places each fault within the advert interval")
    findings = preflight.examine_machine(runs)
    check(plan)
    trials = _trials(plan, seed)
    if not trials:
        raise InputError("nothing that was asked for is supported: see above")
    if resumed is not None:
        # By what they are: their numbers are others where a subject can do more, or less, than when the run began.
        done = {(info.scenario, info.subject, info.trial) for info in (one.info() for one in resumed.trials())}
        asked, trials = len(trials), [one for one in trials if _identity(one[1]) not in done]
        note(f"run {resumed.path.name}: {asked - len(trials)} of {asked} trials are there, {len(trials)} are left")
        if not trials:
            return resumed
    workers = min(plan.workers, len(trials))

    def alone(lab: Lab) -> Path:
        folder = resumed or new_run(plan, runs, lab, seed)
        _do(plan, trials, lab, folder, findings, after_trial)
        return folder.path

    if workers == 1:
        return RunFolder(plan.lab.open(alone, plan.hosts))
    folder = resumed or RunFolder(plan.lab.open(lambda lab: new_run(plan, runs, lab, seed).path, plan.hosts))
    note(f"{workers} labs side by side")

    def share(worker: int) -> None:
        mine = trials[worker::workers]
        plan.lab.open(lambda lab: _do(plan, mine, lab, folder, findings, after_trial, worker), plan.hosts)

    with under_way(folder):
        contained(lambda: in_workers(workers, share))
    return folder


def check(plan: Plan) -> None:
    """See to it, before anything is started, that this machine and every subject can do what they are asked for.

    Raises:
        HostError: one cannot.
        InputError: a scenario has a virtual address that is somebody's own, or the recipe would be too large.
    """
    check_recipe(plan)
    for _, scenario in plan.scenarios:
        _check_addresses(scenario)
    if lacking := doctor.missing("network"):
        remedies = dict.fromkeys(finding.remedy for finding in lacking)
        raise HostError(f"{', '.join(finding.name for finding in lacking)}: not found here; {'; '.join(remedies)}")
    if any(isinstance(kind.injection, OnBridge | AtClient) for _, one in plan.scenarios for kind in one.faults):
        check_nftables()
    for one in _not_supported(plan):
        note(f"{one.scenario} with {one.subject}: not supported: {one.why}")
    _check_kernel(plan)
    for subject in plan.daemons:
        if plan.lab.image is None:
            _check_machine(subject, plan.lab)
        elif (there := promised_packages(plan.lab.image)) is not None:
            _check_packages(subject, plan.lab.image, there)


def _check_packages(subject: Subject, image: str, there: Collection[str]) -> None:
    if missing := set(subject.packages) - set(there):
        names = ", ".join(sorted(missing))
        raise HostError(f"{subject.name}: the image {image} has no package {names}; try another --image or --lab")


def _check_kernel(plan: Plan) -> None:
    """Hosts without an image have the machine's own kernel, too, in which virtual servers are what IPVS does."""
    if plan.lab.image is not None or _IPVS.exists():
        return
    for _, scenario in plan.scenarios:
        balances = any("virtual_server" in (node.keepalived_conf or "") for node in scenario.hosts.values())
        if balances and any(not_supported(scenario, one, plan.lab) is None for one in plan.subjects):
            raise HostError(
                "virtual_server: there is no IPVS in this machine's kernel; have it there (modprobe ip_vs), "
                "or take the virtual servers out"
            )


def _check_addresses(scenario: Scenario) -> None:
    own = {card.address: f"host {name}" for name in scenario.hosts for card in make_host(name).interfaces}
    own |= {CLIENT_IP: "the client"}
    for vip in scenario.vrrp.vips:
        if vip in own:
            raise InputError(f"{scenario.scenario}: the virtual address {vip} is that of {own[vip]}; take another")


def _not_supported(plan: Plan) -> list[NotSupported]:
    """What was asked for and cannot be done."""
    return [
        NotSupported(scenario=scenario.scenario, subject=assignment.name, profile=assignment.profile, why=why)
        for _, scenario in plan.scenarios
        for assignment in plan.subjects
        if (why := not_supported(scenario, assignment, plan.lab))
    ]


def _check_machine(subject: Subject, lab: LabKind) -> None:
    """Hosts without an image have the machine's own files."""
    for path in subject.present:
        if not Path(path).exists():
            raise HostError(
                f"{subject.name}: no {path} here, and the lab {lab.name} has no image of its own; install it"
            )


def new_run(plan: Plan, runs: RunStore, lab: Lab, seed: int) -> RunFolder:
    """The folder of a new run in this lab, with all that is known before its first trial."""
    origins = lab.origins
    if origins.image is not None:
        for subject in plan.daemons:
            _check_packages(subject, origins.image, origins.packages)
    wanted = dict.fromkeys((*store.PACKAGES, *(name for subject in plan.daemons for name in subject.packages)))
    packages = {name: origins.packages[name] for name in wanted if name in origins.packages}
    provenance = store.provenance(
        qemu=origins.qemu,
        libvirt=origins.libvirt,
        accel=lab.accelerator,
        image=origins.image,
        packages=dict.fromkeys(plan.hosts, packages),
    )
    folder, factor = runs.new(provenance, seed, _not_supported(plan)), _timeout_factor(plan, lab)
    write_recipe(plan, seed, provenance.git, origins.image, folder.recipe, factor)
    note(f"run {folder.path.name}; {plan.lab.words}")
    if factor != 1:
        note(f"every time limit is multiplied by {factor:g}")
    return folder


def _timeout_factor(plan: Plan, lab: Lab) -> float:
    """What was asked for, or how much longer a host took to boot than on a machine that needs none."""
    if plan.timeout_factor is not None:
        return plan.timeout_factor
    return min(MOST_TIMEOUT_FACTOR, max(1.0, round((lab.origins.boot_s or 0) / REFERENCE_BOOT_S, 1)))


def _trials(plan: Plan, seed: int) -> list[tuple[int, Trial]]:
    restores = plan.trials > 1 and not plan.cold_start
    versions: dict[str, str] = {}
    unsteady: set[str] = set()
    turns = [turn for turn in plan.turns() if not_supported(turn[0], turn[2], plan.lab) is None]
    return [
        (number, Trial(*turn, seed, plan.trials, restores, versions, unsteady)) for number, turn in enumerate(turns, 1)
    ]


def _do(
    plan: Plan,
    trials: list[tuple[int, Trial]],
    lab: Lab,
    run: RunFolder,
    findings: list[Finding],
    after_trial: AfterTrial,
    worker: int | None = None,
) -> None:
    """Do these trials in this lab; in one of several workers with a line each instead of a line a step."""
    if not worker:
        preflight.record([*preflight.examine_bridges(lab), *findings], run.preflight)
    factor = _timeout_factor(plan, lab)
    with timeout_factor(factor), under_way(run):
        for number, trial in trials:
            folder = _folder(run, number, trial)
            started = time.monotonic()
            if worker is not None:
                run_trial(trial, lab, folder)
                note(f"{folder.name} ({time.monotonic() - started:.0f} s)")
                continue
            with StepLines(f"{trial.scenario.scenario} with {trial.assignment.name}") as lines:
                run_trial(trial, lab, folder, (lines.heard,))
                lines.done(f"{time.monotonic() - started:.0f} s")
            if not after_trial(folder, lab):
                return


def _identity(trial: Trial) -> tuple[str, str, int]:
    return trial.scenario.scenario, trial.assignment.name, trial.number


def _folder(run: RunFolder, number: int, trial: Trial) -> TrialFolder:
    return store.trial_folder(run, number, trial.scenario.scenario, trial.assignment.name)
