"""Files: read whole, or up to a size, and replaced as a whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

_SIZE = 64 << 20
_LIMIT = 10_000  # files that one pattern may name


def absolute(path: str) -> str:
    """The path from the root, as seen from the folder that the process is in now."""
    return os.path.abspath(path)  # noqa: PTH100 - pathlib takes 3 ms to import


def folder_of(path: str) -> str:
    """The folder that a file is in."""
    return os.path.dirname(path) or "."  # noqa: PTH120


def exists(path: str) -> bool:
    """Whether there is such a file."""
    return os.path.exists(path)  # noqa: PTH110


def host_name() -> str:
    """The name of this host."""
    return os.uname().nodename


def read(path: str) -> str:
    """Read the text of a file; octets that are not UTF-8 are kept as surrogates.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, encoding="utf-8", errors="surrogateescape", opener=_open) as opened:
        return opened.read(_SIZE)


def read_start(path: str, size: int) -> bytes:
    """Read the first octets of a file, without waiting for whoever may write to it.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def matching(folder: str, pattern: str) -> list[str]:
    """The paths of the files, not folders, that a shell's pattern names, in their order."""
    from glob import glob  # only where something is included

    found = sorted(glob(os.path.join(folder, pattern)))[:_LIMIT]  # noqa: PTH118, PTH207
    return [path for path in found if not os.path.isdir(path)]  # noqa: PTH112


def create(path: str, text: str, overwrite: bool) -> None:
    """Make a file with this text; one that is there stays as it is without `overwrite`.

    Raises:
        OSError: it cannot be made, or not be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if overwrite else os.O_EXCL)
    with suppress(FileExistsError):
        descriptor = os.open(path, flags, 0o644)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def replace(path: str, text: str) -> None:
    """Replace a file as a whole or not at all, and never through a symbolic link.

    Raises:
        OSError: it cannot be written.
    """
    scratch = f"{path}.{os.getpid()}"
    with suppress(FileNotFoundError):
        os.unlink(scratch)  # noqa: PTH108
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = text.encode("utf-8", "surrogateescape")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
        os.rename(scratch, path)  # noqa: PTH104
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)  # noqa: PTH108 - half of it takes up the room that a full disk lacks
        raise


def _open(path: str, flags: int) -> int:
    """Open a file; a FIFO that nobody writes to is empty, where to wait for a writer would stop a master's adverts."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return descriptor
