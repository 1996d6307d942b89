"""What a trial's scenario asks for, as it is read from the trial's folder: any of it may be missing or damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from viplab.untrusted_data import yaml_value

_PROSE = ("title", "story", "article", "expect", "once")
_MOST_STRIKES = 1000


def read_asked(text: str) -> dict[Any, Any]:
    """What a scenario's text says, empty where it cannot be read."""
    try:
        asked = yaml_value(text)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def digest(asked: Mapping[Any, Any]) -> str:
    """A digest of all that makes a scenario's trials what they are."""
    said = {key: value for key, value in asked.items() if key not in _PROSE}
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]


def own_configuration(asked: Mapping[Any, Any]) -> bool:
    """Whether a host was configured with a file of the user's, so that nothing of it is what the article had."""
    hosts = asked.get("hosts")
    nodes = hosts.values() if isinstance(hosts, dict) else ()
    return any(isinstance(node, dict) and node.get("keepalived_conf") is not None for node in nodes)


def steps(asked: Mapping[Any, Any], phase: str) -> Iterator[tuple[str, Any]]:
    """The steps of a phase, `setup` or `steps`, each with what it is given."""
    given = asked.get(phase)
    for step in given if isinstance(given, list) else []:
        if isinstance(step, dict):
            yield from ((str(name), argument) for name, argument in step.items())


def strikes(argument: Any) -> int:
    """How often a step strikes, by what it is given; no more of a hostile one than can be read."""
    repeat = argument.get("repeat", 1) if isinstance(argument, dict) else 1
    return min(repeat, _MOST_STRIKES) if isinstance(repeat, int) else 1
