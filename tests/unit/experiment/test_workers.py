from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from viplab.errors import ExitStatus, HostError, LabError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.experiment.workers import in_workers
from viplab.lab.netns.kind import NETNS
from viplab.store import RunStore


def test_every_worker_does_its_part(tmp_path: Path) -> None:
    in_workers(3, lambda worker: (tmp_path / str(worker)).touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_worker_s_failure_is_told_when_the_others_are_done(tmp_path: Path) -> None:
    def work(worker: int) -> None:
        if worker == 0:
            raise LabError("worker 0 is out")
        (tmp_path / str(worker)).touch()

    with pytest.raises(LabError, match="worker 0 is out"):
        in_workers(2, work)
    assert (tmp_path / "1").exists()


def test_a_worker_s_failure_keeps_its_kind(tmp_path: Path) -> None:
    def fill(worker: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        in_workers(2, fill)
    assert caught.value.errno == errno.ENOSPC


def test_of_several_failures_what_the_machine_lacks_is_told(tmp_path: Path) -> None:
    def fail(worker: int) -> None:
        if worker == 0:
            raise LabError("the lab's process tree ended without an answer")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        in_workers(2, fail)


def test_a_disk_that_is_full_for_one_of_several_workers_is_the_machine_s_lack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(worker: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(session, "_run", lambda plan, runs, *_: in_workers(2, full))
    with pytest.raises(HostError, match="No space left on device; what was captured is kept") as caught:
        session.run(Plan([], [], NETNS, workers=2), RunStore(tmp_path))
    assert caught.value.exit_status is ExitStatus.UNAVAILABLE


def test_a_failure_that_cannot_be_handed_on_is_told_in_words() -> None:
    def work(worker: int) -> None:
        raise ValueError("odd", threading.Lock())

    with pytest.raises(LabError, match="odd"):
        in_workers(1, work)
