"""The counters of one router; RFC 6527 and RFC 8347 name most of them."""

from __future__ import annotations

from vipd.protocol.packet import ChecksumForm
from vipd.protocol.validation import Discard, Remark


class Counters:
    """Counts since the router was made.

    Attributes:
        adverts_sent: adverts returned as effects, those of priority 0 included; one for each peer and version.
        zeros_sent: those of priority 0.
        adverts_received: adverts that passed every check.
        zeros_received: those of priority 0.
        became_master: changes into MASTER.
        forms: accepted adverts by what their checksum covered.
        remarks: accepted adverts by what was remarked on them.
        discards: packets that were refused, by reason.
    """

    __slots__ = (
        "adverts_received",
        "adverts_sent",
        "became_master",
        "discards",
        "forms",
        "remarks",
        "zeros_received",
        "zeros_sent",
    )

    def __init__(self) -> None:
        self.adverts_sent = 0
        self.zeros_sent = 0
        self.adverts_received = 0
        self.zeros_received = 0
        self.became_master = 0
        self.forms = dict.fromkeys(ChecksumForm, 0)
        self.remarks = dict.fromkeys(Remark, 0)
        self.discards = dict.fromkeys(Discard, 0)
