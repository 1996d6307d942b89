"""Compiles modules into what `vipd.entry` loads: `python compiled.py FOLDER` writes them to standard output.

What only type checkers and readers need is left out: docstrings, assertions, annotations and the module `typing`, which
takes as long to import as a third of vipd. A `NamedTuple` becomes the namedtuple that `typing` would make of it.

It runs in a process of its own, since what a process has loaded shows in the octets, and imports nothing of vipd.
"""

from __future__ import annotations

import ast
import marshal
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path


class _Untyped(ast.NodeTransformer):
    def __init__(self) -> None:
        self._typing: set[str] = set()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        if node.module == "typing":
            self._typing |= {one.name for one in node.names}
            return ast.parse("from collections import namedtuple").body[0] if "NamedTuple" in self._typing else None
        return None if node.module == "__future__" else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        if node.value is None:
            return ast.Pass()
        return self.visit_Assign(ast.Assign([node.target], node.value))

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        if self._typing & {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}:
            node.value = ast.Constant(None)  # a name for a type
        self.generic_visit(node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | None:
        self.generic_visit(node)
        return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        bases = [one.id for one in node.bases if isinstance(one, ast.Name)]
        if "NamedTuple" in bases:
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
            made = ast.parse(f"namedtuple({node.name!r}, {[ast.unparse(one.target) for one in fields]!r}, defaults=())")
            call = made.body[0].value  # type: ignore[attr-defined]
            call.keywords[0].value.elts = [one.value for one in fields if one.value is not None]
            node.bases = [call]
            node.body = [*ast.parse("__slots__ = ()").body, *(one for one in node.body if one not in fields)]
        elif "Protocol" in bases:
            node.bases = []
        self.generic_visit(node)
        return node


def compiled(source: bytes, shown: str) -> bytes:
    """Compile a module; `shown` is its file in tracebacks."""
    tree = ast.fix_missing_locations(_Untyped().visit(ast.parse(source)))
    return marshal.dumps(compile(tree, shown, "exec", dont_inherit=True, optimize=2))


def main(folder: Path) -> None:
    """Write the modules of the packages in a folder, as `vipd.entry.Modules` reads them."""
    index, codes = {}, b""
    for path in sorted(folder.glob("*/**/*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        package = parts[-1] == "__init__"
        code = compiled(path.read_bytes(), f"vipd.pyz/{path.relative_to(folder).as_posix()}")
        index[".".join(parts[:-1] if package else parts)] = (package, len(codes), len(code))
        codes += code
    octets = marshal.dumps(index)
    sys.stdout.buffer.write(MAGIC_NUMBER + len(octets).to_bytes(4, "little") + octets + codes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
