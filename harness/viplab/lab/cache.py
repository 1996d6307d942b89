"""The user's cache folder: images and saved memory, each in a folder of its own that appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from viplab.progress import note


def cache_dir() -> Path:
    """Root of the cache, by the XDG base directory rules; made on first use."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(base) / "viplab"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, waiting for whoever has it; the kernel drops it with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_once(target: Path, make: Callable[[Path], None]) -> bool:
    """Let `make` fill a new folder and move it to `target` in one step, unless `target` is there already.

    Whatever an earlier, killed attempt left is swept first. Returns whether `make` was called.
    """
    with locked(target.with_name(f".{target.name}.lock")):
        if target.exists():
            return False
        for left in target.parent.glob(f".{target.name}.new-*"):
            shutil.rmtree(left)
        fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.new-"))
        try:
            make(fresh)
            fresh.rename(target)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return True


def keep_last(folders: Iterable[Path], number: int) -> None:
    """Remove all of these folders but for so many that were made or touched last."""
    by_age = sorted(folders, key=lambda folder: folder.stat().st_mtime_ns)
    for folder in by_age[:-number]:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(f".{folder.name}.lock").unlink(missing_ok=True)


def throw_away(folder: Path, why: object) -> None:
    """Remove what was kept and is of no use, and say so in one line: whoever wants it next makes it anew."""
    note(f"{folder}: kept and of no use, so it is thrown away ({' '.join(str(why).split())})")
    shutil.rmtree(folder, ignore_errors=True)
