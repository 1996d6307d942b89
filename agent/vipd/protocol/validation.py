"""The reasons to discard a packet, and the remarks on accepted ones."""

from __future__ import annotations

from enum import Enum


class Discard(Enum):
    """The reason why a packet was discarded; each has a counter."""

    __hash__ = object.__hash__  # members are single: by identity, and not by a name that is hashed each time

    NOT_IP = "no whole IP header"
    TTL = "TTL is not 255"
    DESTINATION = "sent to another group, to a broadcast address, or to one host where the group was expected"
    PEER = "sender is not one of the unicast peers"
    TOO_SHORT = "shorter than a VRRP header"
    VERSION = "not the configured VRRP version"
    TYPE = "not an advertisement"
    LENGTH = "length is not that of its address count"
    CARP = "a CARP packet, told by its length"
    CHECKSUM = "bad checksum"
    VRID = "no such virtual router on this interface"
    AUTH_TYPE = "authentication type is not the configured one"
    AUTH_DATA = "wrong password"
    AH_FORM = "malformed authentication header"
    AH_DIGEST = "authentication header does not fit the packet"
    AH_SPI = "authentication header is for another sender"
    AH_REPLAY = "sequence number was seen before"
    INTERVAL = "advertisement interval is not the configured one"
    NO_INTERVAL = "advertisement interval is zero"
    NO_ADDRESS = "lists no address"
    FIRST_ADDRESS = "first IPv6 address is not link-local"
    ADDRESSES = "address list is not the configured one"
    OWNER = "this router owns the addresses"
    LOOPED = "sent by this router itself"
    SUPERSEDED = "this sender speaks version 3, too"


class Remark(Enum):
    """What is counted and logged about an advert that is accepted nevertheless (RFC 9568 section 7.1)."""

    __hash__ = object.__hash__

    INTERVAL = "another advertisement interval than ours"
    ADDRESSES = "another address list than ours"
    FIRST_ADDRESS = "first IPv6 address is not link-local"
    OWNER = "heard although this router owns the addresses"
    TWO_OWNERS = "another router says that it owns the addresses"
    EQUAL_PRIORITY = "another router has the same priority"
    GROUP_CHECKSUM = "unicast with the checksum of a multicast"
