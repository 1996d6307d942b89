"""Compiles modules into what `vipd.entry` loads: `python compiled.py FOLDER` writes them to standard output.

Docstrings, assertions and annotations are left out. At run time nobody reads them, and `typing.NamedTuple` would
compile the annotation of each field.

It runs in a process of its own, since what a process has loaded shows in the octets, and imports nothing of vipd.
"""

from __future__ import annotations

import ast
import marshal
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.copy_location(ast.Constant(None), node.annotation)  # a NamedTuple needs one
        self.generic_visit(node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        return None if node.module == "__future__" else node


def compiled(source: bytes, shown: str) -> bytes:
    """Compile a module; `shown` is its file in tracebacks."""
    tree = _WithoutAnnotations().visit(ast.parse(source))
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
