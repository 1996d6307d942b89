"""RPM packages as builds: what their header says, and one line where one cannot be taken."""

from __future__ import annotations

import io
import platform
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.subjects import registry
from viplab.subjects.rpm_build import read_header

needs_bsdtar = pytest.mark.skipif(shutil.which("bsdtar") is None, reason="no bsdtar, which unpacks RPM packages")
NAME, VERSION, RELEASE, ARCH = 1000, 1001, 1002, 1022


def header(**fields: str) -> bytes:
    """A header section with these string tags, as rpm writes it."""
    tags = {"name": NAME, "version": VERSION, "release": RELEASE, "arch": ARCH}
    data, index = b"", b""
    for name, text in fields.items():
        index += struct.pack(">IIII", tags[name], 6, len(data), 1)
        data += text.encode() + b"\0"
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", len(fields), len(data)) + index + data


def rpm(path: Path, *, kind: int = 0, program: str = "usr/sbin/keepalived", **fields: str) -> Path:
    """A package of one file."""
    root = path.with_suffix(".root")
    (root / program).parent.mkdir(parents=True)
    (root / program).write_text("#!/bin/sh\n")
    command = ["bsdtar", "--format=newc", "-czf", "-", "-C", root, "."]
    payload = subprocess.run(command, check=True, capture_output=True).stdout if shutil.which("bsdtar") else b""
    told = {"name": "keepalived", "version": "9.9", "release": "1.el9", "arch": platform.machine()} | fields
    lead = b"\xed\xab\xee\xdb\x03\x00" + struct.pack(">H", kind) + bytes(88)
    # As if for a signature: what follows it begins at a multiple of eight.
    signature = header(name="s" * 3)
    padding = bytes(-(len(lead) + len(signature)) % 8)
    path.write_bytes(lead + signature + padding + header(**told) + payload)
    return path


@needs_bsdtar
def test_a_package_is_a_subject_by_its_file(tmp_path: Path) -> None:
    named = registry.subject(f"keepalived@{rpm(tmp_path / 'keepalived-9.9-1.el9.rpm')}")
    assert named.label == "keepalived@9.9-1.el9"
    assert named.build is not None
    assert named.build.release == "9.9"
    assert named.build.version.startswith("package 9.9-1.el9, SHA-256 ")
    with tarfile.open(fileobj=io.BytesIO(named.build.archive)) as archive:
        assert "./usr/sbin/keepalived" in archive.getnames()
    again = registry.subject(f"keepalived@{tmp_path / 'keepalived-9.9-1.el9.rpm'}")
    assert again.build == named.build


@needs_bsdtar
@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="no rpmbuild, which makes a package of its own")
def test_a_package_that_rpm_itself_has_built_is_taken(tmp_path: Path) -> None:
    (tmp_path / "k.spec").write_text(
        "Name: keepalived\nVersion: 9.9\nRelease: 1\nSummary: t\nLicense: t\n%description\nt\n"
        "%install\nmkdir -p %{buildroot}/usr/sbin\necho '#!/bin/sh' >%{buildroot}/usr/sbin/keepalived\n"
        "%files\n/usr/sbin/keepalived\n"
    )
    command = ["rpmbuild", "--quiet", "-bb", "--define", f"_topdir {tmp_path / 'top'}", tmp_path / "k.spec"]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = (tmp_path / "top" / "RPMS").rglob("*.rpm")
    build = registry.subject(f"keepalived@{made}").build
    assert build is not None and build.version.startswith("package 9.9-1, SHA-256 ")


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"arch": "riscv64"}, 0, "is for riscv64, and hosts here are "),
        ({"name": "ucarp"}, 0, "is a package of ucarp, and the one of keepalived was asked for"),
        ({}, 1, "is a source package"),
        pytest.param({"program": "usr/bin/keepalived"}, 0, "has no /usr/sbin/keepalived", marks=needs_bsdtar),
    ],
)
def test_a_package_of_something_else_is_one_line(fields: dict[str, str], kind: int, said: str, tmp_path: Path) -> None:
    made = rpm(tmp_path / "k.rpm", kind=kind, **fields)
    with pytest.raises(InputError, match=said) as caught:
        registry.subject(f"keepalived@{made}")
    assert "\n" not in str(caught.value)


def test_no_beginning_of_a_package_is_a_package(tmp_path: Path) -> None:
    whole = rpm(tmp_path / "k.rpm").read_bytes()
    # Lead, signature, padding, and a header of four entries; the payload is bsdtar's to judge.
    end = whole.index(platform.machine().encode() + b"\0") + len(platform.machine()) + 1
    assert read_header(whole[:end])["name"] == "keepalived"
    for length in range(end):
        with pytest.raises((ValueError, struct.error)):
            read_header(whole[:length])


@pytest.mark.parametrize("content", [None, b"", b"no package", b"\xed\xab\xee\xdb" + bytes(200)])
def test_a_file_that_is_no_package_is_one_line(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "k.rpm"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"^[^\n]*k\.rpm: [^\n]*$"):
        registry.subject(f"keepalived@{path}")
