"""Witnesses check one another: what one part of a trial's evidence says, another one must bear out.

A capture whose clock jumps, a transcript that is cut off, an event that was dated anew move a metric as a slow failover
does. No rule here asks whether a value is a good one; each asks whether two that saw the same thing say the same. Where
they do not, the trial is undecided.
"""

from __future__ import annotations

from viplab.analysis.witnesses import captures, hosts, http, requests, timeline
from viplab.analysis.witnesses.witness import Witness

WITNESSES: tuple[Witness, ...] = (
    *captures.WITNESSES,
    *requests.WITNESSES,
    *timeline.WITNESSES,
    *hosts.WITNESSES,
    *http.WITNESSES,
)


def table() -> str:
    """The rules as a table of Markdown, for docs/method.md."""
    rows = [(w.name, w.compares, w.needs, w.tolerance) for w in WITNESSES]
    head = ("rule", "compares", "needs", "may differ by")
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))
