"""What other distributions bring by entry point, and what a broken one looks like: one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points

from viplab.errors import HostError


def brought(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; nothing is loaded."""
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


@contextmanager
def loading(what: str, point: EntryPoint) -> Iterator[None]:
    """Say of whatever goes wrong while a plug-in is loaded and looked at whose it is.

    Raises:
        HostError: something did.
    """
    try:
        yield
    except Exception as error:  # whatever somebody else's module raises
        package = point.dist.name if point.dist else point.module
        said = " ".join(str(error).split())
        raise HostError(
            f"{what} {point.name}: the plug-in of {package} does not load ({type(error).__name__}: {said}); "
            "mend or uninstall it"
        ) from None
