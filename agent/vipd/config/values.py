"""The forms that the values of a keyword may have: a `Form` describes itself in words, and reads values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.config.blocks import Statement
from vipd.config.model import Command

NAME_LIMIT = 15  # IFNAMSIZ less its terminating zero; labels too
_BOOLS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


class WrongError(Exception):
    """A statement is wrong; the caller adds its place and keyword."""


class FormError(WrongError):
    """A statement has too many or too few values, or a block; the caller adds the right form."""


class CorrectedError(Exception):
    """A statement is wrong in a way that keepalived corrects before it goes on; so does vipd, with a warning.

    Attributes:
        value: what the statement comes to, corrected.
    """

    def __init__(self, value: Any, text: str) -> None:
        super().__init__(text)
        self.value = value


class Words:
    """The words of a line, read one after the other."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)
        self._at = 0

    def __iter__(self) -> Words:
        return self

    def __next__(self) -> str:
        word = self.peek()
        if word is None:
            raise StopIteration
        self._at += 1
        return word

    def peek(self) -> str | None:
        """The next word, if there is one."""
        return self._words[self._at] if self._at < len(self._words) else None

    def after(self, of: str) -> str:
        """The next word, which has to be there; `of` is what it belongs to."""
        word = next(self, None)
        if word is None:
            raise WrongError(f"{self._words[-1] if self._words else of!r} of {of} has no value")
        return word


class Form(NamedTuple):
    """What may stand after a keyword.

    Attributes:
        text: for the manual, and for messages.
        read: makes a value of the statement, or raises `WrongError`. A dict fills several fields.
        adds: a keyword that is given again adds to what there is, where others replace it.
        most: how many values are looked at; keepalived reads over those that follow. None for all.
    """

    text: str
    read: Callable[[Statement], Any] | EachLine
    adds: bool = False
    most: int | None = None


def one(statement: Statement) -> str:
    """The single value of a statement."""
    if statement.body is not None:
        raise FormError("takes one value, not a block")
    if len(statement.words) != 2:
        raise FormError(f"takes one value, not {len(statement.words) - 1}")
    return statement.words[1]


def whole(text: str, low: int, high: int) -> int:
    """A whole number within its bounds."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits.isascii() and digits.isdigit() and len(digits) < 12 and low <= int(text) <= high:
        return int(text)
    raise WrongError(f"{text!r} is not a whole number from {low} to {high}")


def natural(text: str) -> int | None:
    """A number that is not negative, decimal, octal or hexadecimal as in C; None if it is none."""
    digits = text[1:] if text[:1] == "+" else text
    if not (digits.isascii() and digits[:1].isdigit() and digits.isalnum() and len(digits) < 25):
        return None
    octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
    try:
        return int(digits, 8 if octal else 0)
    except ValueError:
        return None


def network(text: str) -> str:
    """An address with its prefix length, which is the whole address where none is given."""
    address, slash, length = text.partition("/")
    found = ip_address(address)
    bits = 128 if ":" in found else 32
    return f"{found}/{prefix(length, bits) if slash else bits}"


def without_mask(text: str) -> str:
    """An address; keepalived reads over a mask that stands behind it."""
    return ip_address(text.partition("/")[0])


def nanoseconds(text: str, low: float, high: float) -> int:
    """A time in seconds, exact to the nanosecond."""
    before, _, after = text.partition(".")
    digits = before + after
    if digits.isascii() and digits.isdigit() and len(after) <= 9 and len(before) < 11:
        value = int(before or 0) * SECOND_NS + int(after.ljust(9, "0") or 0)
        if round(low * SECOND_NS) <= value <= round(high * SECOND_NS):
            return value
    raise WrongError(f"{text!r} is not a number of seconds from {low:.10g} to {high:.10g}")


def instead(word: str, known: Iterable[str]) -> str:
    """Suggest the known word that the user may have meant."""
    from difflib import get_close_matches  # only on the way to an error

    known = list(known)
    if not known:
        return "none is; define it"
    close = get_close_matches(word, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known are {', '.join(known)}" if len(known) < 40 else "the manual lists what is known"


def interface_name(name: str) -> str:
    """The name of an interface."""
    if not 1 <= len(name) <= NAME_LIMIT or "/" in name or name in (".", ".."):
        raise WrongError(f"{name!r} cannot be the name of an interface: 1 to {NAME_LIMIT} characters, none of them '/'")
    return name


def ip_address(text: str) -> str:
    """An address of either family, in its usual form."""
    return ipv6(text) if ":" in text else ipv4(text)


def ipv4(text: str) -> str:
    """A dotted quad."""
    parts = text.split(".")
    if len(parts) != 4 or not all(
        part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 and part == str(int(part))
        for part in parts
    ):
        raise WrongError(f"{text!r} is not an IPv4 address")
    return ".".join(str(int(part)) for part in parts)


def ipv6(text: str) -> str:
    """An IPv6 address, compressed."""
    from ipaddress import IPv6Address  # not before it is needed: it takes 4 ms to import

    try:
        return str(IPv6Address(text.partition("%")[0]))
    except ValueError:
        raise WrongError(f"{text!r} is not an IPv6 address") from None


def prefix(text: str, family_bits: int) -> int:
    """A prefix length; of IPv4 a dotted mask, too."""
    if "." in text and family_bits == 32:
        bits = "".join(f"{int(part):08b}" for part in ipv4(text).split("."))
        if "01" not in bits:
            return bits.count("1")
    elif text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= family_bits:
        return int(text)
    raise WrongError(f"the mask {text!r} is not a number from 0 to {family_bits}")


def boolean(word: str) -> bool:
    """One of keepalived's six words."""
    if word not in _BOOLS:
        raise WrongError(f"{word!r} is not one of {', '.join(_BOOLS)}")
    return _BOOLS[word]


