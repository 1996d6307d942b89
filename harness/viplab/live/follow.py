"""Growing files and growing folders, read a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from viplab.errors import InputError
from viplab.regular_files import open_regular
from viplab.run_folder import RunFolder, TrialFolder

AT_ONCE = 256 * 1024
"""Bytes that are read of a file at one look; what is left comes with the next."""
LONGEST = 8192
"""Bytes of a line that are kept; a longer one comes cut."""


class Tail:
    """The whole lines that were appended to a file of a folder since the last look."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path
        self._offset = 0
        self._begun = b""

    def lines(self) -> Iterator[str]:
        """New lines without their ends; none while there is no file."""
        try:
            opened = open_regular(self._root, self._path)
        except InputError:
            opened = None
        if opened is None:
            return
        with opened as file:
            file.seek(self._offset)
            data = file.read(AT_ONCE)
        self._offset += len(data)
        *whole, rest = (self._begun + data).split(b"\n")
        self._begun = rest[:LONGEST]
        for line in whole:
            yield line[:LONGEST].decode("utf-8", "replace")


def newest_trial(run: RunFolder) -> TrialFolder | None:
    """The trial that was begun last."""
    trials = run.trials()
    return trials[-1] if trials else None


def is_over(run: RunFolder) -> bool:
    """Whether analysis has had its say: its summary is younger than the last trial's last event."""
    trial = newest_trial(run)
    try:
        return trial is not None and run.summary.stat().st_mtime >= trial.timeline.stat().st_mtime
    except OSError:
        return False
