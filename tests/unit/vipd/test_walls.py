"""The wall inside vipd: the protocol and the configuration do no I/O and read no clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vipd

PURE = (
    "ah",
    "announcement",
    "behaviour",
    "blocks",
    "bursts",
    "checksum",
    "conf",
    "config",
    "counts",
    "dialect",
    "discard",
    "effects",
    "explain",
    "instances",
    "iplines",
    "keywords",
    "machine",
    "packet",
    "packet_v2",
    "packet_v3",
    "peculiar",
    "problems",
    "ration",
    "router",
    "saying",
    "source",
    "steps",
    "strict",
    "table",
    "values",
    "voice",
    "wording",
)
STANDARD = (
    "collections",
    "collections.abc",
    "difflib",
    "enum",
    "functools",
    "hmac",
    "ipaddress",
    "random",
    "re",
    "struct",
    "types",
)
ALLOWED = {"__future__", "typing", "vipd", *STANDARD, *(f"vipd.{name}" for name in PURE)}


@pytest.mark.parametrize("name", PURE)
def test_the_pure_half_imports_nothing_that_could_do_io(name: str) -> None:
    tree = ast.parse((Path(vipd.__file__ or "").parent / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= ALLOWED