def command(words: tuple[str, ...]) -> Command:
    """A program with its words: `"program word 'two words'" [user [group]]`."""
    if not 1 <= len(words) <= 3:
        raise WrongError(f"takes a command, and perhaps a user and a group, not {len(words)} values")
    argv = split_command(words[0])
    return Command(argv, *words[1:])


def split_command(text: str) -> tuple[str, ...]:
    """The words of a command; single quotes keep blanks together.

    There is no shell, as there is none with keepalived, but for `< /FILE`, which asks whether a file can be opened.
    """
    if text[:1] == "<" and text[1:].lstrip(" \t").startswith("/"):
        return "/bin/sh", "-c", text
    words, word, quoted, begun = [], "", False, False
    for char in text:
        if char == "'":
            quoted, begun = not quoted, True
        elif char.isspace() and not quoted:
            if word or begun:
                words.append(word)
            word, begun = "", False
        else:
            word += char
    if quoted:
        raise WrongError(f"a single quote in {text!r} is not closed")
    if word or begun:
        words.append(word)
    if not words or not words[0]:
        raise WrongError(f"{text!r} names no program; write the whole path of one, or its name to look up in PATH")
    if any("\0" in word for word in words):
        raise WrongError("a NUL cannot be part of a command")
    return tuple(words)


# -- forms


def text() -> Form:
    """Any single word."""
    return Form("STRING", one, most=1)


def nothing(value: Any) -> Form:
    """A keyword that stands alone and has this value."""

    def read(statement: Statement) -> Any:
        if statement.body is not None or len(statement.words) != 1:
            raise WrongError("stands alone; remove what follows it")
        return value

    return Form("", read, most=0)


def integer(low: int, high: int) -> Form:
    """A whole number."""
    return Form(f"{low}-{high}", lambda statement: whole(one(statement), low, high), most=1)


def seconds(low: float, high: float) -> Form:
    """A time, given in seconds."""
    return Form(f"SECONDS ({low:.10g}-{high:.10g})", lambda statement: nanoseconds(one(statement), low, high), most=1)


def flag() -> Form:
    """A keyword that means yes, whatever stands after it: keepalived reads over `no`, too."""
    return nothing(True)


def switch() -> Form:
    """A boolean; the keyword alone means yes."""

    def read(statement: Statement) -> bool:
        if len(statement.words) == 1 and statement.body is None:
            return True
        return boolean(one(statement))

    return Form("[BOOL]", read, most=1)


def choice(**values: Any) -> Form:
    """One of a few words."""

    def read(statement: Statement) -> Any:
        value = one(statement)
        if value not in values:
            raise WrongError(f"{value!r} is not one of {', '.join(values)}")
        return values[value]

    return Form("|".join(values), read, most=1)


def words(least: int, most: int, shown: str) -> Form:
    """Some words; more of them are read over."""

    def read(statement: Statement) -> tuple[str, ...]:
        if statement.body is not None or not least <= len(statement.values) <= most:
            raise WrongError(f"takes {shown}")
        return statement.values

    return Form(shown, read, most=most)


def interface() -> Form:
    """The name of an interface."""
    return Form("IFACE", lambda statement: interface_name(one(statement)), most=1)


def address() -> Form:
    """An IPv4 or IPv6 address, whatever mask it has."""
    return Form("ADDRESS", lambda statement: without_mask(one(statement)), most=1)


def group(*families: int) -> Form:
    """A multicast address of one of these families, of either if none is named."""

    def read(statement: Statement) -> str:
        text = ip_address(one(statement))
        family = 6 if ":" in text else 4
        if not (text.startswith("ff") if family == 6 else 224 <= int(text.partition(".")[0]) <= 239):
            raise WrongError(f"{text} is not a multicast address; IPv4 has 224.0.0.0 to 239.255.255.255, IPv6 ff00::/8")
        if families and family not in families:
            raise WrongError(f"{text} is of IPv{family}; write one of IPv{families[0]}")
        return text

    return Form("ADDRESS", read, most=1)


def script() -> Form:
    """A command, with the user and group that it runs as."""

    def read(statement: Statement) -> Command:
        if statement.body is not None:
            raise WrongError("takes a command, not a block")
        return command(statement.values)

    return Form('"PROGRAM [WORD ...]" [USER [GROUP]]', read, most=3)


def lines(statement: Statement) -> tuple[Statement, ...]:
    """The lines of a block that has no blocks within it."""
    if statement.body is None or len(statement.words) != 1:
        raise WrongError(f"takes a block: {statement.keyword} {{ ... }}")
    return statement.body


def each(shown: str, read: Callable[..., Any], named: bool = False) -> Form:
    """A block of lines that are read one by one; the parser lists the errors of each (see `EachLine`)."""
    return Form(f"{{ {shown} ... }}", EachLine(read, named), adds=True)


class EachLine:
    """Marks a block whose lines are wrong one by one.

    Attributes:
        line: reads one.
        named: it takes the names of `iproute_names`, too.
    """

    def __init__(self, line: Callable[..., Any], named: bool) -> None:
        self.line = line
        self.named = named


def anything() -> Form:
    """Any values: the keyword has no effect here."""

    def read(statement: Statement) -> bool:
        if statement.body is not None:
            raise FormError("takes no block")
        return True

    return Form("...", read)


def block(*known: str) -> Form:
    """A block that has no effect here, with or without a name; its lines begin with these words, if any are given."""

    def read(statement: Statement) -> bool:
        if statement.body is None:
            raise FormError("takes a block")
        for line in statement.body:
            if known and line.keyword not in known:
                raise WrongError(f"{line.keyword!r} is not known here; {instead(line.keyword, known)}")
        return True

    return Form("{ ... }", read)
