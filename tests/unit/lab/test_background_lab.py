"""A lab that stays up is ended from elsewhere, and whoever asks for that waits for the lab and not for its owner."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from viplab.lab import background_lab
from viplab.lab.background_lab import BackgroundLab
from viplab.lab.owner import born

OWNER = """
sleep 60 & lab=$!
trap 'kill $lab; wait $lab' TERM
echo $lab
n=0; while [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
"""


def test_down_returns_when_the_lab_is_gone_though_its_owner_still_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_lab, "NOTE", tmp_path / "lab.json")
    with subprocess.Popen(["sh", "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            inside = int(owner.stdout.readline())
            lab = BackgroundLab(owner.pid, born(owner.pid) or "", inside, None, {})
            background_lab.NOTE.write_text(json.dumps(asdict(lab)))
            background_lab.down()
            assert born(inside) is None
            assert owner.poll() is None
            assert background_lab.find() is None
        finally:
            owner.kill()
