"""The process that a lab ends with, known well enough that no other is ever taken for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A process of this machine, by what tells it from a later one of the same number."""

    pid: int
    born: str
    """Its start time in clock ticks since boot."""
    boot: str
    """The first eight digits of the machine's boot id."""
    namespace: str
    """The PID namespace in which `pid` is its number."""

    @property
    def alive(self) -> bool | None:
        """Whether that very process still lives; None where that cannot be told, from another PID namespace."""
        if self.boot != _boot():
            return False
        return born(self.pid) == self.born if self.namespace == _namespace() else None


def this_process() -> Owner:
    """The calling process, which is to open a lab."""
    pid = os.getpid()
    return Owner(pid, born(pid) or "", _boot(), _namespace())


def born(pid: int) -> str | None:
    """A process's start time in clock ticks since boot (field 22 of its stat), None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
