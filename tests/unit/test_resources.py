from __future__ import annotations

from pathlib import Path

import pytest

from viplab import resources, store

REPOSITORY = Path(__file__).parents[2]


def test_a_checkout_uses_its_own_files() -> None:
    assert resources.checkout() == REPOSITORY
    assert resources.resource("scenarios") == REPOSITORY / "scenarios"


def test_a_wheel_s_files_lie_in_the_package_and_have_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_DATA", tmp_path)
    assert resources.checkout() is None
    assert resources.resource("scenarios") == tmp_path / "scenarios"
    assert store.commit() is None
