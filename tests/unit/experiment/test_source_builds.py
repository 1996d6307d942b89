"""keepalived from a source: compiled once, kept by digest; what does not compile says so in the compiler's words."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from viplab.errors import InputError
from viplab.subjects import registry, source_build
from viplab.subjects.build import unpack
from viplab.subjects.keepalived import KEEPALIVED_1, KEEPALIVED_2
from viplab.subjects.source_build import Release, from_source

LACKING = [name for name in ("make", "cc") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"no {' and no '.join(LACKING)}, which builds sources")

CONFIGURE = "#!/bin/sh\nPACKAGE_VERSION='{version}'\n"
MAKEFILE = """\
all:
\techo made >>{log}
\tcc $(CFLAGS) -o keepalived main.c
install:
\tinstall -D keepalived $(DESTDIR)/usr/sbin/keepalived
"""


def source(folder: Path, version: str = "2.3.9", program: str = "int main(void) { return 0; }\n") -> Path:
    """A source that is laid out as keepalived's is, in an archive; each time that it is made is a line of `log`."""
    made = folder / f"keepalived-{version}.tar.gz"
    texts = {
        "configure": CONFIGURE.format(version=version),
        "Makefile": MAKEFILE.format(log=folder / "log"),
        "main.c": program,
    }
    with tarfile.open(made, "w:gz") as archive:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"keepalived-{version}/{name}")
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return made


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/viplab/builds"


def test_a_source_is_compiled_once_and_kept(tmp_path: Path) -> None:
    archive = source(tmp_path)
    first, again = from_source(str(archive)), from_source(str(archive))
    assert (tmp_path / "log").read_text() == "made\n"
    assert first == again
    assert first.release == "2.3.9"
    with tarfile.open(fileobj=io.BytesIO(first.archive)) as files:
        assert files.getnames() == ["usr/sbin/keepalived"]


def test_a_folder_is_a_source_and_another_one_when_it_changes(tmp_path: Path) -> None:
    with tarfile.open(source(tmp_path)) as archive:
        unpack(archive, tmp_path)
    tree = tmp_path / "keepalived-2.3.9"
    before = from_source(str(tree))
    assert not (tree / "keepalived").exists()  # compiled elsewhere
    (tree / "main.c").write_text("int main(void) { return 1; }\n")
    assert from_source(str(tree)).version != before.version


def test_what_does_not_compile_says_why_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    archive = source(tmp_path, program="int main(void) { return nothing; }\n")
    with pytest.raises(InputError, match=r"`make` failed: .*‘?nothing’? undeclared") as caught:
        from_source(str(archive))
    assert "\n" not in str(caught.value)
    assert [path for path in cache.iterdir() if not path.name.endswith(".lock")] == []


def test_of_what_does_not_compile_the_compiler_is_heard_and_not_what_make_adds(tmp_path: Path) -> None:
    with tarfile.open(source(tmp_path, program="int main(void) { return nothing; }\n")) as archive:
        unpack(archive, tmp_path)
    tree = tmp_path / "keepalived-2.3.9"
    makefile = (tree / "Makefile").read_text()
    (tree / "Makefile").write_text("deep:\n\t$(MAKE) deeper\ndeeper:\n\t$(MAKE) all\n" + makefile)
    with pytest.raises(InputError, match=r"undeclared") as caught:
        from_source(str(tree))
    assert "***" not in str(caught.value)


def test_the_article_s_release_is_held_against_what_that_one_did_and_its_checksum_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = f"keepalived@{source(tmp_path, '1.2.2')}"
    assert registry.subject(asked).family is KEEPALIVED_1
    assert registry.subject(asked, KEEPALIVED_1.name).family is KEEPALIVED_1  # as its recipe says
    assert registry.subject(f"keepalived@{source(tmp_path)}").family is KEEPALIVED_2
    said = capsys.readouterr().err
    assert "keepalived-1.2.2.tar.gz: its MD5 is " in said
    assert said.count("this is another file") == 2


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"sha256": hashlib.sha256(b"x").hexdigest()}, "by its SHA-256 it is http://k"),
        ({"md5": hashlib.md5(b"x").hexdigest()}, "by its MD5 it is http://k"),
        ({"sha256": "0" * 64, "md5": hashlib.md5(b"x").hexdigest()}, "this is another file"),
        ({}, "no sum is known of http://k"),
    ],
)
def test_a_file_is_held_against_the_best_sum_that_is_known(tmp_path: Path, known: dict[str, str], said: str) -> None:
    path = tmp_path / "k.tar.gz"
    path.write_bytes(b"x")
    release = Release(releases=".*", url="http://k", cflags="", configure=[], needs=[], **known)
    assert said in source_build._compared(path, hashlib.sha256(b"x").hexdigest(), release)


@pytest.mark.parametrize("variable", ["LDFLAGS", "LIBS"])
def test_an_old_release_is_compiled_as_its_age_wants_and_finds_its_libraries(tmp_path: Path, variable: str) -> None:
    # No type, no prototype, and a variable in two files; and a Makefile that hands on what `configure` was told.
    archive = source(tmp_path, "1.2.2", "int shared;\nmain() { return other(); }\n")
    with tarfile.open(archive) as packed:
        unpack(packed, tmp_path)
    tree = tmp_path / "keepalived-1.2.2"
    (tree / "other.c").write_text("int shared;\nother() { return shared; }\n")
    makefile = (tree / "Makefile").read_text()
    (tree / "Makefile").write_text(makefile.replace("main.c", f"main.c other.c $({variable})"))
    with tarfile.open(fileobj=io.BytesIO(from_source(str(tree)).archive)) as files:
        program = files.extractfile("usr/sbin/keepalived")
        assert program is not None and b"/usr/local/lib/viplab-build/usr/lib/build\0" in program.read()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("no archive"), "cannot be unpacked"),
        (lambda path: tarfile.open(path, "w:gz").close(), "has no `configure`"),
        (lambda path: None, "no such source archive or folder"),
    ],
)
def test_what_is_no_source_is_one_line(tmp_path: Path, make: object, said: str) -> None:
    make(tmp_path / "x.tar.gz")  # type: ignore[operator]
    with pytest.raises(InputError, match=said) as caught:
        from_source(str(tmp_path / "x.tar.gz"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["gz", "xz", "bz2"])
def test_an_archive_that_was_damaged_on_its_way_is_one_line(tmp_path: Path, form: Literal["gz", "xz", "bz2"]) -> None:
    path = tmp_path / f"keepalived.tar.{form}"
    content = "\n".join(map(str, range(100_000))).encode()
    with tarfile.open(path, f"w:{form}") as archive:
        entry = tarfile.TarInfo("keepalived/configure")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    octets = bytearray(path.read_bytes())
    octets[5000:9000] = Random(1).randbytes(4000)
    path.write_bytes(octets)
    with pytest.raises(InputError, match="cannot be unpacked") as caught:
        from_source(str(path))
    assert len(str(caught.value).splitlines()) == 1
