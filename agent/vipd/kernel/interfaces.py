"""The names of the interfaces, for those who need nothing else of them."""

from __future__ import annotations

import socket


def names() -> set[str]:
    """The names of the interfaces of this network.

    Raises:
        OSError: the kernel does not say.
    """
    return {name for _, name in socket.if_nameindex()}
