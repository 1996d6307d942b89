"""What a shell offers where a word is to be completed; nothing where it cannot tell."""

from __future__ import annotations

from collections.abc import Iterable

from viplab.errors import ViplabError


def scenarios(incomplete: str) -> list[str]:
    """Scenarios and suites."""
    from viplab.scenario.load import scenario_files, suites

    try:
        return _beginning(incomplete, [*suites(), *scenario_files(), "all"])
    except ViplabError:
        return []


def subjects(incomplete: str) -> list[str]:
    """Daemons."""
    from viplab.subjects.registry import names

    return _beginning(incomplete, names())


def labs(incomplete: str) -> list[str]:
    """Kinds of lab."""
    from viplab.lab.registry import names

    return _beginning(incomplete, names())


def runs(incomplete: str) -> list[str]:
    """Runs, the newest first."""
    from viplab.store import RunStore

    return _beginning(incomplete, ["latest", *(run.path.name for run in RunStore().runs())])


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
