"""Commands on the lab that is left running in the background, and on what a crash left of one."""

from __future__ import annotations

from typing import Annotated

import typer

from viplab.cli.printing import out, tell


def up() -> None:
    """Bring a lab up and leave it running in the background."""
    from viplab.lab import background_lab

    lab = background_lab.up()
    out().print(f"up (process {lab.pid}); `viplab ssh A` gets you in, `viplab down` ends it")


def status() -> int:
    """Say whether a lab is up; exit status 0 if one is, 1 if not."""
    from viplab.lab import background_lab

    lab = background_lab.find()
    if lab is None:
        out().print("no lab is up")
        return 1
    tell(f"a lab is up: process {lab.pid}, {f'image {lab.image}' if lab.image else 'hosts are namespaces'}")
    return 0


def ssh(
    host: Annotated[str, typer.Argument(help="A, B, or another that the scenario has.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run there; a shell if left out.")] = None,
) -> int:
    """Open a shell on a host of the lab that is up, or run a command there."""
    from viplab.lab import background_lab

    return background_lab.ssh(host, command or [])


def down() -> None:
    """End the lab that is up."""
    from viplab.lab import background_lab

    background_lab.down()
    out().print("down; nothing of the lab is left")


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    connect: Annotated[
        str | None,
        typer.Option(metavar="URI", envvar="VIPLAB_CONNECT", help="Also look on this libvirt, such as qemu:///system."),
    ] = None,
) -> None:
    """Remove what a crash may have left: half-built images, half-saved memory, the note of a lab that is gone.

    On a libvirt these are the guests, networks and pools that have the label of a lab whose process has ended, and what
    such a lab put beside them into this network namespace: links, addresses and tables of the packet filter.
    """
    from viplab.lab import background_lab

    word = "would remove" if dry_run else "removed"
    for path in background_lab.leftovers():
        if not dry_run:
            background_lab.remove(path)
        tell(f"{word} {path}")
    if connect is not None:
        from viplab.lab.libvirt import labelled

        for what, why_kept in labelled.clean(connect, dry_run=dry_run):
            tell(f"kept {what}: {why_kept}" if why_kept else f"{word} {what}")
