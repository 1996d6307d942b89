"""Where the project's own data lies: scenarios, image recipes, reference claims, results."""

from __future__ import annotations

from pathlib import Path


def tree() -> Path:
    """Top of the checkout that this package runs from."""
    return Path(__file__).resolve().parents[2]
