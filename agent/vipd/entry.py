"""The entry of `vipd.pyz`, there as `__main__`: it runs the modules that were compiled when the file was built.

Python would look for each module by itself, open the file for it, and keep a list of all that is in it; in an emulated
guest that takes seconds. A Python of another version compiles the sources, which are in the file as well.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER, spec_from_loader


class Modules:
    """Finds and loads compiled modules; it is a finder and a loader as `importlib.abc` has them.

    They follow the first line of the file: the mark of the Python that compiled them, the length of the index, the
    index with the place and length of each, and the modules. The file stays open, since it may be replaced.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        head = os.pread(self._file, 64, 0)
        at = head.index(b"\n") + 1
        length = int.from_bytes(head[at + 4 : at + 8], "little")
        self._from = at + 8 + length
        index = os.pread(self._file, length, at + 8)
        self._index: dict[str, tuple[bool, int, int]] = (
            marshal.loads(index) if head.startswith(MAGIC_NUMBER, at) else {}
        )

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """The specification of a module that is here."""
        if name not in self._index:
            return None
        return spec_from_loader(name, self, origin=name, is_package=self._index[name][0])  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """Let Python make the module."""

    def exec_module(self, module: object) -> None:
        """Read a module and run it."""
        _, at, length = self._index[module.__name__]  # type: ignore[attr-defined]
        exec(marshal.loads(os.pread(self._file, length, self._from + at)), module.__dict__)


if __name__ == "__main__":
    sys.meta_path.insert(0, Modules(sys.argv[0]))  # type: ignore[arg-type]
    from vipd.cli import main

    sys.exit(main())
