from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import HostError, InputError
from viplab.lab import registry


@pytest.fixture
def plug_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution that brings a lab that works, one that does not, and one under a name that is taken."""
    points = "toy = toy_labs:TOY\nbroken = toy_labs:NOTHING\nnetns = toy_labs:TOY"
    (tmp_path / "toy_labs.py").write_text("class TOY: name = 'toy'\n")
    about = tmp_path / "toy_labs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-labs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{points}\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("name", ["libvirt", "netns"])
def test_a_lab_goes_by_the_name_that_it_is_found_under(name: str) -> None:
    assert registry.lab_kind(name).name == name


def test_an_unknown_lab_is_told_which_there_are(plug_ins: None) -> None:
    with pytest.raises(InputError, match=r"^no lab 'vagrant'; there are: libvirt, netns, broken, toy$"):
        registry.lab_kind("vagrant")


def test_another_distribution_brings_a_lab_by_entry_point(plug_ins: None) -> None:
    assert registry.lab_kind("toy").name == "toy"


def test_a_plug_in_that_does_not_load_is_one_line_that_names_who_brings_it(plug_ins: None) -> None:
    with pytest.raises(HostError, match="lab broken: the plug-in of toy-labs does not load") as caught:
        registry.lab_kind("broken")
    assert "\n" not in str(caught.value)


def test_no_plug_in_takes_the_place_of_a_lab_of_ours(plug_ins: None) -> None:
    assert registry.lab_kind("netns").image is None


def test_guests_are_made_from_the_image_that_is_named_and_namespaces_from_none() -> None:
    assert registry.with_image(registry.lab_kind("libvirt"), "debian-13").image == "debian-13"
    with pytest.raises(InputError, match="no image recipe 'el0'"):
        registry.with_image(registry.lab_kind("libvirt"), "el0")
    with pytest.raises(InputError, match="--image: the hosts of netns are made from no image"):
        registry.with_image(registry.lab_kind("netns"), "debian-13")
