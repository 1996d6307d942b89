"""What a run that was broken off has still to do: its recipe says what was asked for, its trials say what was done."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from viplab.analysis.broken_off import broken_off
from viplab.errors import InputError
from viplab.run_folder import RunFolder, TrialFolder


def is_whole(trial: TrialFolder) -> bool:
    """Whether a trial came to its end, by whatever verdict: neither cut short nor broken off by the lab."""
    try:
        trial.info()
        events = [*trial.events()]
    except InputError:
        return False
    return bool(events) and events[-1].event == "trial_finished" and broken_off(events) is None


def clear_broken_off(run: RunFolder) -> None:
    """Remove the trials of a run that are not whole.

    Raises:
        InputError: somebody is still doing the run.
    """
    with (run.path / "run.json").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{run.path}: this run is under way; `viplab watch` shows it") from None
        for trial in run.trials():
            if not is_whole(trial):
                shutil.rmtree(trial.path)


@contextmanager
def gone_on_with(run: RunFolder) -> Iterator[None]:
    """Go on with a run that was broken off, as the only one until that ends; what is not whole of it is removed first.

    The lock is another one than that of `under_way`, which whoever resumes takes as well, in each of its labs.

    Raises:
        InputError: somebody is still doing the run, or goes on with it.
    """
    with run.recipe.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{run.path}: somebody goes on with this run already") from None
        clear_broken_off(run)
        yield


@contextmanager
def under_way(run: RunFolder) -> Iterator[None]:
    """Have everybody see that trials of this run are being done, until that ends, by whatever means."""
    with (run.path / "run.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
