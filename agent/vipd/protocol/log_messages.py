"""The log messages of each profile: one template for an event. An event without a message is not logged.

Users grep for these lines, so their form is kept: 1.2.2's as the article shows them, 2.x's as its own.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class LogEvent(Enum):
    """An event that may be logged."""

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
    SOURCE_GONE = "the address to send from is not there"
    SOURCE_HERE = "the address to send from is there again"
    DISCARDED = "a packet was discarded"
    REMARKED = "an advert was accepted with a remark"
    ADDRESS_LOST = "somebody else removed an address, route or rule"
    SEQUENCE_SPENT = "no sequence number is left"
    PRIORITY_CHANGED = "what is tracked has moved the priority"
    FORKED = "the process that speaks VRRP is there"
    FILE_OPENED = "the configuration is read"
    FILE_READ = "the configuration is good"
    LINKS_WATCHED = "netlink is listened to"
    SOCKET_OPENED = "an interface has its socket"
    STOPPING = "the daemon is told to end"
    STOPPED = "the daemon ends"


class LogMessage(NamedTuple):
    """A template for `str.format`; whether it is for `-D` only; whether keepalived's parent process says it."""

    template: str
    detail: bool = False
    parent: bool = False


_KEEPALIVED_1 = {
    LogEvent.ENTERING_BACKUP_AT_START: LogMessage("VRRP_Instance({name}) Entering BACKUP STATE"),
    LogEvent.ENTERING_BACKUP: LogMessage("VRRP_Instance({name}) Entering BACKUP STATE"),
    LogEvent.TRANSITION: LogMessage("VRRP_Instance({name}) Transition to MASTER STATE"),
    LogEvent.ENTERING_MASTER: LogMessage("VRRP_Instance({name}) Entering MASTER STATE"),
    LogEvent.ENTERING_FAULT: LogMessage("VRRP_Instance({name}) Entering FAULT STATE"),
    LogEvent.NOW_IN_FAULT: LogMessage("VRRP_Instance({name}) Now in FAULT state"),
    LogEvent.SETTING_ADDRESSES: LogMessage("VRRP_Instance({name}) setting protocol VIPs.", detail=True),
    LogEvent.REMOVING_ADDRESSES: LogMessage("VRRP_Instance({name}) removing protocol VIPs.", detail=True),
    LogEvent.ANNOUNCING: LogMessage("VRRP_Instance({name}) Sending {what} on {device} for {address}", detail=True),
    LogEvent.LOWER_ELECTS: LogMessage("VRRP_Instance({name}) forcing a new MASTER election"),
    LogEvent.LOWER_ANSWERED: LogMessage("VRRP_Instance({name}) Received lower prio advert, forcing new election"),
    LogEvent.HIGHER_RECEIVED: LogMessage("VRRP_Instance({name}) Received higher prio advert"),
    LogEvent.TIE_LOST: LogMessage("VRRP_Instance({name}) Received higher prio advert"),
    LogEvent.HIGHER_THAN_RECEIVED: LogMessage("VRRP_Instance({name}) prio is higher than received advert"),
    LogEvent.INTERFACE_DOWN: LogMessage("Kernel is reporting: interface {interface} DOWN"),
    LogEvent.INTERFACE_UP: LogMessage("Kernel is reporting: interface {interface} UP"),
    LogEvent.PRIORITY_CHANGED: LogMessage("VRRP_Instance({name}) Changing effective priority from {before} to {after}"),
    LogEvent.DISCARDED: LogMessage("VRRP_Instance({name}) Dropping received VRRP packet... ({reason})"),
    LogEvent.FORKED: LogMessage("Starting VRRP child process, pid={pid}", parent=True),
    LogEvent.FILE_OPENED: LogMessage("Opening file '{file}'."),
    LogEvent.FILE_READ: LogMessage("Configuration is using : {size} Bytes"),
    LogEvent.LINKS_WATCHED: LogMessage("Using LinkWatch kernel netlink reflector..."),
    LogEvent.SOCKET_OPENED: LogMessage(
        "VRRP sockpool: [ifindex({ifindex}), proto({protocol}), fd({descriptor},{descriptor})]", detail=True
    ),
    LogEvent.STOPPING: LogMessage("Terminating VRRP child process on signal"),
}

