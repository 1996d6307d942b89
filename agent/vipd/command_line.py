"""Reads a command line as getopt(3) does: short options in a cluster, long ones by an unambiguous beginning.

Python's own getopt would do, but brings gettext and regular expressions with it, a sixth of the time of a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class UsageError(Exception):
    """The command line is wrong; the text says what is."""


def read(arguments: Iterable[str], short: str, long: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The options with their values, and what is no option with the name "", in their order.

    Args:
        arguments: without the name of the program.
        short: letters, each followed by `:` if it takes a value.
        long: names, each with a `=` at its end if it takes a value.

    Raises:
        UsageError: while iterating, at the first thing that is wrong.
    """
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            yield from (("", one) for one in rest)
        elif argument.startswith("--"):
            yield _long(argument, rest, [*long])
        elif argument.startswith("-") and argument != "-":
            yield from _cluster(argument, rest, short)
        else:
            yield "", argument


def _long(argument: str, rest: Iterator[str], known: list[str]) -> tuple[str, str]:
    given, has_value, value = argument[2:].partition("=")
    fitting = [one for one in known if one.rstrip("=") == given] or [one for one in known if one.startswith(given)]
    if len(fitting) != 1:
        raise UsageError(f"option --{given} {'not a unique prefix' if fitting else 'not recognized'}")
    name = fitting[0].rstrip("=")
    if name == fitting[0] and has_value:
        raise UsageError(f"option --{name} must not have an argument")
    if name != fitting[0] and not has_value:
        value = _following(f"--{name}", rest)
    return f"--{name}", value


def _cluster(argument: str, rest: Iterator[str], short: str) -> Iterator[tuple[str, str]]:
    for at, letter in enumerate(argument[1:], 2):
        place = short.find(letter)
        if place < 0 or letter == ":":
            raise UsageError(f"option -{letter} not recognized")
        if short[place + 1 : place + 2] == ":":
            yield f"-{letter}", argument[at:] or _following(f"-{letter}", rest)
            return
        yield f"-{letter}", ""


def _following(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise UsageError(f"option {name} requires argument")
    return value
