"""Read keepalived.conf: text in, a `Config` or all of its errors out.

The form is keepalived's: one statement a line, words separated by blanks, a block in braces, comments from `#` or
`!` to the end of the line, words in double or single quotes. What a keyword takes is one line in a table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from vipd.behaviour import SECOND_NS
from vipd.config import Config, Globals, RouterConfig, VirtualAddress

_NAME_LIMIT = 15  # IFNAMSIZ less its terminating zero; labels too
_SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has one line, with file and line number, for each thing wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _WrongError(Exception):
    """What is wrong with one statement; the reader adds where."""


class Statement(NamedTuple):
    """A line, and the block that follows it if there is one."""

    words: tuple[str, ...]
    line: int
    body: tuple[Statement, ...] | None

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0]


class Keyword(NamedTuple):
    """What a keyword fills in, and how its statement is read."""

    field: str
    read: Callable[[Statement], Any]


def parse(text: str, file: str) -> Config:
    """The configuration in `text`.

    Args:
        text: of a keepalived.conf.
        file: its name, for messages.

    Raises:
        ConfigError: with every error there is, not only the first.
    """
    reader = _Reader(file)
    try:
        statements = _statements(text)
    except _SyntaxError as error:
        raise ConfigError([f"{file}:{error.line}: {error}"]) from None
    config = reader.config(statements)
    if reader.problems:
        raise ConfigError(
            [f"{file}:{line}: {text}" for line, text in sorted(reader.problems, key=lambda item: item[0])]
        )
    return config._replace(size=len(text))


# -- words and blocks


class _SyntaxError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def _words(text: str) -> Iterator[tuple[str, int, bool]]:
    """(word, line, quoted) of every word; braces are words of their own, and so is the end of each line."""
    for number, line in enumerate(text.split("\n"), 1):
        at, word = 0, ""
        while at < len(line):
            char = line[at]
            if char in "\"'" and not word:
                end = line.find(char, at + 1)
                if end < 0:
                    raise _SyntaxError(number, f"the quote {char} is not closed on this line; close it")
                yield line[at + 1 : end], number, True
                at = end + 1
                continue
            if char in "#!{}" or char.isspace():
                if word:
                    yield word, number, False
                    word = ""
                if char in "#!":
                    break
                if char in "{}":
                    yield char, number, False
            else:
                word += char
            at += 1
        if word:
            yield word, number, False
        yield "\n", number, False


def _statements(text: str) -> tuple[Statement, ...]:
    opened: list[tuple[tuple[str, ...], int, list[Statement]]] = [((), 0, [])]
    words: list[str] = []
    for word, line, quoted in _words(text):
        siblings = opened[-1][2]
        if quoted or word not in ("\n", "{", "}"):
            words.append(word)
            continue
        if word == "{" and not words:
            # The brace may stand on the line after its keyword.
            if not siblings or siblings[-1].body is not None:
                raise _SyntaxError(line, "'{' follows no keyword; write the keyword before it")
            last = siblings.pop()
            opened.append((last.words, last.line, []))
        elif word == "{":
            opened.append((tuple(words), line, []))
            words = []
        else:
            if words:
                siblings.append(Statement(tuple(words), line, None))
                words = []
            if word == "}":
                if len(opened) == 1:
                    raise _SyntaxError(line, "'}' closes nothing; remove it, or look for a '{' that is missing above")
                head, head_line, body = opened.pop()
                opened[-1][2].append(Statement(head, head_line, tuple(body)))
    if len(opened) > 1:
        head, head_line, _ = opened[-1]
        raise _SyntaxError(head_line, f"the block of {head[0]!r} is not closed; add a '}}'")
    return tuple(opened[0][2])


# -- what a statement may hold


def _value(statement: Statement) -> str:
    if statement.body is not None:
        raise _WrongError(f"{statement.keyword!r} takes one value, not a block")
    if len(statement.words) != 2:
        raise _WrongError(f"{statement.keyword!r} takes one value, not {len(statement.words) - 1}")
    return statement.words[1]


def _nothing(value: bool) -> Callable[[Statement], bool]:
    def read(statement: Statement) -> bool:
        if statement.body is not None or len(statement.words) != 1:
            raise _WrongError(f"{statement.keyword!r} stands alone; remove what follows it")
        return value

    return read


def _integer(low: int, high: int) -> Callable[[Statement], int]:
    def read(statement: Statement) -> int:
        value = _value(statement)
        if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
            raise _WrongError(f"{statement.keyword} {value!r} is not a whole number from {low} to {high}")
        return int(value)

    return read


def _seconds(high: int) -> Callable[[Statement], int]:
    def read(statement: Statement) -> int:
        value = _value(statement)
        whole, _, part = value.partition(".")
        digits = whole + part
        if not (
            digits.isascii() and digits.isdigit() and len(part) <= 9 and len(whole) < 6 and int(whole or 0) <= high
        ):
            raise _WrongError(f"{statement.keyword} {value!r} is not a number of seconds from 0 to {high}")
        return int(whole or 0) * SECOND_NS + int(part.ljust(9, "0"))

    return read


def _choice(**values: Any) -> Callable[[Statement], Any]:
    def read(statement: Statement) -> Any:
        value = _value(statement)
        if value not in values:
            raise _WrongError(f"{statement.keyword} {value!r} is not one of {', '.join(values)}")
        return values[value]

    return read


def _interface_name(name: str) -> str:
    if not 1 <= len(name) <= _NAME_LIMIT or "/" in name or name in (".", ".."):
        raise _WrongError(
            f"{name!r} cannot be the name of an interface: 1 to {_NAME_LIMIT} characters, none of them '/'"
        )
    return name


def _interface(statement: Statement) -> str:
    return _interface_name(_value(statement))


def _lines(statement: Statement) -> tuple[Statement, ...]:
    if statement.body is None or len(statement.words) != 1:
        raise _WrongError(f"{statement.keyword!r} takes a block: {statement.keyword} {{ ... }}")
    for line in statement.body:
        if line.body is not None:
            raise _WrongError(f"there is no block {line.keyword!r} in {statement.keyword}")
    return statement.body


def _interfaces(statement: Statement) -> tuple[str, ...]:
    names = []
    for line in _lines(statement):
        if len(line.words) != 1:
            raise _WrongError(
                f"interface {line.keyword!r}: {line.words[1]!r} is not supported; vipd tracks without weights"
            )
        names.append(_interface_name(line.keyword))
    return tuple(names)


def _dotted_quad(text: str) -> str:
    parts = text.split(".")
    if len(parts) != 4 or not all(
        part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts
    ):
        raise _WrongError(f"{text!r} is not an IPv4 address")
    return ".".join(str(int(part)) for part in parts)


def _scope(text: str) -> int:
    if text in _SCOPES:
        return _SCOPES[text]
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < 256:
        return int(text)
    raise _WrongError(f"scope {text!r} is neither a number up to 255 nor one of {', '.join(_SCOPES)}")


def _label(text: str) -> str:
    if not 1 <= len(text) <= _NAME_LIMIT:
        raise _WrongError(f"label {text!r} is longer than {_NAME_LIMIT} characters")
    return text


_ADDRESS_OPTIONS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "brd": ("broadcast", _dotted_quad),
    "broadcast": ("broadcast", _dotted_quad),
    "dev": ("device", _interface_name),
    "label": ("label", _label),
    "scope": ("scope", _scope),
}


def _address(line: Statement) -> VirtualAddress:
    address, slash, length = line.keyword.partition("/")
    if slash and not (length.isascii() and length.isdigit() and len(length) <= 2 and int(length) <= 32):
        raise _WrongError(f"{line.keyword!r}: the mask is not a number from 0 to 32")
    fields: dict[str, Any] = {}
    rest = iter(line.words[1:])
    for option in rest:
        if option not in _ADDRESS_OPTIONS:
            raise _WrongError(f"{option!r} is not known in a virtual_ipaddress; {_instead(option, _ADDRESS_OPTIONS)}")
        value = next(rest, None)
        if value is None:
            raise _WrongError(f"{option!r} of {line.keyword} has no value")
        field, read = _ADDRESS_OPTIONS[option]
        fields[field] = read(value)
    return VirtualAddress(_dotted_quad(address), int(length) if slash else 32, fields.pop("device", ""), **fields)


def _instead(word: str, known: dict[str, Any]) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(word, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


# -- the keywords

_GLOBAL = {"router_id": Keyword("router_id", _value)}

_WITHOUT_EFFECT = ("notification_email", "notification_email_from", "smtp_server", "smtp_connect_timeout")

_INSTANCE = {
    "state": Keyword("initial_master", _choice(MASTER=True, BACKUP=False)),
    "interface": Keyword("interface", _interface),
    "virtual_router_id": Keyword("vrid", _integer(1, 255)),
    "priority": Keyword("priority", _integer(1, 255)),
    "advert_int": Keyword("advert_int_ns", lambda statement: _integer(1, 255)(statement) * SECOND_NS),
    "nopreempt": Keyword("preempt", _nothing(False)),
    "preempt": Keyword("preempt", _nothing(True)),
    "preempt_delay": Keyword("preempt_delay_ns", _seconds(1000)),
    "garp_master_delay": Keyword("garp_delay_ns", _seconds(1000)),
    "garp_master_repeat": Keyword("garp_repeat", _integer(1, 100)),
    "track_interface": Keyword("tracked", _interfaces),
    "virtual_ipaddress": Keyword("addresses", lambda statement: statement),  # its lines fail one by one
}

_REQUIRED = {"interface": "interface", "vrid": "virtual_router_id", "addresses": "virtual_ipaddress"}


class _Reader:
    """Collects routers and problems from the statements of one file."""

    def __init__(self, file: str) -> None:
        self.problems: list[tuple[int, str]] = []
        self._file = file
        self._warnings: list[str] = []
        self._router_id: str | None = None
        self._routers: dict[str, RouterConfig] = {}

    def config(self, statements: tuple[Statement, ...]) -> Config:
        blocks = {"global_defs": self._global_defs, "vrrp_instance": self._instance}
        for statement in statements:
            read = blocks.get(statement.keyword)
            if read is None:
                self._unknown(statement, "keepalived.conf", blocks)
            elif statement.body is None:
                self._wrong(statement, f"{statement.keyword!r} takes a block: {statement.keyword} ... {{ ... }}")
            else:
                read(statement, statement.body)
        if not self._routers and not self.problems:
            self.problems.append((1, "there is no vrrp_instance; vipd would have nothing to do"))
        return Config(tuple(self._routers.values()), globals=Globals(self._router_id), warnings=tuple(self._warnings))

    def _global_defs(self, _: Statement, body: tuple[Statement, ...]) -> None:
        for line in body:
            if line.keyword in _WITHOUT_EFFECT:
                self._warn(line, f"{line.keyword} has no effect: vipd sends no mail")
            elif line.keyword not in _GLOBAL:
                self._unknown(line, "global_defs", _GLOBAL)
            else:
                self._router_id = self._tried(line, _GLOBAL[line.keyword].read)

    def _instance(self, head: Statement, body: tuple[Statement, ...]) -> None:
        if len(head.words) != 2:
            self._wrong(head, "a vrrp_instance has one name: vrrp_instance NAME { ... }")
            return
        name = head.words[1]
        before = len(self.problems)
        if name in self._routers:
            self._wrong(head, f"there is a vrrp_instance {name!r} already; give this one another name")
        fields: dict[str, Any] = {}
        for line in body:
            keyword = _INSTANCE.get(line.keyword)
            if keyword is None:
                self._unknown(line, "vrrp_instance", _INSTANCE)
            elif line.keyword == "virtual_ipaddress":
                fields["addresses"] = (*fields.get("addresses", ()), *self._addresses(line))
            else:
                fields[keyword.field] = self._tried(line, keyword.read)
        missing = [keyword for field, keyword in _REQUIRED.items() if not fields.get(field)]
        if len(self.problems) == before and missing:
            self._wrong(head, f"vrrp_instance {name!r} has no {', no '.join(missing)}; add it")
        if len(self.problems) == before:
            self._add(head, RouterConfig(name=name, **fields))

    def _addresses(self, block: Statement) -> tuple[VirtualAddress, ...]:
        found = (self._tried(line, _address) for line in self._tried(block, _lines) or ())
        return tuple(address for address in found if address is not None)

    def _add(self, head: Statement, router: RouterConfig) -> None:
        for other in self._routers.values():
            if (other.interface, other.vrid) == (router.interface, router.vrid):
                self._wrong(head, f"virtual_router_id {router.vrid} on {router.interface} is {other.name!r}'s already")
        if len(router.addresses) > 255:
            self._wrong(head, f"{len(router.addresses)} addresses do not fit in an advert; 255 do")
        if not router.preempt and router.initial_master:
            self._warn(head, "nopreempt has its effect only with state BACKUP")
        addresses = tuple(
            address if address.device else address._replace(device=router.interface) for address in router.addresses
        )
        self._routers[router.name] = router._replace(addresses=addresses)

    def _tried(self, statement: Statement, read: Callable[[Statement], Any]) -> Any:
        try:
            return read(statement)
        except _WrongError as error:
            self._wrong(statement, str(error))
            return None

    def _unknown(self, statement: Statement, where: str, known: dict[str, Any]) -> None:
        instead = _instead(statement.keyword, known)
        self._wrong(statement, f"keyword {statement.keyword!r} is not known in {where}; {instead}")

    def _wrong(self, statement: Statement, text: str) -> None:
        self.problems.append((statement.line, text))

    def _warn(self, statement: Statement, text: str) -> None:
        self._warnings.append(f"{self._file}:{statement.line}: {text}")
