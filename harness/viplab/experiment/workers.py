"""Several labs side by side, each in a process of its own, for many trials on a machine that is not busy.

Only namespace labs may share a machine like this: their hosts sleep nearly all the time, where two emulated guests keep
two cores busy. What sharing costs is in every trial's own evidence (`environment`, the probe's lateness).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

from viplab.errors import LabError


def in_workers(count: int, work: Callable[[int], object]) -> None:
    """Call `work` with 0 to `count` - 1, all at the same time, and return when the last has ended.

    To be called in a sandbox, which ends the workers if the caller is ended.

    Raises:
        LabError: a worker failed; the others have done their part.
    """
    workers = [_worker(number, work) for number in range(count)]
    failures = []
    for pid, said in workers:
        with os.fdopen(said, encoding="utf-8", errors="replace") as stream:
            failures.append(stream.read())
        os.waitpid(pid, 0)
    for failure in filter(None, failures):
        raise LabError(failure)


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
        os.write(say, (str(error) or type(error).__name__).encode())
    os._exit(status)
