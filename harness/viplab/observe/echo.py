"""The other end of the UDP probe: a few lines of Python that run on the hosts and send back what they get."""

from __future__ import annotations

from viplab.lab.guest import Guest
from viplab.lab.waiting import until

PORT = 7
"""The echo service's (RFC 862)."""
_PATH = "/usr/local/sbin/viplab-echo"
# Bound to the VIP whether or not the host has it (ip_nonlocal_bind, claim P4), so that answers come from there.
PROGRAM = """\
import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
    echo.bind((sys.argv[1], int(sys.argv[2])))
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
    listening = f"{int.from_bytes(bytes(map(int, vip.split('.'))), 'little'):08X}:{PORT:04X}"
    until(
        f"the echo responder on {guest.host.hostname}",
        lambda: listening in guest.run("cat /proc/net/udp").stdout,
        within_s=20,
    )
