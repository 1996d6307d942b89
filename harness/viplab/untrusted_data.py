"""JSON and YAML that may come from anywhere: bounded in nesting, and in what a number may be, before it is looked at.

Every number is finite and within 64 bits, so that no arithmetic on it can overflow or give a value that is none.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import yaml

LARGEST = 1 << 63
DEEPEST = 64
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(ValueError):
    """What is not taken for YAML: `why`, and in which `line` where that is known."""

    def __init__(self, why: str, mark: Any = None) -> None:
        """Say why, and where, as the parser marks it."""
        self.why, self.line = why, None if mark is None else int(mark.line) + 1
        super().__init__(why if self.line is None else f"line {self.line}: {why}")


def json_value(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or has a number that is not finite or out of range.
    """
    try:
        value = _JSON.decode(text if isinstance(text, str) else text.decode("utf-8"))
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None
    if _depth(value, 0) > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    return value


def yaml_value(text: str) -> Any:
    """What a YAML text says.

    Raises:
        YamlError: it is no YAML, is nested too deeply, has an alias, or a number that is out of range.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                why = f"the alias *{event.anchor} is not taken; write out what it stands for"
                raise YamlError(why, event.start_mark)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise YamlError(f"nested more than {DEEPEST} deep", event.start_mark)
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise YamlError(getattr(error, "problem", None) or str(error), getattr(error, "problem_mark", None)) from None
    _check_numbers(value)
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that can be computed with")


def _float(word: str) -> float:
    value = float(word)
    if abs(value) > LARGEST:
        raise ValueError(f"the number {word[:20]} is out of range")
    return value


def _int(word: str) -> int:
    if len(word) > 20 or abs(value := int(word)) > LARGEST:
        raise ValueError(f"the number {word[:20]} is out of range")
    return value


_JSON = json.JSONDecoder(parse_constant=_no_number, parse_float=_float, parse_int=_int)


def _check_numbers(value: Any) -> None:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, int | float) and not (math.isfinite(one) and abs(one) <= LARGEST):
            raise YamlError(f"the number {str(one)[:20]} is out of range")


def _depth(value: Any, above: int) -> int:
    """How deep lists and mappings stand within one another, counted no further than is needed."""
    if not isinstance(value, dict | list) or above > DEEPEST:
        return above
    members = value.values() if isinstance(value, dict) else value
    return max((_depth(member, above + 1) for member in members), default=above + 1)
