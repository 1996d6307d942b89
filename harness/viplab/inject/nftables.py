"""Rules of nftables that drop frames and count them.

Through nftables' own library: starting its program would take longer than the switch it makes.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections.abc import Mapping
from itertools import count

from viplab.errors import HostError, LabError
from viplab.lab.guest import Timing
from viplab.lab.marks import table

_LIBRARY = "libnftables.so.1"
_NUMBERS = count(1)


def check_nftables() -> None:
    """Find out beforehand whether there can be a rule.

    Raises:
        HostError: nftables is not installed.
    """
    _library()


def _library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        raise HostError(f"{_LIBRARY}: not installed; it comes with nftables, which frames are dropped by") from None


class DropRules:
    """Rules in a table of their own, made ready: what is left to do when its time comes is one transaction."""

    def __init__(self, family: str, match: Mapping[str, str]) -> None:
        """Make the table, with a chain for each hook that `match` has an expression for.

        Raises:
            HostError: nftables is not installed.
            LabError: the kernel takes no such table.
        """
        self._library = _library()
        self._library.nft_ctx_new.restype = ctypes.c_void_p
        self._library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        self._library.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
        self._context = ctypes.c_void_p(self._library.nft_ctx_new(0))
        self._library.nft_ctx_buffer_error(self._context)
        self._library.nft_ctx_buffer_output(self._context)
        self._table = f"{family} {table(str(next(_NUMBERS)))}"
        self._match = match
        chains = (f"add chain {self._table} {hook} {{ type filter hook {hook} priority 0; }}" for hook in match)
        self._apply("; ".join([f"add table {self._table}", *chains, f"add counter {self._table} dropped"]))

    def drop(self) -> Timing:
        """Begin to drop what matches."""
        rules = (
            f"add rule {self._table} {hook} {match} counter name dropped drop" for hook, match in self._match.items()
        )
        return self._apply("; ".join(rules))

    def lift(self) -> Timing:
        """End it."""
        return self._apply("; ".join(f"flush chain {self._table} {hook}" for hook in self._match))

    def dropped(self) -> int:
        """Frames that were dropped."""
        self._apply(f"list counter {self._table} dropped")
        listed = self._library.nft_ctx_get_output_buffer(self._context).decode("utf-8", "replace")
        found = re.search(r"packets (\d+)", listed)
        if found is None:
            raise LabError(f"nftables does not say how many frames {self._table} dropped: {' '.join(listed.split())}")
        return int(found[1])

    def remove(self) -> None:
        """Take the table away and let go of the library's state."""
        self._apply(f"delete table {self._table}")
        self._library.nft_ctx_free(self._context)

    def _apply(self, commands: str) -> Timing:
        """Apply commands in one transaction, with the clock read before and after."""
        text = commands.encode()
        before_ns = time.time_ns()
        failed = self._library.nft_run_cmd_from_buffer(self._context, text)
        after_ns = time.time_ns()
        if failed:
            said = self._library.nft_ctx_get_error_buffer(self._context).decode("utf-8", "replace")
            raise LabError(f"nftables refuses `{commands}`: {(said.strip() or 'no reason given').splitlines()[0]}")
        return Timing(before_ns, after_ns, 0)
