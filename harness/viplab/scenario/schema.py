"""The JSON Schema of a scenario file, so that editors complete and check it as it is written."""

from __future__ import annotations

import json
from pathlib import Path

from viplab.scenario.model import Scenario
from viplab.tree import tree


def schema_path() -> Path:
    """Where the committed schema lies."""
    return tree() / "scenarios" / "schema.json"


def schema_text() -> str:
    """The schema as it has to be committed."""
    return json.dumps(Scenario.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
