"""Where runs are kept: a folder each under `results/runs/`, and `latest`, which points at the newest."""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from viplab.errors import HostError, InputError
from viplab.resources import checkout, resource
from viplab.run_folder import RunFolder, TrialFolder
from viplab.types import Provenance, RunInfo

PACKAGES = ("keepalived", "linux-image-cloud-amd64", "python3", "rsyslog", "systemd", "iproute2", "openssh-server")
"""Packages of a guest that can change a figure; the image's manifest has all of them."""
FREE_MIB = 200


def runs_dir() -> Path:
    """Folder of all runs."""
    return Path("results/runs").absolute()


def reference_claims() -> Path:
    """The article's claims."""
    return resource("results/reference/article.yaml")


def new_run(provenance: Provenance, seed: int | None = None) -> RunFolder:
    """Make the folder of a new run and point `latest` at it.

    Raises:
        HostError: the disk is full or not writable.
    """
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    path = runs_dir() / name
    try:
        (path / "trials").mkdir(parents=True)
        free_mib = shutil.disk_usage(path).free // 2**20
        if free_mib < FREE_MIB:
            path.joinpath("trials").rmdir()
            path.rmdir()
            raise HostError(f"{runs_dir()}: {free_mib} MiB free, a run wants {FREE_MIB}; free some first")
        info = RunInfo(id=name, started=now.isoformat(timespec="seconds"), provenance=provenance, seed=seed)
        (path / "run.json").write_text(info.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
        shutil.copyfile(reference_claims(), path / "reference.yaml")
        pointer = runs_dir() / f".latest-{name}"
        pointer.symlink_to(name)
        pointer.rename(runs_dir() / "latest")
    except OSError as error:
        raise HostError(f"{path}: a new run cannot be kept here ({error.strerror})") from None
    return RunFolder(path)


def find_run(word: str) -> RunFolder:
    """A run by path, by id, by the beginning of its id, or `latest`.

    Raises:
        InputError: there is none, or more than one.
    """
    for path in (Path(word), runs_dir() / word):
        if (path / "run.json").is_file() or (path / "trials").is_dir():
            return RunFolder(path.resolve())
    begins = [path for path in runs_dir().glob(f"{word}*") if (path / "run.json").is_file()] if "/" not in word else []
    if len(begins) == 1:
        return RunFolder(begins[0].resolve())
    if begins:
        raise InputError(f"{word!r} stands for {len(begins)} runs; give more of its id (`viplab runs` lists them)")
    raise InputError(f"no run {word!r}; `viplab runs` lists those that are here, `viplab run` makes one")


def find_points(word: str) -> Path:
    """What `compare` may be given: a baseline by name or path, or a run as `find_run` takes it."""
    named = [] if "/" in word else [baseline_path(word.removesuffix(".json"))]
    for path in (Path(word), *named):
        if path.suffix == ".json" and path.is_file():
            return path
    return find_run(word).path


def baseline_path(name: str) -> Path:
    """Where the baseline of that name lies."""
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise InputError(f"{name!r}: a baseline's name is made of letters, digits, dots and dashes")
    return (Path("results/baselines") / f"{name}.json").absolute()


def list_runs() -> list[RunFolder]:
    """All runs, newest first."""
    found = runs_dir().iterdir() if runs_dir().is_dir() else iter(())
    return [
        RunFolder(path)
        for path in sorted(found, reverse=True)
        if not path.is_symlink() and (path / "run.json").is_file()
    ]


def trial_folder(run: RunFolder, number: int, scenario: str, subject: str) -> TrialFolder:
    """Where trial `number` of a run goes."""
    return TrialFolder(run.path / "trials" / f"{number:03d}-{scenario}-{subject}")


def provenance(
    *, qemu: str | None, libvirt: str | None, accel: str | None, image: str | None, packages: dict[str, dict[str, str]]
) -> Provenance:
    """What a run comes from: the caller knows the lab, this function the host and the checkout."""
    return Provenance(
        git=commit(),
        argv=["viplab", *sys.argv[1:]],
        host_kernel=platform.release(),
        qemu=qemu,
        libvirt=libvirt,
        accel=accel,
        image=image,
        packages=packages,
    )


def commit() -> str | None:
    """The checkout's commit as `git describe` names it, None outside of one."""
    top = checkout()
    if top is None:
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(top), "describe", "--always", "--dirty"],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
