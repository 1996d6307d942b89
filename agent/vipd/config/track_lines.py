"""Reads the lines of the blocks that track something: `NAME [weight N [reverse]]`."""

from __future__ import annotations

from collections.abc import Callable

from vipd.config.blocks import Statement
from vipd.config.values import Words, WrongError, instead, interface_name, whole


def tracked(kind: str, limit: int) -> Callable[[Statement], tuple[str, str, int | None, bool | None, Statement]]:
    """`NAME [weight N [reverse|noreverse]]` in a track block: what, which, weight and direction if given, where."""

    def read(line: Statement) -> tuple[str, str, int | None, bool | None, Statement]:
        name = interface_name(line.keyword) if kind == "interface" else line.keyword
        weight, reverse = weighted(line.values, limit)
        return kind, name, weight, reverse, line._replace(words=(f"track_{kind}",))

    return read


def weighted(values: tuple[str, ...], limit: int) -> tuple[int | None, bool | None]:
    """`[weight N [reverse|noreverse]]`; None for what is left out. keepalived reads over what follows."""
    weight: int | None = None
    reverse: bool | None = None
    rest = Words(values)
    for word in rest:
        if word == "weight" and weight is None:
            weight = whole(rest.after("what is tracked"), -limit, limit)
        elif word in ("reverse", "noreverse", "no_reverse") and weight is not None:
            reverse = word == "reverse"
            break
        elif word in ("weight", "reverse", "noreverse", "no_reverse"):
            raise WrongError(f"{word!r} stands in the wrong place; write: weight N [reverse|noreverse]")
        else:
            raise WrongError(f"{word!r} is not known here; {instead(word, ['weight', 'reverse', 'noreverse'])}")
    return weight, reverse
