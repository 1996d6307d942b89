"""What was found, written: as text with FILE:LINE, as JSON, and as SARIF 2.1.0 for code hosts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from viplab.keepalived_files import Place
from viplab.lint.finding import Rule
from viplab.lint.form import Form
from viplab.lint.rules import RULES, Warned

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def written(warned: Sequence[Warned], form: Form) -> str:
    """The warnings in that form, with the line feed at its end; nothing for none in text."""
    return {Form.TEXT: _text, Form.JSON: _json, Form.SARIF: _sarif}[form](warned)


def _text(warned: Sequence[Warned]) -> str:
    return "".join(
        f"{one.found.place}: {one.rule.name}: {one.found.text} (scenario {one.rule.scenario}: {one.rule.shown})\n"
        for one in warned
    )


def _json(warned: Sequence[Warned]) -> str:
    return _dumped(
        [
            {
                "file": one.found.place.file,
                "line": one.found.place.line,
                "rule": one.rule.name,
                "text": one.found.text,
                "scenario": one.rule.scenario,
                "other": str(one.found.other) if one.found.other else None,
            }
            for one in warned
        ]
    )


def _sarif(warned: Sequence[Warned]) -> str:
    driver = {"name": "viplab lint", "rules": [_described(rule) for rule in RULES]}
    results = [
        {
            "ruleId": one.rule.name,
            "ruleIndex": RULES.index(one.rule),
            "level": "warning",
            "message": {"text": f"{one.found.text} (scenario {one.rule.scenario}: {one.rule.shown})"},
            "locations": [_location(one.found.place)],
            **({"relatedLocations": [_location(one.found.other)]} if one.found.other else {}),
        }
        for one in warned
    ]
    return _dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]})


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.danger},
        "help": {"text": f"`viplab run {rule.scenario}` shows it: {rule.shown}."},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"scenario": rule.scenario},
    }


def _location(place: Place) -> dict[str, Any]:
    path = Path(place.file)
    # A file's name need not be UTF-8, and a colon in it must not look like the end of a scheme.
    named = "file://" if path.is_absolute() else ""
    uri = named + quote(path.as_posix().encode(errors="surrogateescape"))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": place.line}}}


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
