"""A daemon as an RPM package has it: `keepalived@PATH.rpm`.

What is asked of the package stands in its header (rpm's manual, "RPM V4 package format"); bsdtar reads its files,
whatever compressed them, so that neither needs rpm on this machine.
"""

from __future__ import annotations

import gzip
import hashlib
import platform
import struct
import tarfile
from io import BytesIO
from pathlib import Path

from viplab.errors import InputError
from viplab.subjects.build import Build, run

_LEAD = 96
_LEAD_MAGIC = b"\xed\xab\xee\xdb"
_HEADER = struct.Struct(">4s4xII")
"""Its magic, how many entries its index has, and how many octets what they point to."""
_HEADER_MAGIC = b"\x8e\xad\xe8\x01"
_ENTRY = struct.Struct(">IIII")
"""Tag, type, offset, and how many."""
_TAGS = {1000: "name", 1001: "version", 1002: "release", 1022: "architecture"}
_STRING = 6
_ALIGNED = 8
_SAME = {"i486": "i686", "i586": "i686", "i386": "i686"}


def from_rpm(package: str, source: str) -> Build:
    """The build in an RPM package.

    Raises:
        InputError: there is no such file, or it is no package, another one, or one for another architecture.
        HostError: this machine has no bsdtar.
    """
    path = Path(source).absolute()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror}") from None
    try:
        fields = read_header(content)
    except (ValueError, struct.error) as error:
        raise InputError(f"{source}: is no RPM package ({error})") from None
    if fields.get("name") != package:
        raise InputError(f"{source}: is a package of {fields.get('name')}, and the one of {package} was asked for")
    if fields["kind"] == "source":
        raise InputError(f"{source}: is a source package; take the archive in it, or the package that it makes")
    here, theirs = platform.machine(), fields.get("architecture", "")
    if _SAME.get(theirs, theirs) not in (here, "noarch"):
        raise InputError(f"{source}: is for {theirs}, and hosts here are {here}")
    files = run(source, ["bsdtar", "--format=pax", "-cf", "-", f"@{path}"])
    program = f"usr/sbin/{package}"
    with tarfile.open(fileobj=BytesIO(files)) as archive:
        if program not in (name.removeprefix("./") for name in archive.getnames()):
            raise InputError(f"{source}: has no /{program}")
    told = (
        f"package {fields.get('version')}-{fields.get('release')}, SHA-256 {hashlib.sha256(content).hexdigest()[:12]}"
    )
    return Build(str(path), fields.get("version"), told, gzip.compress(files, mtime=0))


def read_header(content: bytes) -> dict[str, str]:
    """Name, version, release and architecture of a package, and whether its `kind` is `binary` or `source`.

    Raises:
        ValueError: it is none.
        struct.error: it ends within its header.
    """
    if content[:4] != _LEAD_MAGIC:
        raise ValueError("it does not begin as one")
    (kind,) = struct.unpack_from(">H", content, 6)
    end, _ = _section(content, _LEAD)
    _, fields = _section(content, end + -end % _ALIGNED)
    return {"kind": "source" if kind else "binary", **fields}


def _section(content: bytes, at: int) -> tuple[int, dict[str, str]]:
    """Where a header ends that begins there, and what it says."""
    magic, entries, size = _HEADER.unpack_from(content, at)
    if magic != _HEADER_MAGIC:
        raise ValueError("it has no header")
    index = at + _HEADER.size
    data = index + entries * _ENTRY.size
    if data + size > len(content):
        raise ValueError("it ends within its header")
    fields = {}
    for number in range(entries):
        tag, kind, offset, _ = _ENTRY.unpack_from(content, index + number * _ENTRY.size)
        if tag in _TAGS and kind == _STRING and offset < size:
            said = content[data + offset : data + size].partition(b"\0")[0]
            fields[_TAGS[tag]] = said.decode("utf-8", "replace")
    return data + size, fields
