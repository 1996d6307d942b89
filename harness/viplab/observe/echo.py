"""The other end of the UDP probe: a few lines of Python that run on the hosts and send back what they get."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING

from viplab.address_family import family_of
from viplab.lab.waiting import until

if TYPE_CHECKING:
    from viplab.lab.guest import Guest

PORT = 7
"""The echo service's (RFC 862)."""
_PATH = "/usr/local/sbin/viplab-echo"
# Bound to the VIP whether or not the host has it (ip_nonlocal_bind, claim P4), so that answers come from there.
PROGRAM = """\
import socket
import sys

family, kind, _, _, address = socket.getaddrinfo(sys.argv[1], sys.argv[2], type=socket.SOCK_DGRAM)[0]
with socket.socket(family, kind) as echo:
    echo.bind(address)
    while True:
        try:
            data, sender = echo.recvfrom(2048)
            echo.sendto(data, sender)
        except OSError:
            continue
"""


def start(guest: Guest, vip: str) -> None:
    """Put the responder on a host and start it; it ends with the host."""
    guest.put(PROGRAM.encode(), _PATH)
    guest.run(f"setsid python3 -I -S {_PATH} {vip} {PORT} </dev/null >/dev/null 2>&1 &").checked()
    # The kernel prints words of 32 bits in the order of its own processor.
    words = struct.unpack(f"<{family_of(vip).bits // 32}I", ip_address(vip).packed)
    listening = f"{''.join(f'{word:08X}' for word in words)}:{PORT:04X}"
    until(
        f"the echo responder on {guest.host.hostname}",
        lambda: listening in guest.run("cat /proc/net/udp /proc/net/udp6").stdout,
        within_s=20,
    )
