"""What daemons of one behaviour are expected to show, as data: analysis reads it, and no lab is needed for it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """A behaviour, by the name that `trial.json` has in `family`.

    `log_prefix` is a regular expression for what a log line begins with that is about a virtual router and not about
    the daemon as a whole; without one no line is told apart. `master_line` is what it logs as it sends its first
    advert.
    """

    name: str
    log_prefix: str | None = None
    garp_bursts: int = 2
    """How often a new master announces the VIP: keepalived does it again after five seconds."""
    master_line: str | None = None

    def log_body(self, message: str) -> str:
        """A log message without that prefix."""
        return re.sub(f"^(?:{self.log_prefix})", "", message, count=1) if self.log_prefix else message
