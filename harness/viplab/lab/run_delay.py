"""How long processes were ready to run and had no processor (the kernel's run_delay, of its schedstat)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PRESSURE = _PROC / "pressure" / "cpu"


def run_delay_ns(processes: Iterable[int]) -> int:
    """The sum over all threads of these processes, in ns; what has ended meanwhile is left out."""
    total_ns = 0
    for pid in processes:
        with suppress(OSError):
            for thread in (_PROC / str(pid) / "task").iterdir():
                with suppress(OSError):
                    total_ns += int((thread / "schedstat").read_text().split()[1])
    return total_ns


def stalled_ns() -> int | None:
    """For how long in all anybody on this machine was ready to run and had no processor (PSI's `some`), in ns.

    It counts those that have ended, too. None where the kernel does not say.
    """
    with suppress(OSError, ValueError, IndexError):
        return int(_PRESSURE.read_text().partition("total=")[2].split()[0]) * 1000
    return None


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, and these in turn."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for thread in (_PROC / str(each) / "task").iterdir():
                with suppress(OSError):
                    found += map(int, (thread / "children").read_text().split())
    return found
