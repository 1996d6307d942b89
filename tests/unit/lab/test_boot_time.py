"""How long a host took to boot is kept with its memory: it says how patient this machine has to be met."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("libvirt")

from viplab.lab.libvirt import lab
from viplab.lab.libvirt.guest import LibvirtGuest


class Booting:
    def boot(self) -> float:
        return 71.26

    def seed(self) -> None:
        pass

    def save(self, folder: Path) -> None:
        (folder / "memory.save").touch()


def test_a_boot_that_was_measured_is_found_beside_the_memory_and_none_beside_older_memory(tmp_path: Path) -> None:
    assert lab._boot_s(tmp_path) is None
    lab._boot(cast("LibvirtGuest", Booting()), tmp_path)
    assert lab._boot_s(tmp_path) == 71.3
