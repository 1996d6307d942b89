"""Which libvirt `--connect` may name."""

from __future__ import annotations

from urllib.parse import urlsplit

from viplab.errors import InputError


def check_uri(uri: str) -> str:
    """The same URI, if a lab can be had there.

    Captures and probes are made on the bridges that libvirt makes, with sockets that reach no other machine's.

    Raises:
        InputError: it names another machine, a session, or another hypervisor.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise InputError(f"--connect: {uri!r} is no URI; the machine's own libvirt is qemu:///system") from None
    if parts.netloc:
        raise InputError(
            f"--connect: {uri} is on another machine, whose bridges cannot be listened on from here; "
            f"run viplab on {parts.hostname or parts.netloc} itself, with --connect qemu:///system"
        )
    if parts.scheme not in ("qemu", "qemu+unix") or parts.path != "/system":
        raise InputError(f"--connect: {uri} is not qemu's libvirt of this machine; that is qemu:///system")
    return uri
