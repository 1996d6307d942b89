"""The other end of the HTTP probe: a few lines of Python that run on the hosts and say which of them answers."""

from __future__ import annotations

from viplab.address_family import AddressFamily
from viplab.addresses import HTTP_PORT
from viplab.lab.guest import Guest

_PATH = "/usr/local/sbin/viplab-responder"
# Bound to every address, so that it answers under the VIP whenever the host has that. A connection is kept for as long
# as the client wants it.
PROGRAM = """\
import os
import select
import socket
import sys

body = sys.argv[1].encode() + b"\\n"
head = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
server = socket.create_server(("", int(sys.argv[2])), family=int(sys.argv[3]), backlog=128)
if os.fork():
    os._exit(0)  # who started this goes on once it listens
os.setsid()
asked = {}
while True:
    for one in select.select([server, *asked], [], [])[0]:
        try:
            if one is server:
                asked[server.accept()[0]] = b""
                continue
            said = one.recv(4096)
            asked[one] += said
            if asked[one].endswith(b"\\r\\n\\r\\n"):
                asked[one] = b""
                one.sendall(head + body)
        except OSError:
            said = b""
        if one is not server and not said:
            one.close()
            del asked[one]
"""


def start(guest: Guest, family: AddressFamily) -> None:
    """Put the responder on a host and start it; it ends with the host."""
    guest.put(PROGRAM.encode(), _PATH)
    guest.run(
        f"python3 -I -S {_PATH} {guest.host.name} {HTTP_PORT} {int(family.number)} </dev/null >/dev/null 2>&1"
    ).checked()
