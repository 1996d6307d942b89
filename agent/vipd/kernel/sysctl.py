"""Settings of the kernel's network, by their names below net in sysctl(8)."""

from __future__ import annotations

import os

_FOLDER = "/proc/sys/net/"


def read(name: str) -> str:
    """Its value; the name has slashes for dots.

    Raises:
        OSError: there is none of that name.
    """
    with open(_FOLDER + name, encoding="ascii") as setting:  # noqa: PTH123 - pathlib takes 3 ms to import
        return setting.read().strip()


def write(name: str, value: str) -> None:
    """Set one; the name has slashes for dots.

    Raises:
        OSError: there is none of that name, or it may not be set.
    """
    with open(_FOLDER + name, "w", encoding="ascii") as setting:  # noqa: PTH123 - pathlib takes 3 ms to import
        setting.write(value)


def exists(name: str) -> bool:
    """Whether this kernel has it."""
    return os.path.exists(_FOLDER + name)  # noqa: PTH110
