"""One round of echo requests: which of many addresses answer now."""

from __future__ import annotations

import ipaddress
import os
import select
import socket
import struct
import time
from collections.abc import Collection

from viplab.address_family import family_of
from viplab.lab.waiting import limit_s

_WITHIN_S, _AGAIN_S = 3.0, 0.5


def unanswered(addresses: Collection[str], source: str) -> list[str]:
    """Ask each address until it answers or the time is up, and return those that did not, in order.

    They are of one family, that of the source.
    """
    waiting = dict.fromkeys(addresses)
    family, ident = family_of(source), os.getpid() & 0xFFFF
    deadline = time.monotonic() + limit_s(_WITHIN_S)
    while waiting and (now := time.monotonic()) < deadline:
        # A new socket for each round: what the kernel holds back until it has a MAC counts against the room of one.
        with socket.socket(family.number, socket.SOCK_RAW, family.echo_protocol) as asking:
            asking.bind((source, 0))
            for address in waiting:
                asking.sendto(family.ping(ident, 0), (address, 0))
            until = min(deadline, now + _AGAIN_S)
            while waiting and select.select([asking], [], [], max(0.0, until - time.monotonic()))[0]:
                packet, (answerer, *_) = asking.recvfrom(256)
                message = packet[family.raw_header :]
                if message[:1] == bytes([family.echo_reply]) and message[4:6] == struct.pack("!H", ident):
                    waiting.pop(str(ipaddress.ip_address(answerer)), None)
    return list(waiting)
