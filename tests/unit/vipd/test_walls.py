"""The wall inside vipd: the protocol and the configuration do no I/O and read no clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vipd

PURE = ("behaviour", "conf", "config", "packet", "router", "table", "voice")
ALLOWED = {
    "__future__",
    "collections.abc",
    "difflib",
    "enum",
    "ipaddress",
    "struct",
    "typing",
    *(f"vipd.{name}" for name in PURE),
}


@pytest.mark.parametrize("name", PURE)
def test_the_pure_half_imports_nothing_that_could_do_io(name: str) -> None:
    tree = ast.parse((Path(vipd.__file__ or "").parent / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= ALLOWED
