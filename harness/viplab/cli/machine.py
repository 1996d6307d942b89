"""Commands on this machine: what it lacks, what would spoil numbers on it, the guest images it keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from viplab.cli.arguments import Results, run_store
from viplab.cli.printing import out, tell


def doctor(
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    connect: Annotated[
        str | None,
        typer.Option(metavar="URI", envvar="VIPLAB_CONNECT", help="Also look at this libvirt, such as qemu:///system."),
    ] = None,
) -> int:
    """Say what this machine lacks and how to get it."""
    from viplab import doctor as examination

    more: list[examination.Finding] = []
    if connect is not None:
        from viplab.lab.libvirt.examine import examine

        more = examine(connect)
    return examination.main(["--json"] if json else [], more)


def preflight(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False, results: Results = None) -> int:
    """Say what would spoil numbers on this machine; exit status 1 if something would."""
    from viplab import preflight as examination

    return examination.main(run_store(results), as_json=json, say=tell)


def image_build(
    name: Annotated[
        str | None, typer.Argument(help="A folder of vmimages/.", show_default="VIPLAB_IMAGE, or debian-12")
    ] = None,
) -> None:
    """Build a guest image, unless the cache has it."""
    from viplab.lab.image import DEFAULT, ready_image

    out().print(ready_image(name or DEFAULT).name)


def image_list() -> None:
    """List the images in the cache."""
    from viplab.lab.image import list_images

    for image in list_images():
        size_mib = sum(path.stat().st_size for path in image.path.iterdir()) // 2**20
        tell(f"{image.name}  {size_mib} MiB  built {image.manifest['built']}")


def image_rm(name: str) -> None:
    """Remove an image and the memory saved from it."""
    from viplab.lab.image import remove_image

    remove_image(name)
