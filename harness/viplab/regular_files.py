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


def is_regular(root: Path, path: Path) -> bool:
    """Whether `open_regular` would open it."""
    try:
        opened = open_regular(root, path)
    except InputError:
        return False
    if opened is None:
        return False
    opened.close()
    return True


def names_in(root: Path, folder: Path) -> list[str]:
    """What there is in a folder of `root`, sorted, whatever it is; nothing where a link leads there."""
    if _has_link(root, folder):
        return []
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def regular_files(root: Path, folder: Path) -> list[Path]:
    """Every regular file below a folder of `root`, sorted; a link is neither listed nor followed."""
    if _has_link(root, folder):
        return []
    try:
        found = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
        return sorted(path for path in found if stat.S_ISREG(path.lstat().st_mode))
    except (OSError, ValueError):  # it goes while we look, or its name is none
        return []


def remove_regular(root: Path, path: Path) -> None:
    """Remove a file, or a link itself, of `root`; one that is not there, or that cannot be removed, is left.

    Raises:
        InputError: the path leads outside.
    """
    with suppress(OSError), _parent(root, path) as folder:
        os.unlink(path.name, dir_fd=folder)


def write_regular(root: Path, path: Path, content: bytes) -> None:
    """Put a file into `root`, making the folders between.

    Raises:
        InputError: the path leads outside, or over a link, or there is a folder in its place.
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
        if isinstance(error, IsADirectoryError | NotADirectoryError):
            raise InputError(f"{path}: cannot be written ({error.strerror}); move away what is in its place") from None
        raise HostError(f"{path}: cannot be written ({error.strerror}); free some disk, or copy the run") from None


def write_named(root: Path, path: Path, content: bytes) -> None:
    """Write a file that the user named: in `root` as `write_regular` does, elsewhere as any program would.

    Raises:
        OSError: it cannot be written.
    """
    place = path.parent.resolve() / path.name
    if place.is_relative_to(root.resolve()):
        write_regular(place.parent, place, content)
    else:
        path.write_bytes(content)


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
    try:
        named = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        named = False
    if not named:
        raise InputError(f"{str(path)!r}: is no name that a file can have")
    return parts


def _has_link(root: Path, path: Path) -> bool:
    """Whether a link is on the way; True also where the path lies outside or cannot be one."""
    if path != root:
        try:
            _below(root, path)
        except InputError:
            return True
    place = root
    for part in path.relative_to(root).parts:
        place = place / part
        if os.path.islink(place):  # noqa: PTH114 - pathlib's raises for a name that is too long
            return True
    return False
