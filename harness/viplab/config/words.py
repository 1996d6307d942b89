"""The words of a keepalived.conf with their places, unexpanded: what is rewritten has to be found to the character.

`vipd.config` says what a file means, with parameters and conditions expanded; here is how it is spelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_CONDITION = re.compile(r"\s*@\S*")
_LOOP = re.compile(r"\s*~\w+\(([^)]*)\)")
_DEFINITION = re.compile(r"\s*\$\w+=")
_PLAIN = re.compile(r"[^\s{},()]+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is spelled, without quotes around all of it: in which line, from 0, and from where to where."""

    text: str
    line: int
    begin: int
    end: int


@dataclass(slots=True)
class Spelled:
    """A keyword with its values and its block, if it has one, whose last line is `last`."""

    words: list[Word]
    body: list[Spelled] | None = None
    last: int = 0

    @property
    def texts(self) -> list[str]:
        """Its words."""
        return [word.text for word in self.words]


@dataclass
class Spelling:
    """A file: its statements, and the words of values that parameters stand for."""

    statements: list[Spelled] = field(default_factory=list)
    values: list[Word] = field(default_factory=list)


def spelling(lines: Sequence[str]) -> Spelling:
    """Find the words of these lines; where braces do not match, what can be found."""
    found = Spelling()
    opened: list[list[Spelled]] = [found.statements]
    defines = False
    for number, line in enumerate(lines):
        at, end = 0, len(line)
        while condition := _CONDITION.match(line, at):
            at = condition.end()
        definition = _DEFINITION.match(line, at)
        if defines or definition:
            at = definition.end() if definition else at
            end = _end(line, at)
            found.values += _plain(line, number, at, end)
            defines = line[at:end].rstrip().endswith("\\")
            continue
        if loop := _LOOP.match(line, at):
            found.values += _plain(line, number, loop.start(1), loop.end(1))
            at = loop.end()
        _statements(_words(line, number, at), number, opened)
    return found


def _statements(words: Iterator[Word | str], number: int, opened: list[list[Spelled]]) -> None:
    """Add the statements of a line where they belong; a string is a brace."""
    statement: list[Word] = []
    for word in words:
        if isinstance(word, Word):
            statement.append(word)
            continue
        siblings = opened[-1]
        if statement:
            siblings.append(Spelled(statement, last=number))
            statement = []
        if word == "{" and siblings and siblings[-1].body is None:
            siblings[-1].body = []
            opened.append(siblings[-1].body)
        elif word == "}" and len(opened) > 1:
            opened.pop()
            opened[-1][-1].last = number
    if statement:
        opened[-1].append(Spelled(statement, last=number))


def _words(line: str, number: int, at: int) -> Iterator[Word | str]:
    begin, quote = at, ""
    while at <= len(line):
        char = line[at : at + 1]
        if quote and char:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in ("'", '"') and char:
            quote = char
        elif not char or char.isspace() or char in "{}#!":
            if begin < at:
                yield _word(line, number, begin, at)
            if char and char in "{}":
                yield char
            if not char or char in "#!":
                return
            begin = at + 1
        at += 1


def _word(line: str, number: int, begin: int, end: int) -> Word:
    text = line[begin:end]
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] and text[0] not in text[1:-1]:
        begin, end = begin + 1, end - 1
    return Word(line[begin:end], number, begin, end)


def _plain(line: str, number: int, begin: int, end: int) -> Iterator[Word]:
    for match in _PLAIN.finditer(line, begin, end):
        yield _word(line, number, match.start(), match.end())


def _end(line: str, at: int) -> int:
    """Where a comment begins, or the line ends."""
    quote = ""
    for place in range(at, len(line)):
        char = line[place]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "#!":
            return place
    return len(line)
