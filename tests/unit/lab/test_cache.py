from __future__ import annotations

from pathlib import Path

import pytest

from viplab.lab.cache import make_once


def test_a_folder_appears_whole_and_is_made_once(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    assert make_once(target, lambda fresh: (fresh / "file").write_text("1") and None)
    assert not make_once(target, lambda fresh: pytest.fail("made twice"))
    assert (target / "file").read_text() == "1"


def test_a_failed_attempt_leaves_nothing(tmp_path: Path) -> None:
    def fail(fresh: Path) -> None:
        (fresh / "half").write_text("x")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        make_once(tmp_path / "thing", fail)
    assert [path.name for path in tmp_path.iterdir()] == [".thing.lock"]


def test_what_a_killed_attempt_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".thing.new-dead").mkdir()
    make_once(tmp_path / "thing", lambda fresh: None)
    assert not list(tmp_path.glob(".thing.new-*"))
