"""Several labs side by side, each in a process of its own, for many trials on a machine that is not busy.

Only namespace labs may share a machine like this: their hosts sleep nearly all the time, where two emulated guests keep
two cores busy. What sharing costs is in every trial's own evidence (`environment`, the probe's lateness).
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import NoReturn

from viplab.errors import HostError, LabError


def in_workers(count: int, work: Callable[[int], object]) -> None:
    """Call `work` with 0 to `count` - 1, all at the same time, and return when the last has ended.

    To be called in a sandbox, which ends the workers if the caller is ended.

    Raises:
        BaseException: what a worker raised, once the others have done their part. Of several failures it is what this
            machine lacks, such as disk, which may be why the others failed; else the first worker's.
    """
    workers = [_worker(number, work) for number in range(count)]
    failures = []
    for pid, said in workers:
        with os.fdopen(said, "rb") as stream:
            failures.append(stream.read())
        os.waitpid(pid, 0)
    errors = [pickle.loads(failure) for failure in failures if failure]
    for error in sorted(errors, key=lambda error: not isinstance(error, OSError | HostError)):
        raise error


def _worker(number: int, work: Callable[[int], object]) -> tuple[int, int]:
    """Start a worker; returns its process and where it says why it failed, if it does."""
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(said)
        _live(say, number, work)
    os.close(say)
    return pid, said


def _live(say: int, number: int, work: Callable[[int], object]) -> NoReturn:
    status = 0
    try:
        work(number)
    except BaseException as error:
        status = 1
        os.write(say, _pickled(error))
    os._exit(status)


def _pickled(error: BaseException) -> bytes:
    """The error itself, which says what it means to whoever called; in words where it is of a kind that does not go."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:
        return pickle.dumps(LabError(str(error) or type(error).__name__))
    return content
