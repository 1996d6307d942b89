"""What `viplab run --junit` leaves for CI, however the run ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viplab.cli.arguments import run_store
from viplab.cli.printing import writing
from viplab.errors import ViplabError

if TYPE_CHECKING:
    from viplab.analysis.views import RunView
    from viplab.run_folder import RunFolder


def write_junit(path: Path, view: RunView, folder: RunFolder, broken_off: str | None = None) -> None:
    """Write a run as JUnit XML under a name of the user's.

    Raises:
        InputError: it cannot be written.
    """
    from viplab.regular_files import write_named
    from viplab.report.junit import junit

    with writing():
        write_named(folder.path, path, junit(view, folder, broken_off).encode(errors="backslashreplace"))


def keeping_junit(run: Callable[..., int]) -> Callable[..., int]:
    """A command with the options `junit`, `results` and `resume`, which writes the first also when it fails.

    The document is there from the beginning, so that a run that is killed has one as well, and nobody waits for a run
    to learn that it cannot be written.
    """

    @wraps(run)
    def kept(**options: Any) -> int:
        path: Path | None = options["junit"]
        if path is None:
            return run(**options)
        _write_without_run(path, "the run was ended without a word, or goes on")
        known = {one.path for one in run_store(options["results"]).runs()}
        try:
            return run(**options)
        except BaseException as error:
            _write_broken_off(path, str(error) or type(error).__name__, options, known)
            raise

    return kept


def _write_broken_off(path: Path, why: str, options: dict[str, Any], known: set[Path]) -> None:
    from viplab.analysis.run import analyze

    runs = run_store(options["results"])
    made = [one for one in runs.runs() if one.path not in known]
    try:
        folder = made[0] if made else runs.find(options["resume"]) if options["resume"] else None
        if folder is not None:
            write_junit(path, analyze(folder), folder, why)
            return
    except ViplabError:  # what broke off left a folder that cannot be read, or none of that name
        pass
    _write_without_run(path, why)


def _write_without_run(path: Path, why: str) -> None:
    from viplab.report.junit import without_run

    with writing():
        path.write_bytes(without_run(why).encode(errors="backslashreplace"))
