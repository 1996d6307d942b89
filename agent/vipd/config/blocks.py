"""Splits lines into words, and groups words into statements with their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vipd.config.source import Line, SourceError

_ESCAPES = {"a": "\a", "b": "\b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OPEN, _CLOSE, _END = "{", "}", "\n"
_DEEPEST = 32  # blocks of keepalived.conf go four deep


class Statement(NamedTuple):
    """A keyword with its values, and the block that follows it if there is one."""

    words: tuple[str, ...]
    file: str
    line: int
    body: tuple[Statement, ...] | None = None

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def values(self) -> tuple[str, ...]:
        """The words after it."""
        return self.words[1:]


def statements(lines: Iterable[Line]) -> tuple[Statement, ...]:
    """Group the lines of a file into statements, in their order.

    Raises:
        SourceError: braces or quotes do not match; there is no sense in reading on.
    """
    opened: list[tuple[Statement, list[Statement]]] = [(Statement(("",), "", 0), [])]
    words: list[str] = []
    where = Line("", "", 1)
    for where, word, structural in _words(lines):
        siblings = opened[-1][1]
        if not structural:
            words.append(word)
        elif word == _OPEN:
            if words:
                head = Statement(tuple(words), where.file, where.number)
                words = []
            elif siblings and siblings[-1].body is None:
                head = siblings.pop()  # the brace may stand on the line after its keyword
            else:
                raise SourceError(where.file, where.number, "'{': follows no keyword; write the keyword before it")
            opened.append((head, []))
            if len(opened) > _DEEPEST:
                raise SourceError(where.file, where.number, f"'{{': is more than {_DEEPEST} deep; close what is open")
        else:
            if words:
                siblings.append(Statement(tuple(words), where.file, where.number))
                words = []
            if word == _CLOSE:
                if len(opened) == 1:
                    raise SourceError(
                        where.file, where.number, "'}': closes nothing; remove it, or look for a '{' missing above"
                    )
                head, body = opened.pop()
                opened[-1][1].append(head._replace(body=tuple(body)))
    if len(opened) > 1:
        head = opened[-1][0]
        raise SourceError(head.file, head.line, f"{head.keyword}: its block is not closed; add a '}}'")
    return tuple(opened[0][1])


def _words(lines: Iterable[Line]) -> Iterator[tuple[Line, str, bool]]:
    """Every word with its line, and whether it is a brace or the end of a line rather than a word."""
    for line in lines:
        text = line.text
        if '"' in text or "'" in text:
            yield from ((line, word, structural) for word, structural in _quoted(line))
        elif _OPEN in text or _CLOSE in text:
            for word in text.replace(_OPEN, " { ").replace(_CLOSE, " } ").split():
                yield line, word, word in (_OPEN, _CLOSE)
        else:
            for word in text.split():
                yield line, word, False
        yield line, _END, True


def _quoted(line: Line) -> Iterator[tuple[str, bool]]:
    """The words of a line with quotes. They may begin within a word: ``ab" c "d`` is ``ab c d``."""
    text = line.text
    at, word, quote, begun = 0, "", "", False
    while at < len(text):
        char = text[at]
        at += 1
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and at < len(text):
                escaped, at = _escaped(text, at)
                word += escaped
            else:
                word += char
        elif char in "\"'":
            quote, begun = char, True
        elif char in "{}" or char.isspace():
            if word or begun:
                yield word, False
                word, begun = "", False
            if char in "{}":
                yield char, True
        else:
            word += char
    if quote:
        raise SourceError(line.file, line.number, f"{quote}: this quote is not closed on its line; close it")
    if word or begun:
        yield word, False


def _escaped(text: str, at: int) -> tuple[str, int]:
    """What a backslash and the characters from `at` on stand for, and where they end."""
    char = text[at]
    if char in _ESCAPES:
        return _ESCAPES[char], at + 1
    if char == "c" and at + 1 < len(text):
        return chr(ord(text[at + 1]) & 0x1F), at + 2
    digits, base, most = ("0123456789abcdefABCDEF", 16, 2) if char == "x" else ("01234567", 8, 3)
    begin = at + (base == 16)
    end = begin
    while end < min(len(text), begin + most) and text[end] in digits:
        end += 1
    if end > begin:
        return chr(int(text[begin:end], base) & 0xFF), end
    return char, at + 1
