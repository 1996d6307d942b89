"""What both kinds of lab do to the bridges of their sandbox."""

from __future__ import annotations

from pathlib import Path


def bypass_netfilter() -> None:
    """Keep the IP layer's firewall away from bridged frames: each would cost time, and rules for routing could drop it.

    The setting belongs to the sandbox's network namespace; the machine's own is left as it is.
    """
    for path in Path("/proc/sys/net/bridge").glob("bridge-nf-call-*"):
        path.write_text("0\n")
