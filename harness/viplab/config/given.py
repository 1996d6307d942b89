"""The files that `--config A=FILE,B=FILE` names, each with what it includes put in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vipd.config.blocks import Statement, statements
from vipd.config.model import Config
from vipd.config.parser import ConfigError, parse
from vipd.config.source import Source, SourceError
from vipd.daemon.config_files import find
from viplab.config.words import Spelling, spelling
from viplab.errors import InputError
from viplab.keepalived_files import Place, read_text
from viplab.types import HostName

_LVS = ("virtual_server", "virtual_server_group")
_INCLUDE = re.compile(r"\s*(@\S*\s+)*(include[rmwba]?)\s+([^#!]+?)\s*(?:[#!].*)?")
_DEEPEST = 32
_LONGEST = 100_000
"""Characters of a host's configuration: a scenario with two of them can still be read."""
_OCTETS = 4 * _LONGEST
"""That no file of so many characters exceeds in UTF-8."""


@dataclass(frozen=True)
class Given:
    """One host's configuration: its lines, and where each comes from."""

    host: HostName
    file: str
    lines: tuple[str, ...]
    origin: tuple[Place, ...]

    @property
    def text(self) -> str:
        """The whole of it."""
        return "\n".join(self.lines)

    @property
    def spelling(self) -> Spelling:
        """Its words with their places."""
        return spelling(self.lines)

    @property
    def virtual_servers(self) -> list[Place]:
        """Where keepalived's other half begins, load balancing, of which vipd and the bench know nothing."""
        return [self.origin[one.words[0].line] for one in self.spelling.statements if one.words[0].text in _LVS]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What it says, expanded, but for virtual servers.

        Raises:
            InputError: it cannot be expanded; with file and line.
        """
        try:
            read = statements(Source(find=find).lines(self.text, self.file))
        except SourceError as error:
            raise InputError(f"{self.origin[error.number - 1]}: {error}") from None
        return tuple(one for one in read if one.keyword not in _LVS)

    def config(self) -> Config:
        """What it asks for, as vipd's parser reads it, but for virtual servers.

        Raises:
            InputError: it is wrong; a line for each error, with file and line.
        """
        try:
            return parse(self.text, self.file, find=find, without=_LVS).config
        except ConfigError as error:
            raise InputError("\n".join(map(self._placed, error.problems))) from None

    @property
    def scripts(self) -> list[tuple[Place, str]]:
        """The program of each `vrrp_script`, with where it is named."""
        blocks = (block.body or () for block in self.statements if block.keyword == "vrrp_script")
        lines = [line for body in blocks for line in body if line.keyword == "script"]
        words = [(self.place(line), " ".join(line.values).split()) for line in lines]
        return [(place, said[0].strip("\"'")) for place, said in words if said]

    def place(self, statement: Statement) -> Place:
        """Where a statement of it stands."""
        return self.origin[statement.line - 1]

    def _placed(self, problem: str) -> str:
        """A problem with the line of the file that it was written in, not of the one that its includes are put into."""
        found = re.match(rf"{re.escape(self.file)}:(\d+): ", problem)
        return f"{self.origin[int(found[1]) - 1]}: {problem[found.end() :]}" if found else problem


def given(option: str) -> list[Given]:
    """The files that an option such as `A=one.conf,B=two.conf` names.

    Raises:
        InputError: it is not well said which host has which, or one cannot be read or put together; with its line.
    """
    parts = [part.partition("=")[::2] for part in option.split(",")]
    hosts = [host for host, _ in parts]
    if len(set(hosts)) < len(hosts) or not all(re.fullmatch("[A-Z]", host) and file for host, file in parts):
        raise InputError(f"--config {option!r}: name a file for each host, as in A=one.conf,B=two.conf")
    return [_given(host, file) for host, file in sorted(parts)]


def _given(host: HostName, file: str) -> Given:
    read = list(_read(file, _text(Path(file)), str(Path(file).resolve().parent), 0))
    found = Given(host, file, tuple(line for line, _ in read), tuple(place for _, place in read))
    if len(found.text) > _LONGEST:
        raise _too_long(file)
    return found


def _text(path: Path) -> str:
    text = read_text(path, _OCTETS)
    if text is None:
        raise _too_long(path)
    return text


def _too_long(file: str | Path) -> InputError:
    return InputError(f"{file}: has more than {_LONGEST:,} characters with what it includes, and cannot be kept")


def _read(file: str, text: str, folder: str, depth: int) -> Iterator[tuple[str, Place]]:
    """The lines of a file, and those of what it includes in place of the line that says so."""
    for number, line in enumerate(text.split("\n"), 1):
        place = Place(file, number)
        if not line.isprintable() and any("\udc80" <= char <= "\udcff" or char == "\0" for char in line):
            raise InputError(f"{place}: is not UTF-8 text; write it in UTF-8")
        include = _INCLUDE.fullmatch(line)
        if include is None:
            yield line, place
            continue
        condition, keyword, pattern = include[1], include[2], include[3].strip("\"'")
        if condition:
            raise InputError(f"{place}: {keyword} {pattern}: a condition cannot be followed; take it away, or the line")
        if "$" in pattern:
            raise InputError(f"{place}: {keyword} {pattern}: a parameter cannot be followed; write the name out")
        if depth == _DEEPEST:
            raise InputError(f"{place}: {keyword}: files {_DEEPEST} deep; does one of them include itself?")
        found = find(pattern, folder)
        if not found and not any(char in pattern for char in "*?["):
            raise InputError(f"{place}: {keyword}: there is no file {pattern!r}; correct the name, or remove the line")
        for path, content in found:
            if content is None:
                raise InputError(f"{place}: {keyword}: {path} cannot be read; correct that, or remove the line")
            yield from _read(path, content.removesuffix("\n"), path.rpartition("/")[0], depth + 1)
