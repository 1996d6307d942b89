"""The transcript of iputils' `ping`, in the words of 2011 (`icmp_req=`) and of today (`icmp_seq=`)."""

from __future__ import annotations

import re

from viplab.analysis.summary import PingSummary, Rtt
from viplab.analysis.views import PingReply, PingView

_REPLY = re.compile(
    r"^(?:\[[\d.]+\] )?\d+ bytes from .+?: icmp_(?:req|seq)=(?P<seq>\d{1,9})(?: ttl=(?P<ttl>\d{1,3}))?"
    r" time=(?P<rtt>\d{1,9}(?:\.\d{1,9})?) ms(?! \(DUP!\))",
    re.MULTILINE,
)
_COUNTS = re.compile(r"^(?P<sent>\d{1,9}) packets transmitted, (?P<received>\d{1,9}) received", re.MULTILINE)
_RTT = re.compile(
    r"^rtt min/avg/max/mdev = (?P<min>[\d.]{1,16})/(?P<avg>[\d.]{1,16})/(?P<max>[\d.]{1,16})/(?P<mdev>[\d.]{1,16}) ms",
    re.MULTILINE,
)
# A transcript is untrusted: a number of requests that no ping at 1 Hz reaches is not turned into a list.
_MOST = 1_000_000


def read_ping(text: str) -> PingView | None:
    """Read a transcript; None where it has neither a reply nor statistics.

    Without statistics (ping was killed, or the file is torn) nothing is known of requests after the last reply.
    """
    replies = [
        PingReply(seq=int(m["seq"]), ttl=int(m["ttl"]) if m["ttl"] else None, rtt_ms=float(m["rtt"]))
        for m in _REPLY.finditer(text)
    ]
    counts = _COUNTS.search(text)
    if counts is None and not replies:
        return None
    answered = {reply.seq for reply in replies}
    sent = int(counts["sent"]) if counts else max(answered)
    rtt = _RTT.search(text)
    summary = PingSummary(
        sent=sent,
        received=int(counts["received"]) if counts else len(answered),
        lost_seqs=[seq for seq in range(1, sent + 1) if seq not in answered] if sent <= _MOST else [],
        rtt_ms=_rtt(rtt) if rtt else None,
    )
    return PingView(text=text, summary=summary, replies=replies, torn=counts is None)


def _rtt(match: re.Match[str]) -> Rtt | None:
    try:
        return Rtt(**{name: float(value) for name, value in match.groupdict().items()})
    except ValueError:
        return None
