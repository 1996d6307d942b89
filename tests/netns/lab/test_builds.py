"""Two builds side by side in one run: a package of the installed keepalived, unpacked, and vipd as of a commit."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEEPALIVED = shutil.which("keepalived", path="/usr/sbin:/usr/local/sbin")


@pytest.mark.skipif(KEEPALIVED is None, reason="keepalived is not installed")
@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
def test_a_package_is_run_from_its_own_files_and_compared_with_what_is_installed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    (root / "DEBIAN/control").write_text(
        f"Package: keepalived\nVersion: 9.9\nArchitecture: {architecture}\nMaintainer: t\nDescription: t\n"
    )
    (root / "usr/sbin").mkdir(parents=True)
    shutil.copy(str(KEEPALIVED), root / "usr/sbin/keepalived")
    subprocess.run(["dpkg-deb", "--build", root, tmp_path / "new.deb"], check=True, capture_output=True)

    def viplab(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "viplab", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    subjects = ("--subject", "old=keepalived", "--subject", "new=keepalived@new.deb")
    done = viplab("run", "failover", "--lab", "netns", *subjects)
    assert done.returncode in (0, 2), done.stdout + done.stderr
    trials = json.loads((tmp_path / "results/runs/latest/summary.json").read_text())["trials"]
    versions = {trial["subject"]: trial["subject_version"] for trial in trials}
    assert versions["new"].startswith(f"{versions['old']}, package 9.9, SHA-256 ")
    assert all(trial["verdict"] != "fail" for trial in trials), done.stdout
    compared = viplab("compare", "latest", "--subject", "old", "--subject", "new")
    # One trial a side decides nothing, and what a busy machine left undecided does not either.
    assert compared.returncode == 2, compared.stdout + compared.stderr
