"""The JSON Schema of a scenario file, so that editors complete and check it as it is written."""

from __future__ import annotations

import json

from viplab.scenario.model import Scenario


def schema_text() -> str:
    """The schema as it has to be committed."""
    return json.dumps(Scenario.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
