"""The forms that warnings can be written in; apart from what writes them, so that `--help` needs none of it."""

from enum import StrEnum


class Form(StrEnum):
    """What `--format` may be."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
