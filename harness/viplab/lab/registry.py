"""The kinds of lab by name: those of this package, and those that other distributions bring by entry point."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from importlib.metadata import EntryPoint
from typing import cast

from viplab.errors import InputError
from viplab.lab.image import known
from viplab.lab.lab import LabKind
from viplab.lab.libvirt.uri import check_uri
from viplab.plugins import brought, loading

GROUP = "viplab.labs"
DEFAULT = "libvirt"
# Not by entry points of their own, so that a checkout that nobody installed has them.
_OWN = {"libvirt": "viplab.lab.libvirt.kind:LIBVIRT", "netns": "viplab.lab.netns.kind:NETNS"}


def names() -> list[str]:
    """What `--lab` may be; no plug-in is loaded for it."""
    return list(_known())


def lab_kind(name: str) -> LabKind:
    """The kind of lab of that name.

    Raises:
        InputError: there is none.
        HostError: the distribution that brings it is broken.
    """
    known = _known()
    if name not in known:
        raise InputError(f"no lab {name!r}; there are: {', '.join(known)}")
    with loading("lab", known[name]):
        found: LabKind = known[name].load()
    return found


def requiring_kvm(kind: LabKind) -> LabKind:
    """The same kind of lab, which refuses to open (HostError) where its guests would be emulated.

    Raises:
        InputError: its hosts are no virtual machines.
    """
    if not is_dataclass(kind) or isinstance(kind, type) or not hasattr(kind, "needs_kvm"):
        raise InputError(f"--require-kvm: the hosts of {kind.name} are no virtual machines that could need it")
    return cast("LabKind", replace(kind, needs_kvm=True))


def connected_to(kind: LabKind, uri: str) -> LabKind:
    """The same kind of lab, whose guests are under that libvirt of this machine.

    Raises:
        InputError: its hosts are no virtual machines, or there can be no lab there.
    """
    if not is_dataclass(kind) or isinstance(kind, type) or not hasattr(kind, "connect"):
        raise InputError(f"--connect: the hosts of {kind.name} are no virtual machines under a libvirt")
    words = f"hosts are virtual machines on {check_uri(uri)}"
    return cast("LabKind", replace(kind, connect=uri, words=words))


def with_image(kind: LabKind, name: str) -> LabKind:
    """The same kind of lab, whose guests are made from that recipe of `vmimages/`, or that FILE.qcow2.

    Raises:
        InputError: there is no such image, or its hosts are made from none.
    """
    if not is_dataclass(kind) or isinstance(kind, type) or kind.image is None:
        raise InputError(f"--image: the hosts of {kind.name} are made from no image")
    return cast("LabKind", replace(kind, image=known(name)))


def _known() -> dict[str, EntryPoint]:
    own = {name: EntryPoint(name, place, GROUP) for name, place in _OWN.items()}
    theirs = {name: point for name, point in brought(GROUP).items() if name not in own}
    return own | theirs
