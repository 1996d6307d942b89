"""Writes a file anew with the bench's names, word by word in place: every other octet stays what it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from viplab.config.given import Given
from viplab.config.renaming import Renaming, walk
from viplab.config.roles import Role, address, roles
from viplab.config.words import Spelled, Word
from viplab.errors import InputError
from viplab.keepalived_files import Place

_ON_THE_BENCH = ("eth0", "eth1", "eth2", "lo")


@dataclass(frozen=True)
class Rewritten:
    """A word that was changed: where, of which keyword, from what and into what."""

    place: Place
    keyword: str
    old: str
    new: str

    def __str__(self) -> str:
        """As `one.conf:12: interface ens192 -> eth1`."""
        return f"{self.place}: {self.keyword} {self.old} -> {self.new}"


def rewritten(given: Given, names: Renaming) -> tuple[Given, list[Rewritten]]:
    """The file with the bench's names, and what was changed, in the order of its lines.

    Raises:
        InputError: a name or an address is put together of parameters, so that there is no word to rewrite.
    """
    changes: dict[Word, tuple[str, str]] = {}
    for keyword, word, new in _changes(given, names):
        if new != word.text:
            changes.setdefault(word, (keyword, new))
    by_line: defaultdict[int, list[Word]] = defaultdict(list)
    for word in changes:
        by_line[word.line].append(word)
    lines = list(given.lines)
    for number, words in by_line.items():
        for word in sorted(words, key=lambda word: word.begin, reverse=True):
            lines[number] = lines[number][: word.begin] + changes[word][1] + lines[number][word.end :]
    made = replace(given, lines=tuple(lines))
    _check(made, names)
    ordered = sorted(changes, key=lambda word: (word.line, word.begin))
    return made, [Rewritten(given.origin[one.line], changes[one][0], one.text, changes[one][1]) for one in ordered]


def _changes(given: Given, names: Renaming) -> Iterator[tuple[str, Word, str]]:
    spelling = given.spelling
    for path, one in _spelled(spelling.statements, ()):
        texts = one.texts
        for at, role in roles(path, texts):
            if "$" not in texts[at]:
                yield texts[at - 1] if at else path[-1], one.words[at], names.name(given.host, role, texts, at)
    for word in spelling.values:
        yield "parameter", word, names.anything(given.host, word.text)


def _spelled(statements: Sequence[Spelled], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Spelled]]:
    for one in statements:
        yield path, one
        yield from _spelled(one.body or (), (*path, one.texts[0]))


def _check(made: Given, names: Renaming) -> None:
    """See to it that the expanded file has no name left that the bench does not have."""
    for path, statement in walk(made.statements):
        for at, role in roles(path, statement.words):
            word = statement.words[at]
            left = role is Role.INTERFACE and word in names.interfaces[made.host] and word not in _ON_THE_BENCH
            virtual = str(address(word)) if role is Role.VIRTUAL else ""
            if left or (virtual in names.virtual and virtual not in names.virtual.values()):
                why = "is put together of parameters, and cannot be rewritten; write it out"
                raise InputError(f"{made.place(statement)}: {word} {why}")