_KEEPALIVED_2 = {
    LogEvent.ENTERING_BACKUP_AT_START: LogMessage("({name}) Entering BACKUP STATE (init)"),
    LogEvent.ENTERING_BACKUP: LogMessage("({name}) Entering BACKUP STATE"),
    LogEvent.TIMED_OUT: LogMessage("({name}) Receive advertisement timeout", detail=True),
    LogEvent.ENTERING_MASTER: LogMessage("({name}) Entering MASTER STATE"),
    LogEvent.ENTERING_FAULT: LogMessage("({name}) Entering FAULT STATE"),
    LogEvent.SETTING_ADDRESSES: LogMessage("({name}) setting VIPs.", detail=True),
    LogEvent.REMOVING_ADDRESSES: LogMessage("({name}) removing VIPs.", detail=True),
    LogEvent.SETTLING_ADDRESSES: LogMessage("({name}) removing VIPs.", detail=True),
    LogEvent.ANNOUNCING: LogMessage("({name}) Sending/queueing {what} on {device} for {address}", detail=True),
    LogEvent.LOWER_DISCARDED: LogMessage(
        "({name}) received lower priority ({priority}) advert from {source} - discarding"
    ),
    LogEvent.LOWER_ANSWERED: LogMessage(
        "({name}) Received advert from {source} with lower priority {priority}, ours {ours}, forcing new election"
    ),
    LogEvent.HIGHER_RECEIVED: LogMessage(
        "({name}) Master received advert from {source} with higher priority {priority}, ours {ours}"
    ),
    LogEvent.TIE_LOST: LogMessage(
        "({name}) Master received advert from {source} with same priority {priority} but higher IP address than ours"
    ),
    LogEvent.ZERO_RECEIVED: LogMessage("({name}) Master received priority 0 message"),
    LogEvent.STOP_ADVERT_SENT: LogMessage("({name}) sent 0 priority", detail=True),
    LogEvent.LINK_DOWN: LogMessage("Netlink reports {interface} down"),
    LogEvent.LINK_UP: LogMessage("Netlink reports {interface} up"),
    LogEvent.SOURCE_GONE: LogMessage("({name}) the address to send from is missing ({interface})"),
    LogEvent.SOURCE_HERE: LogMessage("({name}) the address to send from is there ({interface})"),
    LogEvent.PRIORITY_CHANGED: LogMessage("({name}) Changing effective priority from {before} to {after}"),
    LogEvent.DISCARDED: LogMessage("({name}) discarded a packet from {source}: {reason}"),
    LogEvent.REMARKED: LogMessage("({name}) advert from {source}: {reason}"),
    LogEvent.ADDRESS_LOST: LogMessage("({name}) somebody else removed a virtual address, route or rule"),
    LogEvent.SEQUENCE_SPENT: LogMessage("({name}) no sequence number is left for the authentication header"),
    LogEvent.FILE_OPENED: LogMessage("Opening file '{file}'."),
    LogEvent.SOCKET_OPENED: LogMessage(
        "VRRP sockpool: [ifindex({ifindex:3}), family({family}), proto({protocol}), fd({descriptor},{descriptor})"
        " multicast, address({group})]",
        detail=True,
    ),
    LogEvent.STOPPED: LogMessage("Stopped"),
}

LOG_MESSAGES: dict[str, dict[LogEvent, LogMessage]] = {
    "keepalived-1.2.2": _KEEPALIVED_1,
    "keepalived-2": _KEEPALIVED_2,
    "rfc9568": _KEEPALIVED_2,
}
