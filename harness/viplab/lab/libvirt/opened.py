"""Brings a private lab up for as long as some work is done in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from viplab.errors import HostError
from viplab.lab.image import Image, build_image, find_image, load_recipe
from viplab.lab.libvirt.accelerator import Accelerator, accelerator
from viplab.lab.sandbox import LAB, contained
from viplab.progress import step

if TYPE_CHECKING:
    from viplab.lab.libvirt.lab import LibvirtLab

IMAGE = "debian-12"
T = TypeVar("T")


def ready_image(name: str = IMAGE) -> Image:
    """The guest image of that recipe, built now if the cache does not have it."""
    recipe = load_recipe(name)
    found = find_image(recipe)
    if found is not None:
        return found
    with step(f"Build the guest image {recipe.name}, once"):
        return build_image(recipe)


def in_lab(image: Image, work: Callable[[LibvirtLab], T]) -> T:
    """Do `work` with a lab whose guests are up; nothing of the lab is left when this returns or raises."""
    accel = accelerator(image)

    def inside() -> T:
        with _private_lab(image, accel) as lab:
            return work(lab)

    return contained(inside, LAB)


@contextmanager
def _private_lab(image: Image, accel: Accelerator) -> Iterator[LibvirtLab]:
    # libvirt-python is imported where a lab is made and nowhere else: reports are read where there is no libvirt.
    try:
        from viplab.lab.libvirt import private_libvirtd as private
        from viplab.lab.libvirt.lab import LibvirtLab
    except ImportError as error:
        raise HostError(f"{error.name}: not installed in this Python; `pip install 'viplab[lab]'` brings it") from None

    with step(f"Bring the lab up ({'KVM' if accel == 'kvm' else 'TCG: emulation, KVM does not boot a guest here'})"):
        lab = LibvirtLab(private.prepare(), image, accel, private.WORK)
        lab.up()
    try:
        yield lab
    finally:
        lab.down()
