"""The VRRP protocol: virtual routers and sync groups that are told what happened and when, and return effects.

Here lie the table of transitions, the octets of adverts and announcements, the timers, and the log lines. Nothing here
opens a socket, reads a clock or blocks: time is an argument, in integer nanoseconds, and what is to be done comes back
as effects. It imports `vipd.config` and nothing else of vipd.

The names in `__all__` are what a program needs that runs routers of its own; docs/theory.md has one.
"""

from vipd.protocol.effects import (
    AddAddresses,
    Effect,
    Log,
    Notify,
    NotifyOfLower,
    RemoveAddresses,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.protocol.groups import Group
from vipd.protocol.router import Router
from vipd.protocol.table import Event, State
from vipd.protocol.validation import Discard, Remark

__all__ = [
    "AddAddresses",
    "Discard",
    "Effect",
    "Event",
    "Group",
    "Log",
    "Notify",
    "NotifyOfLower",
    "Remark",
    "RemoveAddresses",
    "Router",
    "SendAdvert",
    "SendGratuitousArp",
    "State",
]
