"""A scenario to begin with: one that runs as it is, in a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

from viplab.errors import InputError
from viplab.resources import resource
from viplab.scenario.model import NAME_PATTERN


def new_scenario(name: str, folder: Path) -> Path:
    """Write `NAME.yaml` into a folder, and return its path.

    Raises:
        InputError: it is there already, the folder is not, or a scenario cannot have that name.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputError(f"{name!r}: a scenario's name is made of small letters, digits and dashes")
    text = resource("scenarios/template.yaml").read_text(encoding="utf-8").replace("NAME", name, 1)
    path = folder / f"{name}.yaml"
    schema = f"# yaml-language-server: $schema={resource('scenarios/schema.json')}\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(schema + text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    return path
