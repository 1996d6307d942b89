"""What each daemon logs: one line a thing said, by profile. A thing that a voice does not list is not said.

Users grep for these lines, so their form is kept: 1.2.2's as the article shows them, 2.x's as its own.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Say(Enum):
    """A thing worth a line."""

    __hash__ = object.__hash__

    ENTERING_BACKUP_AT_START = "entering backup at start"
    ENTERING_BACKUP = "entering backup"
    TIMED_OUT = "no advert within the master down interval"
    TRANSITION = "claiming, addresses not yet set"
    ENTERING_MASTER = "entering master"
    ENTERING_FAULT = "entering fault"
    NOW_IN_FAULT = "now in fault"
    SETTING_ADDRESSES = "setting addresses"
    REMOVING_ADDRESSES = "removing addresses"
    SETTLING_ADDRESSES = "removing what an earlier life left"
    ANNOUNCING = "sending gratuitous ARP for an address"
    LOWER_DISCARDED = "backup discards a lower priority"
    LOWER_ELECTS = "backup claims on a lower priority"
    LOWER_ANSWERED = "master answers a lower priority"
    ZERO_RECEIVED = "master hears priority 0"
    HIGHER_RECEIVED = "master yields to a higher priority"
    TIE_LOST = "master yields to a higher address"
    HIGHER_THAN_RECEIVED = "own priority beats the advert read on leaving fault"
    STOP_ADVERT_SENT = "sent priority 0"
    INTERFACE_DOWN = "an interface is down"
    INTERFACE_UP = "an interface is up"
    LINK_DOWN = "netlink says that an interface went down"
    LINK_UP = "netlink says that an interface came up"
    DISCARDED = "a packet was discarded"
    REMARKED = "an advert was accepted with a remark"
    ADDRESS_LOST = "somebody else removed an address"
    SEQUENCE_SPENT = "no sequence number is left"
    PRIORITY_CHANGED = "what is tracked has moved the priority"
    FILE_OPENED = "the configuration is read"
    FILE_READ = "the configuration is good"
    LINKS_WATCHED = "netlink is listened to"
    SOCKET_OPENED = "an interface has its socket"
    STOPPING = "the daemon is told to end"
    STOPPED = "the daemon ends"


class Line(NamedTuple):
    """A template for `str.format`, and whether the line is for `-D` only."""

    template: str
    detail: bool = False


_KEEPALIVED_1 = {
    Say.ENTERING_BACKUP_AT_START: Line("VRRP_Instance({name}) Entering BACKUP STATE"),
    Say.ENTERING_BACKUP: Line("VRRP_Instance({name}) Entering BACKUP STATE"),
    Say.TRANSITION: Line("VRRP_Instance({name}) Transition to MASTER STATE"),
    Say.ENTERING_MASTER: Line("VRRP_Instance({name}) Entering MASTER STATE"),
    Say.ENTERING_FAULT: Line("VRRP_Instance({name}) Entering FAULT STATE"),
    Say.NOW_IN_FAULT: Line("VRRP_Instance({name}) Now in FAULT state"),
    Say.SETTING_ADDRESSES: Line("VRRP_Instance({name}) setting protocol VIPs.", detail=True),
    Say.REMOVING_ADDRESSES: Line("VRRP_Instance({name}) removing protocol VIPs.", detail=True),
    Say.ANNOUNCING: Line("VRRP_Instance({name}) Sending gratuitous ARPs on {device} for {address}", detail=True),
    Say.LOWER_ELECTS: Line("VRRP_Instance({name}) forcing a new MASTER election"),
    Say.LOWER_ANSWERED: Line("VRRP_Instance({name}) Received lower prio advert, forcing new election"),
    Say.HIGHER_RECEIVED: Line("VRRP_Instance({name}) Received higher prio advert"),
    Say.TIE_LOST: Line("VRRP_Instance({name}) Received higher prio advert"),
    Say.HIGHER_THAN_RECEIVED: Line("VRRP_Instance({name}) prio is higher than received advert"),
    Say.INTERFACE_DOWN: Line("Kernel is reporting: interface {interface} DOWN"),
    Say.INTERFACE_UP: Line("Kernel is reporting: interface {interface} UP"),
    Say.PRIORITY_CHANGED: Line("VRRP_Instance({name}) Changing effective priority from {before} to {after}"),
    Say.DISCARDED: Line("VRRP_Instance({name}) Dropping received VRRP packet... ({reason})"),
    Say.FILE_OPENED: Line("Opening file '{file}'."),
    Say.FILE_READ: Line("Configuration is using : {size} Bytes"),
    Say.LINKS_WATCHED: Line("Using LinkWatch kernel netlink reflector..."),
    Say.SOCKET_OPENED: Line(
        "VRRP sockpool: [ifindex({ifindex}), proto({protocol}), fd({descriptor},{descriptor})]", detail=True
    ),
    Say.STOPPING: Line("Terminating VRRP child process on signal"),
}

_KEEPALIVED_2 = {
    Say.ENTERING_BACKUP_AT_START: Line("({name}) Entering BACKUP STATE (init)"),
    Say.ENTERING_BACKUP: Line("({name}) Entering BACKUP STATE"),
    Say.TIMED_OUT: Line("({name}) Receive advertisement timeout", detail=True),
    Say.ENTERING_MASTER: Line("({name}) Entering MASTER STATE"),
    Say.ENTERING_FAULT: Line("({name}) Entering FAULT STATE"),
    Say.SETTING_ADDRESSES: Line("({name}) setting VIPs.", detail=True),
    Say.REMOVING_ADDRESSES: Line("({name}) removing VIPs.", detail=True),
    Say.SETTLING_ADDRESSES: Line("({name}) removing VIPs.", detail=True),
    Say.ANNOUNCING: Line("({name}) Sending/queueing gratuitous ARPs on {device} for {address}", detail=True),
    Say.LOWER_DISCARDED: Line("({name}) received lower priority ({priority}) advert from {source} - discarding"),
    Say.LOWER_ANSWERED: Line(
        "({name}) Received advert from {source} with lower priority {priority}, ours {ours}, forcing new election"
    ),
    Say.HIGHER_RECEIVED: Line(
        "({name}) Master received advert from {source} with higher priority {priority}, ours {ours}"
    ),
    Say.TIE_LOST: Line(
        "({name}) Master received advert from {source} with same priority {priority} but higher IP address than ours"
    ),
    Say.ZERO_RECEIVED: Line("({name}) Master received priority 0 message"),
    Say.STOP_ADVERT_SENT: Line("({name}) sent 0 priority", detail=True),
    Say.LINK_DOWN: Line("Netlink reports {interface} down"),
    Say.LINK_UP: Line("Netlink reports {interface} up"),
    Say.PRIORITY_CHANGED: Line("({name}) Changing effective priority from {before} to {after}"),
    Say.DISCARDED: Line("({name}) discarded a packet from {source}: {reason}"),
    Say.REMARKED: Line("({name}) advert from {source}: {reason}"),
    Say.ADDRESS_LOST: Line("({name}) somebody else removed a virtual address"),
    Say.SEQUENCE_SPENT: Line("({name}) no sequence number is left for the authentication header"),
    Say.FILE_OPENED: Line("Opening file '{file}'."),
    Say.SOCKET_OPENED: Line(
        "VRRP sockpool: [ifindex({ifindex:3}), family({family}), proto({protocol}), fd({descriptor},{descriptor})"
        " multicast, address({group})]",
        detail=True,
    ),
    Say.STOPPED: Line("Stopped"),
}

VOICES: dict[str, dict[Say, Line]] = {
    "keepalived-1.2.2": _KEEPALIVED_1,
    "keepalived-2": _KEEPALIVED_2,
    "rfc9568": _KEEPALIVED_2,
}
