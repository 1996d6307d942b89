from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.lab.apt_sources import apt_sources
from viplab.lab.image_recipe import Recipe, load_recipe

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


@pytest.mark.parametrize("name", ["el0", "", "debian", "../vmimages/debian-12", "debian-12/"])
def test_an_unknown_recipe_lists_the_known_ones(name: str) -> None:
    with pytest.raises(InputError, match=r"^no image recipe .*; there are: .*debian-12, debian-13.*$"):
        load_recipe(name)


def test_recipes_of_two_releases_share_all_but_what_they_name() -> None:
    bookworm, trixie = load_recipe("debian-12"), load_recipe("debian-13")
    assert bookworm.common == trixie.common
    assert bookworm.file.model_copy(update={"suite": "trixie"}) == trixie.file
    assert bookworm.key != trixie.key
    assert (bookworm.common / "customize").stat().st_mode & 0o100
    assert (bookworm.common / "overlay").is_dir()


@pytest.mark.parametrize("place", ["own", "common"])
def test_the_key_changes_with_any_input(place: str, tmp_path: Path) -> None:
    folders = tmp_path / "own", tmp_path / "common"
    for folder in folders:
        folder.mkdir()
    recipe = Recipe(*folders, load_recipe("debian-12").file)
    keys = [recipe.key]
    for text in ("x", "y"):
        (tmp_path / place / "file").write_text(text)
        keys += [replace(recipe).key, replace(recipe).key]
    assert keys[1] == keys[2]
    assert keys[3] == keys[4]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a mapping"),
        ("a: [", "while parsing"),
        ("suite: sid", "None/common.yaml"),
        ("common: base\nsuite: [sid]", "suite: "),
        ("common: base\nsuite: sid\nnothing: 1", "nothing: "),
    ],
)
def test_a_recipe_that_is_none_is_one_line_that_names_the_file(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "recipe.yaml").write_text(text)
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "common.yaml").write_text(
        "builder: mmdebstrap\nkernel_command_line: quiet\ndisk_mib: 512\npackages: []"
    )
    monkeypatch.setattr("viplab.lab.image_recipe.resource", lambda _: tmp_path)
    with pytest.raises(InputError) as caught:
        load_recipe("own")
    assert str(caught.value).startswith(str(tmp_path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
