"""How results are printed, and how a file that cannot be written is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from viplab.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

LONGEST = 10_000
"""Characters of a line that are printed."""


@cache
def out() -> Console:
    """Where results are printed."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 100)


def tell(line: str) -> None:
    """Print a line as it is; what a folder from elsewhere has put into it does nothing to the terminal."""
    from viplab.report.text import visible

    out().print(visible(line, LONGEST), soft_wrap=True, markup=False)


@contextmanager
def writing() -> Iterator[None]:
    """Have a file that cannot be written said in one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror})") from None


def short(path: Path) -> Path:
    """Relative to where the user stands, if that is shorter."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
