"""How long processes were ready to run and had no processor (the kernel's run_delay, of its schedstat)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def run_delay_ns(processes: Iterable[int]) -> int:
    """The sum over all threads of these processes, in ns; what has ended meanwhile is left out."""
    total_ns = 0
    for pid in processes:
        with suppress(OSError):
            for thread in (_PROC / str(pid) / "task").iterdir():
                with suppress(OSError):
                    total_ns += int((thread / "schedstat").read_text().split()[1])
    return total_ns


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, and these in turn."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for thread in (_PROC / str(each) / "task").iterdir():
                with suppress(OSError):
                    found += map(int, (thread / "children").read_text().split())
    return found
