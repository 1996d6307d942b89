"""The kinds of lab by name: those of this package, and those that other distributions bring by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from viplab.errors import HostError, InputError
from viplab.lab.lab import LabKind

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
    try:
        found: LabKind = known[name].load()
    except Exception as error:
        by = known[name].dist
        raise HostError(
            f"lab {name}: the plug-in{f' of {by.name}' if by else ''} does not load "
            f"({type(error).__name__}: {error}); mend or uninstall it"
        ) from None
    return found


def _known() -> dict[str, EntryPoint]:
    own = {name: EntryPoint(name, place, GROUP) for name, place in _OWN.items()}
    brought = {point.name: point for point in entry_points(group=GROUP) if point.name not in own}
    return own | dict(sorted(brought.items()))
