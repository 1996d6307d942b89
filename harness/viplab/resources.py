"""Where the files that come with viplab and are no code lie: scenarios, image recipes, claims, vipd's init script.

A wheel has them in the package, in `data/`; a checkout is laid out as that folder is, and its own files are used.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_PACKAGE = Path(str(files("viplab")))
_DATA = _PACKAGE / "data"


def checkout() -> Path | None:
    """Top of the checkout that this package runs from, None where it was installed from a wheel."""
    return None if _DATA.is_dir() else _PACKAGE.parents[1]


def resource(path: str) -> Path:
    """A file or folder by its path in the checkout, such as `scenarios`, wherever it is now."""
    return (checkout() or _DATA) / path
