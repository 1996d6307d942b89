"""The files of a run folder that may come from anywhere: one rule for whoever reads or writes them.

Below the folder no link is followed, so that nothing outside it is shown or overwritten. What is not a regular file (a
FIFO, a device, a socket) is refused before it can hang or flood the reader. Files are written beside their place and
put there by rename, so that a reader sees the old one or the new one, and a link in that place is replaced.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from viplab.errors import HostError, InputError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK the open of a FIFO waits for somebody who writes.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def open_regular(root: Path, path: Path) -> BinaryIO | None:
    """Open a regular file that lies in `root`, None where there is none.

    Raises:
        InputError: it lies outside, there is a link on the way, it is something else, or it cannot be read.
    """
    try:
        with _parent(root, path) as folder:
            descriptor = os.open(path.name, _READ, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError):
        if _has_link(root, path):
            raise InputError(f"{path}: there is a link on the way to it, and links are not followed") from None
        return None
    except OSError as error:
        if _has_link(root, path):
            raise InputError(f"{path}: is a link, and links are not followed") from None
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(f"{path}: is not a regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(root: Path, path: Path, limit: int) -> bytes | None:
    """All of a regular file in `root`, None where there is none; `limit` is in octets.

    Raises:
        InputError: as `open_regular`, or it is larger than the limit.
    """
    opened = open_regular(root, path)
    if opened is None:
        return None
    with opened as file:
        try:
            content = read_up_to(file, limit + 1)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > limit:
        raise InputError(f"{path}: larger than {limit >> 10:,} KiB, which is more than such a file may have")
    return content


def read_up_to(file: BinaryIO, limit: int) -> bytes:
    """The first `limit` octets of an open file; no more memory is taken than the file has octets."""
    return file.read(min(os.fstat(file.fileno()).st_size, limit))


def write_regular(root: Path, path: Path, content: bytes) -> None:
    """Put a file into `root`, making the folders between.

    Raises:
        InputError: the path leads outside, or over a link.
        HostError: the disk is full or not writable.
    """
    temporary = f".{path.name}.{secrets.token_hex(4)}"
    try:
        with _parent(root, path, make=True) as folder:
            try:
                with os.fdopen(os.open(temporary, _NEW, 0o644, dir_fd=folder), "wb") as file:
                    file.write(content)
                os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
    except OSError as error:
        if _has_link(root, path.parent):
            raise InputError(f"{path}: there is a link on the way to it, and links are not followed") from None
        raise HostError(f"{path}: cannot be written ({error.strerror}); free some disk, or copy the run") from None


@contextmanager
def _parent(root: Path, path: Path, *, make: bool = False) -> Iterator[int]:
    """The folder of a path as a descriptor, reached from `root` without following a link."""
    parts = _below(root, path)
    # The root itself is what the user named, links and all.
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=descriptor)
            following = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
        yield descriptor
    finally:
        os.close(descriptor)


def _below(root: Path, path: Path) -> tuple[str, ...]:
    try:
        parts = path.relative_to(root).parts
    except ValueError:
        parts = ()
    if not parts or ".." in parts:
        raise InputError(f"{path}: lies outside of {root}")
    return parts


def _has_link(root: Path, path: Path) -> bool:
    place = root
    for part in path.relative_to(root).parts:
        place = place / part
        if place.is_symlink():
            return True
    return False
