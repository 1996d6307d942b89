"""The processors' time as the kernel counts it, in hundredths of a second."""

from __future__ import annotations

from pathlib import Path

_IDLE, _STEAL = (3, 4), 7


def ticks() -> list[int]:
    """The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, of all processors."""
    return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]


def since(before: list[int]) -> list[int]:
    """What was spent since."""
    return [now - then for then, now in zip(before, ticks(), strict=True)]


def busy_share(spent: list[int]) -> float:
    """The share of the time in which processors were not idle."""
    return 1 - sum(spent[index] for index in _IDLE) / max(1, sum(spent))


def steal_share(spent: list[int]) -> float:
    """The share of the time that the machine below gave to somebody else."""
    return spent[_STEAL] / max(1, sum(spent))
