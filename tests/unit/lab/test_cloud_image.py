"""Somebody's own disk, and what distributions publish: what is refused, before anything is started, and in one line."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from viplab.errors import HostError, InputError
from viplab.lab import cloud_image, image
from viplab.lab.image_recipe import CloudImage, Recipe

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="no qemu-img, which makes the disks")
AARCH64_ROOT = "b921b045-1df0-41c3-af44-4c6f280d3fae"
X86_64_ROOT = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"


def disk(path: Path, *, boot_code: bytes = b"\xeb\x63\x90", root: str | None = None) -> Path:
    """A qcow2 of one MiB with the beginning of a bootable one."""
    sectors = bytearray(1 << 20)
    sectors[: len(boot_code)] = boot_code
    if root is not None:
        sectors[512:520] = b"EFI PART"
        sectors[1024 + 128 : 1024 + 144] = uuid.UUID(root).bytes_le
    raw = path.with_suffix(".raw")
    raw.write_bytes(sectors)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    raw.unlink()
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "viplab"


@needs_qemu_img
@pytest.mark.parametrize("root", [None, X86_64_ROOT])
def test_a_disk_that_a_bios_can_boot_is_taken(root: str | None, tmp_path: Path) -> None:
    path = disk(tmp_path / "own disk.qcow2", root=root)
    assert image.known(str(path)) == str(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    assert image.image_name(str(path)) == f"own-disk.qcow2-{digest}"
    assert image.promised_packages(str(path)) is None


@needs_qemu_img
@pytest.mark.parametrize(
    ("boot_code", "root", "said"),
    [
        (b"\xeb\x63\x90", AARCH64_ROOT, "is for aarch64, as its partition table says, and guests here are x86_64"),
        (b"", AARCH64_ROOT, "is for aarch64"),
        (b"", X86_64_ROOT, "another architecture, or for UEFI alone"),
        (b"", None, "another architecture, or for UEFI alone"),
    ],
)
def test_a_disk_that_boots_no_guest_here_is_refused(
    boot_code: bytes, root: str | None, said: str, tmp_path: Path
) -> None:
    refused(str(disk(tmp_path / "own.qcow2", boot_code=boot_code, root=root)), said)


@needs_qemu_img
@pytest.mark.parametrize(
    ("options", "has"),
    [
        (["-b", "whole.qcow2", "-F", "qcow2", "-o", "compat=1.1"], "a backing file"),
        (["-b", "whole.qcow2", "-F", "qcow2", "-o", "compat=0.10"], "a backing file"),
        (["-o", "data_file=data"], "a data file"),
        (["-o", "compat=0.10"], None),
        (["-o", "compat=1.1,lazy_refcounts=on"], None),
    ],
)
def test_a_disk_that_is_not_whole_is_refused_until_it_is_made_so(
    options: list[str], has: str | None, tmp_path: Path
) -> None:
    """Its name in the cache would stay the same when the other file changes."""
    whole, path = disk(tmp_path / "whole.qcow2"), tmp_path / "own.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, path, "1M"], check=True, cwd=tmp_path)
    if has is None:
        subprocess.run(["qemu-img", "convert", "-n", "-O", "qcow2", whole, path], check=True, cwd=tmp_path)
    else:
        refused(
            str(path), f"has {has}, and only a disk that is one file is taken; `qemu-img convert -O qcow2 {path} NEW`"
        )
        if has == "a data file":
            subprocess.run(["qemu-img", "convert", "-n", "-O", "qcow2", whole, path], check=True, cwd=tmp_path)
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", path, tmp_path / "new.qcow2"], check=True, cwd=tmp_path)
        path = tmp_path / "new.qcow2"
    assert image.known(str(path)) == str(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is no qcow2"),
        (b"#!/bin/sh\n", "is no qcow2"),
        (b"QFI", "is no qcow2"),
        pytest.param(b"QFI\xfb" + struct.pack(">I", 3), "cannot be read as a qcow2", marks=needs_qemu_img),
        pytest.param(b"QFI\xfb" + bytes(4096), "cannot be read as a qcow2", marks=needs_qemu_img),
    ],
)
def test_a_file_that_is_no_disk_is_refused(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.qcow2"
    if content is not None:
        path.write_bytes(content)
    refused(str(path), said)


def refused(named: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        image.known(named)
    assert str(caught.value).startswith(f"{named}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_no_disk_and_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "own.qcow2"
    os.mkfifo(fifo)
    for path in (tmp_path, fifo):
        refused(str(path), "is no file")


@pytest.mark.parametrize(
    "text",
    [
        f"# a comment\nSHA256 (a.qcow2) = {'1' * 64}\nSHA256 (aa.qcow2) = {'2' * 64}\n",
        f"{'2' * 64}  aa.qcow2\n{'1' * 64}  a.qcow2\n",
        f"{'1' * 64} *a.qcow2\n{'2' * 64} *a.qcow2.bak\n",
    ],
)
def test_both_forms_of_a_list_of_sums_are_read(text: str) -> None:
    assert cloud_image.listed(text, "a.qcow2") == "1" * 64
    assert cloud_image.listed(text, "aXqcow2") is None


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address that it is published at."""
    folder = tmp_path / "published"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def fetched(url: str, *, sha256: str | None = None, checksums: str | None = None) -> Path:
    wanted = CloudImage(builder="cloud-image", url=url, sha256=sha256, checksums=checksums, packages=[])
    return cloud_image.fetched(Recipe(Path("el0"), Path("cloud"), wanted), wanted)


