"""Reading of a keepalived.conf that a user named, and the places in it that he is told of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from viplab.errors import InputError


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        """As compilers write it."""
        return f"{self.file}:{self.line}"


def read_text(path: Path, octets: int) -> str | None:
    """All of a file that has no more than so many octets, None where it has more; what is no UTF-8 is kept as it is.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(octets + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a keepalived.conf") from None
    return None if len(content) > octets else content.decode("utf-8", errors="surrogateescape")
