"""Errors and warnings of a configuration, collected so that all of them can be listed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from vipd.config.blocks import Statement
from vipd.config.values import CorrectedError, FormError, WrongError, instead


class Diagnostics(NamedTuple):
    """What the parser notes about a configuration that can be used.

    Attributes:
        warnings: in the order of the files and their lines, as FILE:LINE: KEYWORD: what, and what would be right.
        repaired: how many of the warnings are errors to `keepalived -t`, which corrects them and goes on.
        interfaces: every interface that has to exist, and where it is named first, as FILE:LINE: KEYWORD.
        macvlans: the same for every macvlan that is given a name.
        size: length of the text, in characters.
        unread: see `Source`.
    """

    warnings: tuple[str, ...]
    repaired: int
    interfaces: dict[str, str]
    size: int
    unread: frozenset[str] = frozenset()
    macvlans: Mapping[str, str] = MappingProxyType({})


class Problems:
    """Collects one line for each problem, as FILE:LINE: KEYWORD: what, and what would be right.

    Attributes:
        wrong: errors, as (file, line, text).
        warnings: the same for what does not stand in the way.
        repaired: see `Diagnostics`.
        interfaces, macvlans: see `Diagnostics`.
    """

    def __init__(self) -> None:
        self.wrong: list[tuple[str, int, str]] = []
        self.warnings: list[tuple[str, int, str]] = []
        self.repaired = 0
        self.interfaces: dict[str, str] = {}
        self.macvlans: dict[str, str] = {}
        self._askers: dict[str, str] = {}

    def mention(self, interface: str, statement: Statement) -> None:
        """Note where an interface is named."""
        self.interfaces.setdefault(interface, f"{statement.file}:{statement.line}: {statement.keyword}")

    def mention_all(self, interfaces: Iterable[str | None], statement: Statement) -> None:
        """Note where interfaces are named, if they are."""
        for interface in filter(None, interfaces):
            self.mention(interface, statement)

    def macvlan(self, name: str, router: str, statement: Statement) -> str:
        """Note which name a router asks for; returns which router did so first."""
        self.macvlans.setdefault(name, f"{statement.file}:{statement.line}: {statement.keyword}")
        return self._askers.setdefault(name, router)

    def error(self, statement: Statement, text: str) -> None:
        """Note an error."""
        self.wrong.append((statement.file, statement.line, f"{statement.keyword}: {text}"))

    def warn(self, statement: Statement, text: str, repaired: bool = False) -> None:
        """Note a warning."""
        self.warnings.append((statement.file, statement.line, f"{statement.keyword}: {text}"))
        self.repaired += repaired

    def unknown(self, statement: Statement, where: str, known: Iterable[str]) -> None:
        """Note an unknown keyword."""
        self.error(statement, f"is not a keyword of {where}; {instead(statement.keyword, known)}")

    def tried(self, statement: Statement, read: Callable[[Statement], Any], shown: str = "") -> Any:
        """Read a statement; note an error and return None where it is wrong. `shown` is a correct form."""
        try:
            return read(statement)
        except CorrectedError as corrected:
            self.warn(statement, str(corrected), repaired=True)
            return corrected.value
        except FormError as error:
            self.error(statement, f"{error}; write: {statement.keyword} {shown}" if shown else str(error))
        except WrongError as error:
            self.error(statement, str(error))
        return None

    def tried_line(self, block: Statement, line: Statement, read: Callable[[Statement], Any]) -> Any:
        """Read a line of a block that has no keyword of its own; an error names the block's keyword."""
        try:
            return read(line)
        except CorrectedError as corrected:
            self.warn(line._replace(words=block.words), f"{line.keyword}: {corrected}", repaired=True)
            return corrected.value
        except WrongError as error:
            self.error(line._replace(words=block.words), f"{line.keyword}: {error}")
            return None

    def diagnostics(self, size: int, unread: Iterable[str]) -> Diagnostics:
        """The diagnostics of a configuration without errors; `size` is the length of its text."""
        warnings = tuple(listed(self.warnings))
        return Diagnostics(warnings, self.repaired, self.interfaces, size, frozenset(unread), self.macvlans)

    def within(self, head: Statement) -> bool:
        """Whether this block has an error already, so that none need be added for the whole."""
        if not self.wrong:
            return False
        lines = {(line.file, line.line) for line in _all(head)}
        return any((file, line) in lines for file, line, _ in self.wrong)


def listed(found: list[tuple[str, int, str]]) -> list[str]:
    """Sort lines by file and line, and drop repeated ones."""
    order = {file: place for place, (file, _, _) in reversed(list(enumerate(found)))}
    ordered = sorted(found, key=lambda item: (order[item[0]], item[1]))
    return list(dict.fromkeys(plain(f"{file}:{line}: {text}") for file, line, text in ordered))


def plain(text: str) -> str:
    """Escape what a terminal must not be sent, whatever a quoted word holds."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _all(statement: Statement) -> Iterable[Statement]:
    yield statement
    for line in statement.body or ():
        yield from _all(line)
