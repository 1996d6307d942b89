"""A program of the machine that does not end is ended, later where the machine is slow."""

from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import LabError
from viplab.lab import mmdebstrap
from viplab.lab.command import run
from viplab.lab.image_recipe import Mmdebstrap, load_recipe
from viplab.lab.waiting import timeout_factor


def test_a_program_has_as_much_longer_as_the_machine_is_slower() -> None:
    with pytest.raises(LabError, match=r"^sleep: no end after 0\.1 s; it was killed$"):
        run(["sleep", "3600"], timeout_s=0.1)
    with timeout_factor(3), pytest.raises(LabError, match=r"^sleep: no end after 0\.3 s; it was killed$"):
        run(["sleep", "3600"], timeout_s=0.1)


def test_the_builder_of_images_has_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / "mmdebstrap"
    stuck.write_text("#!/bin/sh\nexec sleep 3600\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(mmdebstrap, "_LIMIT_S", 0.1)
    recipe = load_recipe("debian-12")
    assert isinstance(recipe.file, Mmdebstrap)
    with timeout_factor(2), pytest.raises(LabError, match=r"^mmdebstrap: no end after 0\.2 s"):
        mmdebstrap.build(recipe, recipe.file, tmp_path)
