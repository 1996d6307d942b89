"""Only regular files inside a folder are read, and writing follows no link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.regular_files import open_regular, read_regular, regular_files, write_regular


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("of somebody else")
    made = tmp_path / "run"
    (made / "hosts").mkdir(parents=True)
    (made / "hosts" / "log").write_text("a line")
    return made


def test_a_regular_file_is_read(root: Path) -> None:
    assert read_regular(root, root / "hosts" / "log", 100) == b"a line"


def test_a_file_or_folder_that_is_not_there_is_none(root: Path) -> None:
    assert read_regular(root, root / "hosts" / "none", 100) is None
    assert read_regular(root, root / "none" / "log", 100) is None
    assert read_regular(root, root / "hosts" / "log" / "below", 100) is None


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "hosts/log", "nowhere"])
def test_a_link_is_refused_wherever_it_leads(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    with pytest.raises(InputError, match="link"):
        read_regular(root, root / "link", 100)


def test_a_link_on_the_way_is_refused(root: Path) -> None:
    (root / "around").symlink_to("hosts")
    with pytest.raises(InputError, match="link"):
        read_regular(root, root / "around" / "log", 100)
    with pytest.raises(InputError, match="link"):
        write_regular(root, root / "around" / "log", b"new")
    assert (root / "hosts" / "log").read_text() == "a line"


def test_a_fifo_is_refused_at_once_and_so_is_a_folder(root: Path) -> None:
    os.mkfifo(root / "fifo")
    for name in ("fifo", "hosts"):
        with pytest.raises(InputError, match="not a regular file"):
            open_regular(root, root / name)


def test_a_path_that_leads_outside_is_refused(root: Path) -> None:
    for path in (root / ".." / "secret", root.parent / "secret", root):
        with pytest.raises(InputError, match="outside"):
            open_regular(root, path)
        with pytest.raises(InputError, match="outside"):
            write_regular(root, path, b"")


def test_a_file_that_is_too_large_is_refused(root: Path) -> None:
    with pytest.raises(InputError, match="larger than"):
        read_regular(root, root / "hosts" / "log", 3)


def test_a_link_is_replaced_by_what_is_written_and_its_target_stays(root: Path) -> None:
    (root / "summary.json").symlink_to("../secret")
    write_regular(root, root / "summary.json", b"{}")
    assert not (root / "summary.json").is_symlink()
    assert (root / "summary.json").read_bytes() == b"{}"
    assert (root.parent / "secret").read_text() == "of somebody else"


def test_folders_between_are_made_and_nothing_else_is_left(root: Path) -> None:
    write_regular(root, root / "report" / "part" / "page.html", b"<p>")
    assert [path.name for path in (root / "report" / "part").iterdir()] == ["page.html"]


def test_a_file_that_cannot_be_put_there_leaves_nothing_behind(root: Path) -> None:
    with pytest.raises(Exception, match="cannot be written"):
        write_regular(root, root / "hosts", b"a file where a folder is")
    assert sorted(path.name for path in root.iterdir()) == ["hosts"]


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_what_cannot_be_a_name_is_refused_and_lists_nothing(root: Path, name: str) -> None:
    with pytest.raises(InputError, match="no name that a file can have"):
        open_regular(root, root / name)
    assert regular_files(root, root / name) == []
