"""Where runs are kept: in a folder each, beside `latest`, which points at the newest."""

# What a user types may be too long, or no name at all, for pathlib's questions.
# ruff: noqa: PTH112, PTH113

from __future__ import annotations

import os
import platform
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from viplab.errors import HostError, InputError
from viplab.resources import checkout, resource
from viplab.run_folder import RunFolder, TrialFolder
from viplab.types import NotSupported, Provenance, RunInfo

PACKAGES = ("linux-image-cloud-amd64", "python3", "rsyslog", "systemd", "iproute2", "openssh-server")
"""Packages of a guest that can change a measured value, besides those of subjects; the image's manifest has all."""
FREE_MIB = 200
_BASELINES = Path("results/baselines")


def runs_dir() -> Path:
    """Folder of runs where none is named: `VIPLAB_RESULTS`, or else `results/runs` of the folder that one stands in."""
    return Path(os.environ.get("VIPLAB_RESULTS") or "results/runs")


class RunStore:
    """A folder of runs; `root` is `runs_dir()` where none is given."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or runs_dir()).absolute()

    def new(
        self, provenance: Provenance, seed: int | None = None, not_supported: Sequence[NotSupported] = ()
    ) -> RunFolder:
        """Make the folder of a new run and point `latest` at it.

        Raises:
            HostError: the disk is full or not writable.
        """
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        path = self.root / name
        try:
            (path / "trials").mkdir(parents=True)
            free_mib = shutil.disk_usage(path).free // 2**20
            if free_mib < FREE_MIB:
                path.joinpath("trials").rmdir()
                path.rmdir()
                raise HostError(f"{self.root}: {free_mib} MiB free, a run wants {FREE_MIB}; free some first")
            info = RunInfo(
                id=name,
                started=now.isoformat(timespec="seconds"),
                provenance=provenance,
                seed=seed,
                not_supported=list(not_supported),
            )
            (path / "run.json").write_text(info.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8")
            shutil.copyfile(reference_claims(), path / "reference.yaml")
            pointer = self.root / f".latest-{name}"
            pointer.symlink_to(name)
            pointer.rename(self.root / "latest")
        except OSError as error:
            raise HostError(
                f"{path}: a new run cannot be kept here ({error.strerror}); --results names another folder"
            ) from None
        return RunFolder(path)

    def remove(self, run: RunFolder) -> None:
        """Remove a run, and have `latest` point at the newest of those that are left."""
        shutil.rmtree(run.path)
        pointer = self.root / "latest"
        if pointer.is_symlink() and not pointer.exists():
            pointer.unlink()
            if left := self.runs():
                pointer.symlink_to(left[0].path.name)

    def find(self, word: str) -> RunFolder:
        """A run by path, by id, by the beginning of its id, or `latest`.

        Raises:
            InputError: there is none, or more than one.
        """
        for path in (Path(word), self.root / word):
            if os.path.isfile(path / "run.json") or os.path.isdir(path / "trials"):
                return RunFolder(path.resolve())
        begins = [run.path for run in self.runs() if run.path.name.startswith(word)]
        if len(begins) == 1:
            return RunFolder(begins[0].resolve())
        if begins:
            raise InputError(f"{word!r} stands for {len(begins)} runs; give more of its id (`viplab runs` lists them)")
        raise InputError(
            f"no run {word!r} in {self.root}; `viplab runs` lists those that are there, `viplab run` makes one"
        )

    def find_points(self, word: str) -> Path:
        """What `compare` may be given: a baseline by name or path, or a run as `find` takes it."""
        named = [] if "/" in word else [baseline_path(word.removesuffix(".json"))]
        for path in (Path(word), *named):
            if path.suffix == ".json" and os.path.isfile(path):
                return path
        return self.find(word).path

    def runs(self) -> list[RunFolder]:
        """All runs, newest first."""
        found = self.root.iterdir() if self.root.is_dir() else iter(())
        return [
            RunFolder(path)
            for path in sorted(found, reverse=True)
            if not path.is_symlink() and (path / "run.json").is_file()
        ]


def reference_claims() -> Path:
    """The article's claims."""
    return resource("results/reference/article.yaml")


def baseline_path(name: str) -> Path:
    """Where the baseline of that name lies: `results/baselines` of the folder that one stands in, wherever runs are."""
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise InputError(f"{name!r}: a baseline's name is made of letters, digits, dots and dashes")
    return (_BASELINES / f"{name}.json").absolute()


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