def test_a_published_disk_is_fetched_once_and_held_against_its_sum(published: tuple[Path, str], cache: Path) -> None:
    folder, address = published
    (folder / "el0.qcow2").write_bytes(b"disk")
    sha256 = hashlib.sha256(b"disk").hexdigest()
    path = fetched(f"{address}/el0.qcow2", sha256=sha256)
    assert path.read_bytes() == b"disk"
    (folder / "el0.qcow2").unlink()
    assert fetched(f"{address}/el0.qcow2", sha256=sha256) == path
    assert [found.name for found in (cache / "downloads").iterdir()] == ["el0.qcow2"]


def test_the_makers_list_has_the_sum_where_the_recipe_has_none(published: tuple[Path, str]) -> None:
    folder, address = published
    (folder / "el0.qcow2").write_bytes(b"disk")
    (folder / "SUMS").write_text(f"{hashlib.sha256(b'disk').hexdigest()}  el0.qcow2\n")
    assert fetched(f"{address}/el0.qcow2", checksums=f"{address}/SUMS").read_bytes() == b"disk"


@pytest.mark.parametrize(
    ("sha256", "checksums", "said"),
    [
        ("0" * 64, None, "is " + hashlib.sha256(b"disk").hexdigest() + ", not " + "0" * 64),
        (None, None, "no SHA-256 to hold"),
        (None, "SUMS", "no SHA-256 to hold"),
    ],
)
def test_another_file_or_one_without_a_sum_is_refused_and_not_kept(
    sha256: str | None, checksums: str | None, said: str, published: tuple[Path, str], cache: Path
) -> None:
    folder, address = published
    (folder / "el0.qcow2").write_bytes(b"disk")
    with pytest.raises(HostError) as caught:
        fetched(f"{address}/el0.qcow2", sha256=sha256, checksums=checksums and f"{address}/{checksums}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((cache / "downloads").iterdir())


def test_where_nothing_can_be_fetched_one_line_says_where_to_put_the_file(cache: Path) -> None:
    with pytest.raises(HostError) as caught:
        fetched("http://127.0.0.1:9/el0.qcow2", sha256="0" * 64)
    assert str(caught.value) == (
        "el0: http://127.0.0.1:9/el0.qcow2 cannot be fetched ([Errno 111] Connection refused); "
        f"put the file at {cache}/downloads/el0.qcow2, or name it: --image FILE.qcow2"
    )


def test_a_file_put_there_by_hand_is_taken_and_its_sum_told(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cloud_image.downloads_dir()
    (folder / "el0.qcow2").write_bytes(b"disk")
    assert fetched("http://127.0.0.1:9/el0.qcow2") == folder / "el0.qcow2"
    assert f"SHA-256 {hashlib.sha256(b'disk').hexdigest()}; none is known" in capsys.readouterr().err
    with pytest.raises(HostError, match="not 0000"):
        fetched("http://127.0.0.1:9/el0.qcow2", sha256="0" * 64)
    assert (folder / "el0.qcow2").exists(), "what somebody put there is not ours to remove"
