from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.lab.image import apt_sources, load_recipe

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates

Types: deb
URIs: http://other.example/tool
Suites: nodistro
"""


def etc_apt(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / "sources.list.d" / name.replace("_", ".")).write_text(text)
    return tmp_path


def test_stanzas_of_the_same_release_are_taken_and_others_left(tmp_path: Path) -> None:
    taken = apt_sources("bookworm", etc_apt(tmp_path, debian_sources=DEB822), BOOKWORM)
    assert "mirror.example" in taken
    assert "other.example" not in taken


def test_one_line_entries_of_the_same_release_are_taken(tmp_path: Path) -> None:
    folder = etc_apt(tmp_path)
    (folder / "sources.list").write_text("deb http://a.example bookworm main\ndeb http://b.example trixie main\n")
    assert apt_sources("bookworm", folder, BOOKWORM) == "deb http://a.example bookworm main"


def test_another_release_leaves_the_choice_to_mmdebstrap(tmp_path: Path) -> None:
    folder = etc_apt(tmp_path, debian_sources=DEB822)
    assert apt_sources("bookworm", folder, {"ID": "ubuntu", "VERSION_CODENAME": "noble"}) == ""


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no image recipe 'el0'; there are: .*debian-12"):
        load_recipe("el0")


def test_the_key_changes_with_any_input(tmp_path: Path) -> None:
    from viplab.lab.image import Recipe

    recipe = load_recipe("debian-12")
    (tmp_path / "recipe.yaml").write_text("x")
    first = Recipe(tmp_path, recipe.file).key
    (tmp_path / "recipe.yaml").write_text("y")
    assert Recipe(tmp_path, recipe.file).key != first
    assert Recipe(tmp_path, recipe.file).key == Recipe(tmp_path, recipe.file).key
