"""A cloud image that knows nothing of the bench: looked into, seeded, booted, and a case run on guests of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cloud_image import NEEDED, PACKAGES, make_cloud_image
from viplab.lab import cloud_image
from viplab.lab.image_recipe import CloudImage, Recipe
from viplab.resources import resource

missing = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"no {', '.join(missing)}: `./bootstrap cloud` brings them")


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("disk") / "debian-cloud.qcow2"
    make_cloud_image(path)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "viplab"


def viplab(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "viplab", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_case_runs_on_guests_of_a_cloud_image_and_the_run_says_which(disk: Path, cache: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = viplab("run", "case-a", "--subject", "keepalived", "--image", disk, "--results", runs, "--undecided", "pass")
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads((runs / "latest" / "run.json").read_text())["provenance"]
    assert run["image"] == cloud_image.name_of(disk)
    assert "keepalived" in run["packages"]["A"]
    # The file is not needed for more of the same.
    assert viplab("image", "list").stdout.startswith(cloud_image.name_of(disk))


def test_packages_are_installed_into_a_published_image(disk: Path, cache: Path, tmp_path: Path) -> None:
    shutil.copy(disk, cloud_image.downloads_dir() / disk.name)
    url = f"http://127.0.0.1:9/{disk.name}"
    wanted = CloudImage(
        builder="cloud-image", url=url, sha256=cloud_image.sha256(disk), packages=["keepalived", "ucarp"]
    )
    folder = tmp_path / "image"
    folder.mkdir()
    cloud_image.build(Recipe(tmp_path / "own", resource("vmimages/cloud"), wanted), wanted, folder)
    assert [path.name for path in folder.iterdir()] == ["base.qcow2"]


def test_a_disk_without_cloud_init_is_one_line_and_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    disk = tmp_path / "plain.qcow2"
    make_cloud_image(disk, [name for name in PACKAGES if name != "cloud-init"])
    done = viplab("run", "case-a", "--image", disk, "--results", tmp_path / "runs")
    assert done.returncode == 64, done.stderr
    assert done.stderr.strip().splitlines()[-1].endswith("take an image with cloud-init")
    assert "Traceback" not in done.stderr
    assert not [path for path in (cache / "memory").iterdir() if path.is_dir()]
