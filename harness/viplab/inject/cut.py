"""A fault whose truth is known: nothing of the client reaches the hosts for exactly so long.

A rule of the bridge drops what the client's own end sends out to the hosts' ports. It stands behind the capture, so
that the probe's requests are seen to go unanswered, and it touches neither the interconnect nor the owner census, no
carrier and no address: nobody takes over, the outage is the cut and nothing else.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from viplab.errors import HostError, LabError
from viplab.lab.topology import CENSUS_PORT
from viplab.observe.timeline import Timeline

_LIBRARY = "libnftables.so.1"
_TABLE = "bridge viplab"


class _Rules:
    """nftables through its own library: starting its program would take longer than the switch it makes."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(_LIBRARY)
        except OSError:
            raise HostError(f"{_LIBRARY}: not installed; it comes with nftables, which the cut is made with") from None
        self._library.nft_ctx_new.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        self._library.nft_ctx_buffer_error(self._context)
        self._library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p

    def apply(self, commands: str) -> tuple[int, int]:
        """Apply commands in one transaction; returns the clock before and after."""
        text = commands.encode()
        before_ns = time.time_ns()
        failed = self._library.nft_run_cmd_from_buffer(self._context, text)
        after_ns = time.time_ns()
        if failed:
            said = self._library.nft_ctx_get_error_buffer(self._context).decode("utf-8", "replace")
            raise LabError(f"nftables refuses `{commands}`: {(said.strip() or 'no reason given').splitlines()[0]}")
        return before_ns, after_ns

    def close(self) -> None:
        """Let go of the library's state."""
        self._library.nft_ctx_free(self._context)


def cut(duration_ns: int, bridge: str, timeline: Timeline, phase: str) -> None:
    """Cut the client off for `duration_ns` and record when that began and ended, each between two clock reads.

    Raises:
        HostError: nftables is not installed.
        LabError: the kernel takes no such rule.
    """
    ports = [port.name for port in (Path("/sys/class/net") / bridge / "brif").iterdir() if port.name != CENSUS_PORT]
    rules = _Rules()
    rules.apply(f"add table {_TABLE}; add chain {_TABLE} out {{ type filter hook output priority 0; }}")
    try:
        due_ns = time.monotonic_ns() + duration_ns
        begun = rules.apply(f"add rule {_TABLE} out oifname {{ {', '.join(ports)} }} drop")
        time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
        ended = rules.apply(f"flush chain {_TABLE} out")
    finally:
        rules.apply(f"delete table {_TABLE}")
        rules.close()
    keys = {"kind": "cut", "station": "client", "host": None, "phase": phase}
    timeline.record(
        "fault_injected", t_ns=begun[0], before_ns=begun[0], after_ns=begun[1], duration_ns=duration_ns, **keys
    )
    timeline.record("fault_healed", t_ns=ended[0], before_ns=ended[0], after_ns=ended[1], **keys)
