"""One round of echo requests: which of many addresses answer now."""

from __future__ import annotations

import ipaddress
import os
import select
import socket
import struct
import time
from collections.abc import Collection

from viplab.lab.waiting import limit_s
from viplab.observe.probe import checksum

_REQUEST, _REPLY, _HEADER = 8, 0, 20
_WITHIN_S, _AGAIN_S = 3.0, 0.5


def unanswered(addresses: Collection[str], source: str) -> list[str]:
    """Ask each address until it answers or the time is up, and return those that did not, in order."""
    waiting = dict.fromkeys(addresses)
    ident = os.getpid() & 0xFFFF
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as asking:
        asking.bind((source, 0))
        deadline = time.monotonic() + limit_s(_WITHIN_S)
        while waiting and (now := time.monotonic()) < deadline:
            for address in waiting:
                asking.sendto(_request(ident), (address, 0))
            until = min(deadline, now + _AGAIN_S)
            while waiting and select.select([asking], [], [], max(0.0, until - time.monotonic()))[0]:
                packet = asking.recv(256)
                if packet[_HEADER] == _REPLY and packet[_HEADER + 4 : _HEADER + 6] == struct.pack("!H", ident):
                    waiting.pop(str(ipaddress.IPv4Address(packet[12:16])), None)
    return list(waiting)


def _request(ident: int) -> bytes:
    request = struct.pack("!BBHHH", _REQUEST, 0, 0, ident, 0)
    return request[:2] + struct.pack("!H", checksum(request)) + request[4:]
