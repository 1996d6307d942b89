"""Expands the text of a keepalived.conf: comments, conditions, parameters, sequences and included files.

Nothing here knows a keyword but `include`. The files come from outside (`Find`), so that this stays free of I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, List, NamedTuple, Optional, Tuple  # noqa: UP035

if TYPE_CHECKING:
    import re

Find = Callable[[str, str], List[Tuple[str, Optional[str]]]]  # noqa: UP006 - evaluated, and by Python 3.9
"""(pattern, folder) -> (path, text) of every file that it names; the text is None where the file cannot be read."""

_LINES, _LENGTH, _DEPTH = 200_000, 65_536, 64  # a file of a few lines must not be able to fill the memory
_FILES = 32
_DEFINITION = r"(?as)\$([A-Za-z_]\w*)=(.*)"
_PARAMETER = r"(?a)\$\{(?P<braced>\w+)(?P<range>(?: +\d{1,9}){0,2})\}|\$(?P<bare>\w+)(?=\s|$)"
_LOOP = r"(?s)~(SEQx?|LST)\(([^)]*)\)\s*(.*)"
_NAME = r"(?a)[A-Za-z_]\w*"
_INCLUDES = {"include": "", "includer": "r", "includem": "m", "includew": "w", "includeb": "b", "includea": "rmwb"}


class Line(NamedTuple):
    """A fully expanded line, with its file and number."""

    text: str
    file: str
    number: int


class SourceError(Exception):
    """The text cannot be expanded; `file` and `number` are the place."""

    def __init__(self, file: str, number: int, text: str) -> None:
        super().__init__(text)
        self.file = file
        self.number = number


def no_files(pattern: str, folder: str) -> list[tuple[str, str | None]]:
    """Find no file, as where nothing may be included."""
    return []


class Source:
    """Reads a configuration file and what it includes.

    Attributes:
        missing: (file, line, text) of each `include` that named nothing that could be read, and was allowed to.
        unread: the names of included files that are not there or cannot be read; not a pattern that matches nothing.
    """

    def __init__(self, config_id: str = "", instance: str = "", folder: str = ".", find: Find = no_files) -> None:
        self.missing: list[tuple[str, int, str]] = []
        self.unread: set[str] = set()
        self._config_id = config_id
        self._folder = folder
        self._find = find
        self._parameters = {"_INSTANCE": instance, "_HASH": "#", "_BANG": "!"}
        self._count = 0
        self._inside = 0

    def lines(self, text: str, file: str) -> Iterator[Line]:
        """Expand a text into its lines.

        Raises:
            SourceError: while iterating, at the first thing that cannot be made sense of.
        """
        physical = enumerate(text.split("\n"), 1)
        for number, written in physical:
            line = _uncommented(written) if "#" in written or "!" in written else written
            definition = "$" in line and "=" in line and _pattern(_DEFINITION).match(self._conditional(line))
            if definition and definition[2].rstrip().endswith("\\"):
                value = [definition[2].rstrip()[:-1]]
                for _, following in physical:
                    more = _uncommented(following).rstrip()
                    value.append(more[:-1] if more.endswith("\\") else more)
                    if not more.endswith("\\"):
                        break
                self._parameters[definition[1]] = "\n".join(value).strip("\n")
            else:
                yield from self._expanded(line, Line("", file, number), 0)

    def _conditional(self, line: str) -> str:
        """The line without its `@` conditions; nothing of it if one does not hold."""
        line = line.strip()
        while line[:1] == "@":
            wanted, _, rest = line[1:].partition(" ") if " " in line else (line[1:], "", "")
            if "\t" in wanted:
                wanted, _, more = wanted.partition("\t")
                rest = f"{more} {rest}"
            negated = wanted.startswith("^")
            if (wanted.lstrip("^") == self._config_id) == negated:
                return ""
            line = rest.strip()
        return line

    def _expanded(self, text: str, at: Line, depth: int) -> Iterator[Line]:
        text = self._conditional(text)
        if not text:
            return
        self._count += 1
        if self._count > _LINES or depth > _DEPTH or len(text) > _LENGTH:
            raise SourceError(
                at.file, at.number, f"expands to more than {_LINES:,} lines, {_DEPTH} levels or {_LENGTH:,} characters"
            )
        if text[0] == "~":
            for piece in self._looped(text, at):
                yield from self._expanded(piece, at, depth + 1)
            return
        if "$" in text:
            definition = _pattern(_DEFINITION).match(text)
            if definition:
                self._parameters[definition[1]] = definition[2].strip()
                return
            replaced = _pattern(_PARAMETER).sub(lambda match: self._value(match, at), text)
            if replaced != text:
                for piece in replaced.split("\n"):
                    yield from self._expanded(piece, at, depth + 1)
                return
        keyword = text.split(None, 1)[0]
        if keyword in _INCLUDES:
            yield from self._included(keyword, text[len(keyword) :].strip().strip("\"'"), at)
        else:
            yield at._replace(text=text)

    def _value(self, match: re.Match[str], at: Line) -> str:
        """What a parameter stands for; one that is not defined stands for itself, as a `$` in a script does."""
        name = match["braced"] or match["bare"]
        if name == "_RANDOM":
            from random import randint  # rare, and slow to import

            given = [int(word) for word in (match["range"] or "").split()]
            low, high = given + [0, 32767][len(given) :]
            return str(randint(low, max(low, high)))
        if name == "_PWD":
            return self._folder
        value = self._parameters.get(name)
        if value is None or (match["range"] or "").strip():
            return match[0]
        if len(value) * match.string.count("$") > _LENGTH:
            raise SourceError(at.file, at.number, f"${name}: expands to more than {_LENGTH:,} characters")
        return value

    def _looped(self, text: str, at: Line) -> Iterator[str]:
        match = _pattern(_LOOP).match(text)
        if match is None:
            raise SourceError(at.file, at.number, f"{text.split()[0]}: write ~SEQ(NAME, START, STEP, END) or ~LST(...)")
        kind, inside, rest = match.groups()
        for values in _sequence(inside, kind, at) if kind != "LST" else _listed(inside, at):
            piece = rest
            for name, value in values:
                piece = _pattern(rf"\$(\{{{name}\}}|{name}(?=\s|$))").sub(lambda _, value=value: value, piece)
            # An inner loop and a multi-line parameter see the variable, too.
            self._parameters.update(values)
            yield piece

    def _included(self, keyword: str, pattern: str, at: Line) -> Iterator[Line]:
        if self._inside >= _FILES:
            raise SourceError(at.file, at.number, f"{keyword}: files {_FILES} deep; does one of them include itself?")
        found = self._find(pattern, self._folder)
        checks = _INCLUDES[keyword]
        if not found or any(text is None for _, text in found):
            wildcard = any(char in pattern for char in "*?[")
            strict = ("w" in checks or ("m" in checks and not wildcard)) if not found else bool(checks)
            what = f"{keyword}: no file {pattern!r} can be read; correct the name, or remove the line"
            if strict:
                raise SourceError(at.file, at.number, what)
            self.missing.append((at.file, at.number, what))
            self.unread |= {path for path, text in found if text is None} if found or wildcard else {pattern}
        for path, text in found:
            if text is not None:
                folder, self._folder = self._folder, path.rpartition("/")[0] or self._folder
                self._inside += 1
                yield from self.lines(text, path)
                self._inside -= 1
                self._folder = folder


def _pattern(text: str) -> re.Pattern[str]:
    import re  # not before a file needs it: few do, and it is a tenth of the time of a start

    return re.compile(text)


def _uncommented(line: str) -> str:
    """The line up to a `#` or `!` that is not within quotes."""
    quote = ""
    at = 0
    while at < len(line):
        char = line[at]
        if char == "\\" and quote:
            at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        elif not quote and char in "#!":
            return line[:at]
        at += 1
    return line


def _sequence(inside: str, kind: str, at: Line) -> Iterator[list[tuple[str, str]]]:
    name, *numbers = (part.strip() for part in inside.split(","))
    try:
        bounds = [int(number, 0) for number in numbers]
        if not 1 <= len(bounds) <= 3 or not _pattern(_NAME).fullmatch(name):
            raise ValueError
    except ValueError:
        raise SourceError(at.file, at.number, f"~{kind}({inside}): write ~{kind}(NAME, START, STEP, END)") from None
    end = bounds[-1]
    start = bounds[0] if len(bounds) > 1 else (1 if end > 0 else -1)
    step = bounds[1] if len(bounds) == 3 else (1 if end >= start else -1)
    if step == 0 or abs(end - start) > _LINES * abs(step):
        raise SourceError(at.file, at.number, f"~{kind}({inside}): that many steps have no end; give a step that ends")
    for value in range(start, end + (1 if step > 0 else -1), step):
        yield [(name, f"{value:x}" if kind == "SEQx" else str(value))]


def _listed(inside: str, at: Line) -> Iterator[list[tuple[str, str]]]:
    tuples = [part.strip() for part in _pattern(r"\{[^}]*\}|[^,{}]+").findall(inside) if part.strip()]
    rows = [[value.strip() for value in part.strip("{}").split(",")] for part in tuples]
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise SourceError(
            at.file, at.number, f"~LST({inside}): write ~LST(NAME, VALUE, ...) or ~LST({{NAMES}}, {{VALUES}}, ...)"
        )
    names = rows[0]
    if not all(_pattern(_NAME).fullmatch(name) for name in names):
        raise SourceError(at.file, at.number, f"~LST({inside}): {', '.join(names)} cannot be names of parameters")
    for row in rows[1:]:
        yield list(zip(names, row))
